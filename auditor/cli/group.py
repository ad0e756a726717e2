"""A group of commands that imports a command when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """A group whose commands are named by ``module:object`` and imported on first use."""

    def __init__(self, *args: Any, commands_by_name: dict[str, str] | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self._places = commands_by_name or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, those not yet imported included."""
        return sorted({*super().list_commands(ctx), *self._places})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, imported if need be, or None."""
        if cmd_name not in self._places:
            return super().get_command(ctx, cmd_name)
        module, name = self._places[cmd_name].split(":")
        command: click.Command = getattr(import_module(module), name)
        return command


def print_version(ctx: click.Context, _parameter: click.Parameter, asked: bool) -> None:
    """Print the version and leave, if asked to."""
    if asked and not ctx.resilient_parsing:
        from auditor import __version__

        click.echo(f"auditor {__version__}")
        ctx.exit()
