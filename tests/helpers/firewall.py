"""A small site whose policy is written as firewall rules, and the rules of any policy."""

from __future__ import annotations

import json
from typing import Any

from auditor.firewall.from_policy import rules_of
from auditor.firewall.model import RuleSet
from auditor.firewall.targets import render
from auditor.policy.model import Policy
from auditor.services import load_catalogue

SITE = """\
generation: 11d-12
data_direction: media-to-agent
zones:
  media-servers: [10.0.0.1]
  agents: {hosts: [10.0.1.0/25, 10.0.1.128/25, "fd00:1::/64"], dynamic_ports: 10001-10025}
  mail-relays: [10.0.2.1]
terms:
  - {name: no-lab, action: deny, source: media-servers, destination: 10.0.1.7}
  - {name: never, action: deny, source: agents, destination: mail-relays}
  - {name: rdp, action: permit, source: agents, destination: media-servers, transport: tcp, ports: 3389, comment: change 4711}
"""


OWN = ("nftables", "windows", "csv", "json")
"""Targets that are written here, without Aerleon."""


def made(policy: Policy, **options: Any) -> RuleSet:
    """Return the rules of a policy, with the catalogue of its generation."""
    return rules_of(policy, load_catalogue(policy.generation), **options)


def as_json(rules: RuleSet) -> dict[str, Any]:
    """Return the JSON document of the rules."""
    document: dict[str, Any] = json.loads(render(rules, "json"))
    return document
