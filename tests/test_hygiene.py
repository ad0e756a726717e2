"""Hygiene of policies: shadowed terms against a plain walk through all flows, ranges and absences against reading by eye."""

from __future__ import annotations

import ipaddress
import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import auditor
from auditor.documents.yaml_tree import Place
from auditor.notation import parse
from auditor.policy.model import Policy, Term, Zone
from auditor.policy.shadow import shadowing
from auditor.ports import PortSet
from auditor.tables.expected import _codes
from tests.support import ROOT

PLACE = Place("policy.yaml", 1)
HOSTS = ["10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.1.0"]
ZONES = {"left": ["10.0.0.0", "10.0.0.1"], "right": ["10.0.0.2", "10.0.0.3"]}
WORDS = ["any", "left", "right", "10.0.0.1", "10.0.0.0/31", "10.0.0.0/30", "undeclared"]


def policy() -> Policy:
    return Policy(
        None,
        zones=tuple(
            Zone(name, "other", tuple(ipaddress.ip_network(host) for host in hosts), None, None, PLACE)
            for name, hosts in ZONES.items()
        ),
    )


def meant(word: str) -> set[str]:
    """Return the hosts that a word means, one by one."""
    if word == "any":
        return set(HOSTS)
    if word == "undeclared":
        return {"10.0.1.0"}
    if word in ZONES:
        return set(ZONES[word])
    return {host for host in HOSTS if ipaddress.ip_address(host) in ipaddress.ip_network(word)}


ENDS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=2).map(tuple)
PORTS = st.none() | st.tuples(st.integers(1, 4), st.integers(0, 3)).map(lambda p: PortSet.of([(p[0], p[0] + p[1])]))
TERMS = st.lists(
    st.builds(
        Term,
        name=st.just("t"),
        action=st.sampled_from(["permit", "deny"]),
        source=ENDS,
        destination=ENDS,
        transport=st.sampled_from(["tcp", "udp", "any"]),
        ports=PORTS,
        service=st.just(""),
        doubt=st.just(""),
        origin=st.just("site"),
        place=st.just(PLACE),
    ),
    max_size=5,
)


def matches(term: Term, source: str, destination: str, transport: str, port: int) -> bool:
    return (
        any(source in meant(word) for word in term.source)
        and any(destination in meant(word) for word in term.destination)
        and term.transport in ("any", transport)
        and (term.ports is None or port in term.ports)
    )


@given(TERMS)
@settings(max_examples=60, deadline=None)
def test_a_shadowed_term_decides_no_flow_at_all(terms: list[Term]) -> None:
    found = shadowing(terms, policy())
    flows = list(itertools.product(HOSTS, HOSTS, ("tcp", "udp"), range(1, 9)))
    for number, (term, earlier) in enumerate(zip(terms, found, strict=True)):
        if earlier is None:
            continue
        assert any(earlier is one for one in terms[:number])
        for flow in flows:
            assert not matches(term, *flow) or matches(earlier, *flow)


def codes(tmp_path: Path, text: str) -> dict[str, list[str]]:
    """Return the findings on a real capture under a policy: code and message."""
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    report = auditor.audit([ROOT / "captures" / "compliant" / "compliant.pcap"], policy_path=path)
    found: dict[str, list[str]] = {}
    for finding in report.findings:
        found.setdefault(finding.code, []).append(finding.message)
    return found


AGENTS = "agents: {hosts: [10.77.0.21, 10.77.0.22, 10.77.0.23], dynamic_ports: 50100-50124}"


def test_a_sound_policy_has_nothing_to_tidy_up(tmp_path: Path) -> None:
    found = codes(tmp_path, f"zones:\n  media-servers: [10.77.0.10]\n  {AGENTS}\n")
    assert not [code for code in found if code.startswith("BX7")]


@pytest.mark.parametrize(
    ("zones", "terms", "code", "message"),
    [
        ("media-servers: [10.77.0.10]\n  agents: [10.77.0.21]", "", "BX704", "No zone and no host of the policy"),
        (
            f"media-servers: {{hosts: [10.77.0.10], dynamic_ports: 50124-50150}}\n  {AGENTS}",
            "",
            "BX703",
            "The dynamic range 50100-50124 of agents shares ports with that of media-servers 50124-50150.",
        ),
        (
            f"media-servers: [10.77.0.10]\n  {AGENTS.replace('50124', '50109')}",
            "",
            "BX705",
            "The dynamic range 50100-50109 of agents has 10 ports; the vendor advises 25 for the remote computers.",
        ),
        (
            f"media-servers: [10.77.0.10]\n  {AGENTS}\n  desktops: [10.77.0.99]",
            "terms:\n  - {name: old, action: permit, source: desktops, destination: agents, transport: tcp, ports: 3389}",
            "BX701",
            "Term old (permit tcp desktops > agents: 3389) let nothing through in this capture.",
        ),
        (
            f"media-servers: [10.77.0.10, 10.77.0.11]\n  {AGENTS}",
            "",
            "BX051",
            "10.77.0.11 of media-servers was not seen in this capture.",
        ),
    ],
)
def test_what_a_policy_has_to_tidy_up(tmp_path: Path, zones: str, terms: str, code: str, message: str) -> None:
    found = codes(tmp_path, f"zones:\n  {zones}\n{terms}\n")
    assert any(text.startswith(message) for text in found[code])


def test_declared_addresses_are_found_among_all_that_were_seen() -> None:
    table = parse(
        "10.0.0.1:1 > 10.0.0.2:2 tcp\n[2001:db8::1]:1 > [2001:db8:1::1]:2 tcp\n[::ffff:0:10.0.0.3]:1 > 10.0.0.9:2 tcp"
    ).table
    found = _codes(table, ["10.0.0.1", "10.0.0.3", "2001:db8:1::1", "2001:db8:2::1"])
    assert {name: table.address_text(code) for name, code in found.items()} == {
        "10.0.0.1": "10.0.0.1",
        "2001:db8:1::1": "2001:db8:1::1",
    }
