"""``auditor audit``: captures and a policy in, a judged report out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from auditor.cli.audit_options import AUDIT_OPTIONS, COUNT, FLAG, MANY, Option
from auditor.cli.auditing import audit_captures


def _with_options(command: Callable[..., int]) -> Callable[..., int]:
    """Return the command with all of its options, in their order."""
    for option in reversed(AUDIT_OPTIONS):
        command = click.option(*option.written, option.name, help=option.help, **_looks(option))(command)
    return command


def _looks(option: Option) -> dict[str, Any]:
    """Return what Click is to know of an option."""
    if option.kind == FLAG:
        return {"is_flag": True}
    if option.kind == COUNT:
        return {"count": True}
    chosen = {"type": click.Choice(option.choices)} if option.choices else {}
    default = {} if option.default is None else {"default": option.default, "show_default": True}
    return {"metavar": option.metavar, "multiple": option.kind == MANY, **chosen, **default}


@click.command()
@click.argument("captures", nargs=-1, required=True, metavar="CAPTURE...")
@_with_options
def audit(**parameters: Any) -> int:
    """Audit captures against a policy.

    Reads one or more capture files (pcap, pcapng), finds the NDMP control connections and the data connections that
    follow them, holds every flow against the policy, and says what deviates, with packet numbers.

    \b
    Examples:
      auditor audit site.pcapng --policy site.yaml
      auditor audit monday-*.pcap --policy site.yaml --fail-on high
      auditor audit site.pcapng --policy site.yaml --format json --output site.json
      auditor audit site.pcapng --policy site.yaml --report site.html --report site.json
      auditor audit site.pcapng --policy site.yaml --waivers accepted.yaml --as-of today
      auditor audit site.pcapng --policy site.yaml --baseline last-week.json --fail-on-new
    """  # noqa: D301 - Click wants a real backspace
    return audit_captures(**parameters)
