"""A hundred thousand random flows under random policies, judged by the fast matcher and by two others: the plain one of
``test_match_reference`` and, where it is installed, Aerleon's AclCheck."""

from __future__ import annotations

import ipaddress
import os
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from auditor.documents.yaml_tree import Place
from auditor.policy.match import VERDICTS, judge
from auditor.policy.model import Host, Policy, Term, Zone
from auditor.policy.terms import policy_terms
from auditor.ports import DYNAMIC, PortSet
from auditor.services import ROLES
from tests.test_match_reference import CATALOGUE, PORTS, One, Reference, table_of

POLICIES = int(os.environ.get("AUDITOR_POLICIES", "500"))
"""Random policies; ``make match`` tries a hundred thousand of them."""
FLOWS = max(100_000 // POLICIES, 4)
"""Random flows under each."""

HERE = Place("test", 1)
RANGES = [
    None,
    None,
    PortSet.of([(50100, 50124)]),
    PortSet.of([(50100, 50149)]),
    PortSet.of([(50100, 50110), 50200]),
    DYNAMIC,
]
NDMP_PORTS = [None, None, 9999, 10000, 10001]


def address(zone: int, host: int) -> str:
    return f"10.{zone}.0.{host}" if zone % 3 else f"fd00:{zone:x}::{host:x}"


def network(zone: int) -> str:
    return f"10.{zone}.0.0/24" if zone % 3 else f"fd00:{zone:x}::/64"


def random_policy(dice: random.Random, *, single_version: bool = False) -> Policy:
    numbers = [n for n in range(1, 9) if n % 3 or not single_version]
    zones = tuple(
        Zone(f"zone-{n}", dice.choice([*ROLES, "other", "agents", "media-servers"]),
             (ipaddress.ip_network(network(n)),), dice.choice(RANGES), dice.choice(NDMP_PORTS), HERE)
        for n in dice.sample(numbers, dice.randint(1, len(numbers)))
    )  # fmt: skip
    named = [address(n, dice.randint(1, 6)) for n in dice.sample(numbers, 3)]
    hosts = {text: Host(text, "", dice.choice(RANGES), dice.choice(NDMP_PORTS), HERE) for text in named}
    ends = ["any", "undeclared", *(zone.name for zone in zones), "10.1.0.0/30", "10.0.0.0/9", address(2, 3)]
    ends += [] if single_version else ["fd00:3::2", "fd00::/16"]
    site = tuple(
        Term(f"site-{n}", dice.choice(["permit", "deny"]), tuple(dice.sample(ends, dice.randint(1, 2))),
             tuple(dice.sample(ends, dice.randint(1, 2))), dice.choice(["tcp", "udp", "any"]),
             dice.choice([None, PortSet.of([3389]), PortSet.of([(1, 9999)]), PortSet.of([(50101, 50103), 10000])]),
             "", "", "site", HERE)
        for n in range(dice.randint(0, 4))
    )  # fmt: skip
    return Policy(
        "test", zones=zones, hosts=hosts, ndmp_port=dice.choice([10000, 10001]), site_terms=site,
        data_direction=dice.choice(["either", "media-to-agent", "agent-to-media"]),
    )  # fmt: skip


def random_flows(dice: random.Random, policy: Policy, count: int, *, plain: bool = False) -> list[One]:
    """Flows, most of them near a term: ends out of its zones, a port at an edge of its ports."""
    terms = policy_terms(policy, CATALOGUE)
    edges = sorted(
        {p + off for t in terms for pair in (t.ports.ranges if t.ports else ()) for p in pair for off in (-1, 0, 1)}
    )
    ports = [port for port in (*edges, *edges, *edges, *PORTS) if 0 < port <= 65535]
    names = {zone.name: [str(net[host]) for net in zone.networks for host in range(1, 7)] for zone in policy.zones}
    everyone = [host for hosts in names.values() for host in hosts] + ["10.200.0.9", "10.1.0.2", "10.2.0.3"]
    everyone += [] if plain else ["203.0.113.9", "224.0.0.1", "fd00:3::2"]

    def end(operands: Iterable[str]) -> str:
        inside = [host for operand in operands for host in names.get(operand, ())]
        return dice.choice(inside) if inside and dice.random() < 0.8 else dice.choice(everyone)

    flows = []
    for _ in range(count):
        term = dice.choice(terms) if terms else None
        orig = end(term.source if term else ())
        resp = end(term.destination if term else ())
        if dice.random() < 0.1:
            orig, resp = resp, orig
        transport = (
            term.transport if term and term.transport != "any" and dice.random() < 0.8 else dice.choice(["tcp", "udp"])
        )
        ported = plain or dice.random() < 0.97
        kind = dice.choice(["", "", "", "control", "data"]) if ported and not plain else ""
        flow = One(orig, resp, transport, dice.choice(ports) if ported else 0, kind, ported)
        if ported and not plain and dice.random() < 0.1:
            flow = replace(flow.turned() if dice.random() < 0.5 else flow, guessed=True)
        flows.append(flow)
    return flows


def judged(policy: Policy, flows: list[One]) -> list[tuple[str, str]]:
    """Verdict and name of the deciding term of each flow, as the fast matcher has them."""
    masks = {name: np.array([flow.kind == name for flow in flows]) for name in ("control", "data")}
    verdicts = judge(table_of(flows), policy, CATALOGUE, **masks)
    names = [*(term.name for term in verdicts.terms), ""]
    words = [VERDICTS[code] for code in verdicts.verdict.tolist()]
    return list(zip(words, [names[code] for code in verdicts.term.tolist()], strict=True))


def test_a_hundred_thousand_random_flows_are_judged_as_the_plain_evaluator_judges_them() -> None:
    dice = random.Random(20260101)  # noqa: S311 - a test draws the same lot each time
    seen: Counter[str] = Counter()
    for _ in range(POLICIES):
        policy = random_policy(dice)
        flows = random_flows(dice, policy, FLOWS)
        plain = Reference(policy)
        for flow, found in zip(flows, judged(policy, flows), strict=True):
            word, term = plain.verdict(flow)
            assert found == (word, term.name if term and word != "out-of-scope" else ""), (policy, flow)
            seen[word] += 1
    assert sum(seen.values()) == POLICIES * FLOWS >= 100_000
    # The lot would prove little were it all of one kind.
    assert all(seen[word] > 500 for word in VERDICTS), seen


@pytest.fixture(scope="module")
def aerleon() -> Any:
    pytest.importorskip("aerleon", reason="aerleon is not installed")
    import logging

    from absl import logging as absl_logging

    absl_logging.set_verbosity(absl_logging.FATAL)
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_aerleon_finds_the_same_term(aerleon: Any) -> None:
    """Aerleon knows nothing of roles, sessions and scope, but which term of a list a flow meets first it knows well."""
    from aerleon.lib import aclcheck, naming
    from aerleon.lib import policy as aerleon_policy

    dice = random.Random(7)  # noqa: S311
    decided: Counter[str] = Counter()
    for _ in range(100):
        policy = random_policy(dice, single_version=True)
        terms = policy_terms(policy, CATALOGUE)
        flows = random_flows(dice, policy, 50, plain=True)
        written = Written(policy, terms, sorted({host for flow in flows for host in (flow.orig, flow.resp)}))
        if written.empty:
            continue
        definitions = naming.Naming(None)
        definitions.ParseNetworkList(written.networks)
        definitions.ParseServiceList(written.services)
        parsed = aerleon_policy.ParsePolicy(written.text, definitions)
        for flow, (word, name) in zip(flows, judged(policy, flows), strict=True):
            check = aclcheck.AclCheck(parsed, flow.orig, flow.resp, "any", str(flow.port), flow.transport)
            exact = check.ExactMatches()
            assert word == "out-of-scope" or name == (terms[int(exact[0].term[1:])].name if exact else ""), flow
            decided[word] += 1
    assert all(decided[word] > 50 for word in ("permit", "deny", "unstated")), decided


class Written:
    """A policy as Aerleon reads it. Zones are networks; ends that only hosts of a policy can tell are lists of hosts."""

    def __init__(self, policy: Policy, terms: tuple[Term, ...], hosts: list[str]) -> None:
        self.policy, self.hosts = policy, hosts
        self.networks: list[str] = []
        self.services: list[str] = []
        lines = ["header {", "  target:: speedway INPUT", "}"]
        for number, term in enumerate(terms):
            # Terms that speak of known data connections alone have no say in flows of which nothing is known.
            if term.carries == "":
                lines += self._term(number, term)
        self.empty = len(lines) == 3
        self.text = "\n".join(lines)

    def _term(self, number: int, term: Term) -> list[str]:
        transports = ["tcp", "udp"] if term.transport == "any" else [term.transport]
        lines = [f"term t{number} {{", f"  protocol:: {' '.join(transports)}"]
        for side, operands in (("source", term.source), ("destination", term.destination)):
            networks = self._networks(operands, term if side == "destination" else None)
            if networks == []:
                return []
            if networks is not None:
                self.networks += [f"N{number}{side} = {networks[0]}", *(f"  {one}" for one in networks[1:])]
                lines.append(f"  {side}-address:: N{number}{side}")
        if term.ports is not None:
            ports = [f"{low}-{high}/{way}" for low, high in term.ports.ranges for way in transports]
            self.services.append(f"S{number} = {' '.join(ports)}")
            lines.append(f"  destination-port:: S{number}")
        return [*lines, f"  action:: {'accept' if term.action == 'permit' else 'deny'}", "}"]

    def _networks(self, operands: tuple[str, ...], term: Term | None) -> list[str] | None:
        """Networks that Aerleon may read, None for any."""
        if term is not None and term.declared:
            return [f"{host}/32" for host in self.hosts if self._zone(host) in operands and self._declares(host, term)]
        if "any" in operands:
            return None
        found: list[str] = []
        for operand in operands:
            zone = next((zone for zone in self.policy.zones if zone.name == operand), None)
            if operand == "undeclared":
                found += [f"{host}/32" for host in self.hosts if not self._zone(host)]
            else:
                found += [str(network) for network in zone.networks] if zone else [str(ipaddress.ip_network(operand))]
        return found

    def _zone(self, host: str) -> str:
        zone = self.policy.zone_of(host)
        return zone.name if zone else ""

    def _declares(self, host: str, term: Term) -> bool:
        if term.declared == "ndmp_port":
            return PortSet.of([self.policy.ndmp_port_of(host)]) == term.ports
        return (self.policy.dynamic_ports_of(host) or DYNAMIC) == term.ports
