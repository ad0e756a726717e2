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
    """A target: its module, imported when it is asked for. ``platform`` is what Aerleon calls it, where Aerleon writes it."""

    module: str
    platform: str = ""


_AERLEON = "auditor.firewall.aerleon_"

TARGETS = {
    "nftables": Target("auditor.firewall.nftables"),
    "windows": Target("auditor.firewall.windows"),
    "csv": Target("auditor.firewall.csv_"),
    "json": Target("auditor.firewall.json_"),
    "arista": Target(_AERLEON, "arista"),
    "cisco": Target(_AERLEON, "cisco"),
    "ciscoasa": Target(_AERLEON, "ciscoasa"),
    "cisconx": Target(_AERLEON, "cisconx"),
    "ciscoxr": Target(_AERLEON, "ciscoxr"),
    "fortigate": Target(_AERLEON, "fortigate"),
    "iptables": Target(_AERLEON, "iptables"),
    "juniper": Target(_AERLEON, "juniper"),
    "packetfilter": Target(_AERLEON, "packetfilter"),
    "paloalto": Target(_AERLEON, "paloalto"),
    "srx": Target(_AERLEON, "srx"),
}
"""Name of the target -> where it is made."""


def check_target(name: str) -> None:
    """Raise MissingExtra where the package that writes a target is not installed."""
    if TARGETS[name].platform and find_spec("aerleon") is None:
        raise MissingExtra("aerleon", "rules")


def render(rules: RuleSet, name: str) -> bytes:
    """Return rules as a target reads them. Raises UsageError where it cannot say them, MissingExtra."""
    check_target(name)
    target = TARGETS[name]
    module = import_module(target.module)
    made = module.render(rules, target.platform) if target.platform else module.render(rules)
    if not made.strip():
        raise UsageError(f"{name}: nothing came of {len(rules.rules)} rules", fix="please report it")
    return cast(bytes, made)
