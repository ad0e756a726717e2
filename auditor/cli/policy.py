"""``auditor policy``: what a policy file says, before a capture is held against it."""

from __future__ import annotations

import click

from auditor.cli.failures import tell
from auditor.text import counted, escape


@click.group()
def policy() -> None:
    """Check policy files."""


@policy.command()
@click.argument("path", metavar="FILE")
def check(path: str) -> None:
    """Check a policy file; every mistake is told at once, with its line and what to write instead."""
    # Documents are read with PyYAML, which --help need not wait for.
    from auditor.policy.load import load_policy

    loaded = load_policy(path)
    for note in loaded.notes:
        tell("warning", f"{note.path}:{note.line}:{note.column}: {note.message}")
    zones = ", ".join(f"{zone.name} ({zone.role})" if zone.name != zone.role else zone.name for zone in loaded.zones)
    click.echo(
        escape(
            f"{path}: sound; generation {loaded.generation}, {counted(len(loaded.zones), 'zone')}"
            f"{f' ({zones})' if zones else ''}, {counted(len(loaded.site_terms), 'term')} of the site's own"
        )
    )
