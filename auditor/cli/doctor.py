"""``auditor doctor``: which source of packets will be used here and why; what is missing and how to give it."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click

_MARKS = {"ok": "ok     ", "note": "note   ", "missing": "missing"}


@click.command()
@click.argument("target", metavar="[INTERFACE|FOLDER|FILE|-]", required=False)
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
def doctor(target: str | None, as_json: bool) -> None:
    """Tell how this machine would listen, which privilege is missing, and the least that must be given.

    Without an interface: the first that is up. Exit code 0 when something can be used, 3 otherwise.
    """
    from auditor.sources.doctor import diagnose
    from auditor.text import escape

    found = diagnose(target or _first_interface())
    if as_json:
        click.echo(json.dumps(asdict(found), indent=2))
    else:
        click.echo(f"{escape(found.target)}: {f'source {found.source}' if found.source else 'nothing can listen'}")
        click.echo(f"  {escape(found.why)}\n")
        for check in found.checks:
            click.echo(f"  {_MARKS[check.state]}  {check.name:<14}  {escape(check.text)}")
            if check.fix:
                click.echo(f"{'':27}-> {escape(check.fix)}")
    sys.exit(0 if found.source else 3)


def _first_interface() -> str:
    """Return an interface that is no loopback, where there is one."""
    import socket

    names = [name for _, name in socket.if_nameindex()]
    return next((name for name in names if not name.startswith("lo")), names[0] if names else "eth0")
