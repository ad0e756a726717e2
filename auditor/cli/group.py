"""A group of commands that imports a command when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem


class LazyGroup(click.Group):
    """A group whose commands are imported on first use: ``commands_by_name`` gives the place of each, ``module:object``, and
    the first paragraph of its help, so that to list them none is imported."""

    def __init__(self, *args: Any, commands_by_name: dict[str, tuple[str, str]] | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self._places = commands_by_name or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, those not yet imported included."""
        return sorted({*super().list_commands(ctx), *self._places})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, imported if need be, or None."""
        if cmd_name not in self._places:
            return super().get_command(ctx, cmd_name)
        module, name = self._places[cmd_name][0].split(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, as Click does of commands that are there."""
        click.Group(commands=self._told()).format_commands(ctx, formatter)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return what a word that was begun may become: a command, or an option."""
        found = [
            CompletionItem(name, help=command.get_short_help_str())
            for name, command in sorted(self._told().items())
            if name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def _told(self) -> dict[str, click.Command]:
        """Return the commands by name, those not imported as no more than name and help."""
        return {**self.commands, **{name: click.Command(name, help=text) for name, (_, text) in self._places.items()}}


def print_version(ctx: click.Context, _parameter: click.Parameter, asked: bool) -> None:
    """Print the version and leave, if asked to."""
    if asked and not ctx.resilient_parsing:
        from auditor import __version__

        click.echo(f"auditor {__version__}")
        ctx.exit()
