"""The targets by name. Adding one takes a module with ``render(rules) -> bytes`` and a line here."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import cast

from auditor.errors import MissingExtra, UsageError
from auditor.firewall.model import RuleSet
from auditor.records import record


@record
class Target:
    """A target: its module, imported when it is asked for. ``by_aerleon``: Aerleon writes it, and is told its name."""

    module: str
    by_aerleon: bool = False


_AERLEON = Target("auditor.firewall.aerleon_", by_aerleon=True)

TARGETS = {
    "nftables": Target("auditor.firewall.nftables"),
    "windows": Target("auditor.firewall.windows"),
    "csv": Target("auditor.firewall.csv_"),
    "json": Target("auditor.firewall.json_"),
    "arista": _AERLEON,
    "cisco": _AERLEON,
    "ciscoasa": _AERLEON,
    "cisconx": _AERLEON,
    "ciscoxr": _AERLEON,
    "fortigate": _AERLEON,
    "ip6tables": _AERLEON,
    "iptables": _AERLEON,
    "juniper": _AERLEON,
    "packetfilter": _AERLEON,
    "paloalto": _AERLEON,
    "srx": _AERLEON,
}
"""Name of the target -> where it is made; ``platforms`` tells of those of Aerleon's."""


def check_target(name: str) -> None:
    """Raise MissingExtra where the package that writes a target is not installed."""
    if TARGETS[name].by_aerleon and find_spec("aerleon") is None:
        raise MissingExtra("aerleon", "rules")


def render(rules: RuleSet, name: str) -> bytes:
    """Return rules as a target reads them. Raises UsageError where it cannot say them, MissingExtra."""
    check_target(name)
    target = TARGETS[name]
    module = import_module(target.module)
    made = module.render(rules, name) if target.by_aerleon else module.render(rules)
    if not made.strip():
        raise UsageError(f"{name}: nothing came of {len(rules.rules)} rules", fix="please report it")
    return cast(bytes, made)
