"""Rules for routers and firewalls, written by Aerleon (extra ``rules``), for firewalls between the zones.

Aerleon only warns where it leaves something out, and goes on: every warning is an error here, and so is nothing at all.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from auditor.errors import UsageError
from auditor.firewall.model import EVERY_PORT, Rule, RuleSet
from auditor.firewall.places import TRANSIT
from auditor.firewall.platforms import PLATFORMS, Platform
from auditor.firewall.ranges import Range, is_all, networks_of
from auditor.firewall.words import about_rule, harmless, head, port_texts, remarks
from auditor.text import joined

_MOST_COMMENT = 90
"""Cisco's remarks hold 100 characters."""

_FILE = "rules"


def render(rules: RuleSet, target: str) -> bytes:
    """Return rules as a platform's configuration.

    Raises UsageError for a host's firewall, for rules of a version of IP that the platform cannot say, and where Aerleon
    complains.
    """
    platform = PLATFORMS[target]
    if rules.at != TRANSIT:
        raise UsageError(
            f"{target} is written for a firewall between the zones", fix="--at transit, or --target nftables or windows"
        )
    _check_versions(rules, platform, target)
    parts = [
        _written(platform, options, [rule for rule in rules.rules if version in (0, rule.version)], target)
        for version, options in platform.options.items()
        if version == 0 or any(rule.version == version for rule in rules.rules)
    ]
    body = "\n".join(parts)
    lines = list(_comments(rules, platform))
    if body.startswith("<?xml"):
        declaration, _, body = body.partition("\n")
        lines.insert(0, declaration)
    return ("\n".join([*lines, body.strip("\n")]) + "\n").encode("ascii", "replace")


def _check_versions(rules: RuleSet, platform: Platform, target: str) -> None:
    known = platform.versions()
    others = sum(rule.version not in known for rule in rules.rules)
    if others:
        only = joined([f"IPv{version}" for version in known])
        more = "; --target ip6tables --ip-version 6 has the others" if target == "iptables" else ""
        raise UsageError(
            f"{target} says {only} only, and {others} of {len(rules.rules)} rules are not",
            fix=f"--ip-version {known[0]} leaves them out and says so{more}",
        )


def _comments(rules: RuleSet, platform: Platform) -> Iterator[str]:
    before, after = platform.comment
    reasons = [line for rule in (*rules.rules, *rules.proposals) for line in about_rule(rule)]
    yield from (
        # Two hyphens end a comment of XML, and what ends others cannot occur.
        f"{before} {' ' * (len(line) - len(line.lstrip()))}{harmless(line).replace('--', '- -')} {after}".rstrip()
        for line in (*head(rules, *platform.advice), *reasons, *remarks(rules))
        if line
    )


def _written(platform: Platform, options: str, rules: list[Rule], target: str) -> str:
    # By name, so that types are checked alike where Aerleon is not installed.
    api, naming = import_module("aerleon.api"), import_module("aerleon.lib.naming")
    names = _Names()
    terms = list(_terms(platform, rules, names, options))
    document = {
        "filename": _FILE,
        "filters": [{"header": {"targets": {platform.name: options}, "comment": "Backup Exec"}, "terms": terms}],
    }
    with _complaints() as said:
        try:
            definitions = naming.Naming()
            definitions.ParseDefinitionsObject({"networks": names.networks, "services": names.services}, "")
            made = api.Generate([document], definitions) or {}
        except Exception as error:  # noqa: BLE001 - whatever Aerleon fails with, there are no rules
            said.append(f"{type(error).__name__}: {error}")
            made = {}
    text = "\n".join(made.values())
    missing = [rule.name for rule in rules if rule.name not in text]
    if said or not text.strip() or missing:
        said += [f"nothing came of {joined(missing)}"] if missing or not text.strip() else []
        raise UsageError(
            f"Aerleon writes no sound rules for {target}: {'; '.join(said)[:400]}",
            fix="take another target, csv or json",
        )
    return text


def _terms(platform: Platform, rules: list[Rule], names: _Names, options: str) -> Iterator[dict[str, Any]]:
    """Yield the terms in order. Without states, what comes back of a permitted connection must not meet a denial; but
    datagrams, of which nothing shows that they are answers, do.
    """
    denials = [rule for rule in rules if rule.action == "deny"]
    permits = [rule for rule in rules if rule.action == "permit"]
    answered = [rule for rule in permits if rule.answers and platform.stateless]
    if platform.states:
        icmp = "icmpv6" if "inet6" in options else "icmp"
        yield {"name": "established", "protocol": ["tcp", "udp", icmp], "option": ["established"], "action": "accept"}
    yield from (_back(rule, "tcp", names) for rule in answered if "tcp" in rule.transports)
    yield from (_term(rule, names) for rule in denials)
    yield from (_back(rule, "udp", names) for rule in answered if "udp" in rule.transports)
    yield from (_term(rule, names) for rule in permits)
    yield {"name": "default-deny", "comment": "what no rule permits", "action": "deny"}


def _term(rule: Rule, names: _Names) -> dict[str, Any]:
    terms = ", ".join(dict.fromkeys(reason.term for reason in rule.reasons))
    return {
        "name": rule.name,
        "comment": harmless(f"{terms} {rule.reasons[0].place}", limit=_MOST_COMMENT),
        **names.ends(rule, ("source-address", "destination-address")),
        "protocol": list(rule.transports),
        **names.ports(rule, "destination-port", rule.transports),
        "action": "accept" if rule.action == "permit" else "deny",
    }


def _back(rule: Rule, transport: str, names: _Names) -> dict[str, Any]:
    return {
        "name": f"{rule.name}-back-{transport}",
        "comment": f"answers to {rule.name}",
        **names.ends(rule, ("destination-address", "source-address")),
        "protocol": [transport],
        **names.ports(rule, "source-port", (transport,)),
        **({"option": ["tcp-established"]} if transport == "tcp" else {}),
        "action": "accept",
    }


class _Names:
    """Networks and services by names of our own: none of the policy's words reaches a configuration but in comments."""

    def __init__(self) -> None:
        self.networks: dict[str, Any] = {}
        self.services: dict[str, Any] = {}
        self._known: dict[tuple[int, tuple[Range, ...]], str] = {}

    def ends(self, rule: Rule, keys: tuple[str, str]) -> dict[str, str]:
        """Return the ends of a rule under two keys, source first; one that is anywhere has none."""
        found = {}
        for key, addresses in zip(keys, (rule.source, rule.destination), strict=True):
            ranges = addresses.of(rule.version)
            if not is_all(ranges, rule.version):
                found[key] = self._network(rule.version, ranges)
        return found

    def ports(self, rule: Rule, key: str, transports: tuple[str, ...]) -> dict[str, str]:
        """Return the ports of a rule under a key, nothing where it has any."""
        if rule.ports == EVERY_PORT:
            return {}
        name = f"BE_{'_'.join(transports).upper()}_{rule.number:03d}"
        texts = port_texts(rule.ports)
        self.services[name] = [{"protocol": transport, "port": text} for transport in transports for text in texts]
        return {key: name}

    def _network(self, version: int, ranges: tuple[Range, ...]) -> str:
        name = self._known.setdefault((version, ranges), f"BE_NET_{len(self._known) + 1}")
        self.networks[name] = {"values": [{"address": text} for text in networks_of(ranges, version)]}
        return name


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """Collect what Aerleon logs meanwhile, warnings and worse, instead of letting it be written anywhere."""
    said: list[str] = []

    class Collecting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(" ".join(record.getMessage().split()))

    logger = logging.getLogger("absl")
    before = logger.handlers[:], logger.propagate, logger.level
    logger.handlers[:] = [Collecting(logging.WARNING)]
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    try:
        yield said
    finally:
        logger.handlers[:], logger.propagate = before[0], before[1]
        logger.setLevel(before[2])
