"""JSON: the rules for programs; ``auditor schema firewall`` prints its JSON Schema."""

from __future__ import annotations

import json
from typing import Any

from auditor.firewall.model import REVIEW, Rule, RuleSet
from auditor.firewall.ranges import range_texts
from auditor.firewall.words import summary

SCHEMA = "auditor.firewall/1"


def render(rules: RuleSet) -> bytes:
    """Return one object."""
    document = {
        "schema": SCHEMA,
        "review": REVIEW,
        "policy": rules.policy,
        "generation": rules.generation,
        "at": rules.at,
        "version": rules.version,
        "summary": summary(rules),
        "default": "drop",
        "open_ports": {transport: _ports(ports.ranges) for transport, ports in rules.opened().items()},
        "rules": [_rule(rule) for rule in rules.rules],
        "proposals": [{**_rule(rule), "held_back": list(rule.held_back)} for rule in rules.proposals],
        "left_out": [{"what": one.what, "place": one.place, "why": one.why} for one in rules.left_out],
    }
    return (json.dumps(document, indent=2) + "\n").encode("ascii")


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "number": rule.number,
        "action": rule.action,
        "direction": rule.direction,
        "ip_version": rule.version,
        "source": range_texts(rule.source.of(rule.version), rule.version),
        "source_zones": list(rule.source_words),
        "destination": range_texts(rule.destination.of(rule.version), rule.version),
        "destination_zones": list(rule.destination_words),
        "transports": list(rule.transports),
        "ports": _ports(rule.ports.ranges),
        "stateful_return": rule.answers and rule.action == "permit",
        "reasons": [
            {"term": one.term, "place": one.place, "text": one.text, "doubt": one.doubt} for one in rule.reasons
        ],
    }


def _ports(ranges: tuple[tuple[int, int], ...]) -> list[list[int]]:
    return [[low, high] for low, high in ranges]
