"""Writes docs/cli.md from the commands themselves: ``python -m auditor.cli.reference > docs/cli.md``."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator

import click

from auditor.cli.commands import command as root

_HEAD = """\
# The command line

Made from the commands themselves: `python -m auditor.cli.reference > docs/cli.md`. A test compares.

Reports go to standard output, everything else to standard error. `NO_COLOR` turns colours off.
"""


_BAR = "\\|"
"""A bar that does not end a cell of a table."""


def reference() -> str:
    """Return the whole page."""
    sections = [_HEAD]
    sections += [_section(name, command, context) for name, command, context in _walk("auditor", root, None)]
    return "\n".join(sections)


def _walk(
    name: str, command: click.Command, parent: click.Context | None
) -> Iterator[tuple[str, click.Command, click.Context]]:
    """Yield a command and all below it, each with its full name."""
    context = click.Context(command, info_name=name, parent=parent)
    yield context.command_path, command, context
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            if found is not None:
                yield from _walk(below, found, context)


def _section(name: str, command: click.Command, context: click.Context) -> str:
    """Return what the page says of one command."""
    level = "##" if name.count(" ") < 2 else "###"
    parts = [f"{level} {name}", "", _paragraphs(inspect.cleandoc(command.help or "")), ""]
    parts += ["```", " ".join([name, *command.collect_usage_pieces(context)]), "```", ""]
    options = [option for option in command.params if isinstance(option, click.Option)]
    rows = [record for record in (option.get_help_record(context) for option in options) if record]
    if rows:
        parts += ["| option | meaning |", "| --- | --- |"]
        parts += [f"| `{option.strip().replace('|', _BAR)}` | {meaning} |" for option, meaning in rows]
        parts.append("")
    if command.epilog:
        parts += [inspect.cleandoc(command.epilog), ""]
    return "\n".join(parts)


def _paragraphs(text: str) -> str:
    """Return the words of a command; a paragraph that keeps its lines on the terminal becomes a block of code."""
    return "\n\n".join(_block(part) if part.startswith("\b\n") else part for part in text.split("\n\n"))


def _block(paragraph: str) -> str:
    title, *lines = paragraph.removeprefix("\b\n").split("\n")
    return "\n".join([title, "", "```", *(line.strip() for line in lines), "```"])


if __name__ == "__main__":
    sys.stdout.write(reference())
