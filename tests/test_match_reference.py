"""The fast matcher against a slow and obvious one: a loop over terms for one flow at a time."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.documents.yaml_tree import Place
from auditor.flows import ORIGINATOR_BY, FlowTable
from auditor.policy.match import MISFITS, VERDICTS, judge
from auditor.policy.model import Host, Policy, Term, Zone
from auditor.policy.terms import policy_terms
from auditor.ports import DYNAMIC, PortSet
from auditor.services import INFRASTRUCTURE_ROLES, ROLES, Service, load_catalogue

CATALOGUE = load_catalogue()
HERE = Place("test", 1)
PORTS = [22, 25, 53, 88, 135, 136, 139, 162, 441, 445, 1030, 1039, 1040, 1125, 1434, 3106, 3389, 3527, 3999, 5633, 6101,
         6102, 6103, 6106, 9999, 10000, 10001, 50099, 50100, 50124, 50125, 65535, 0, 1023, 1024]  # fmt: skip
PER_ZONE = 4


@dataclass(frozen=True)
class One:
    """One flow: addresses as text, transport as a word, what it is known to carry. Without ``ported``, the capture shows no
    port of either end; where ``guessed``, its beginning was not captured and who opened it is a guess."""

    orig: str
    resp: str
    transport: str
    port: int
    kind: str
    ported: bool = True
    own_port: int = 40000
    guessed: bool = False

    def turned(self) -> One:
        """The same, opened by the other end."""
        return replace(self, orig=self.resp, resp=self.orig, port=self.own_port, own_port=self.port)


def address(zone: int, host: int) -> str:
    return f"10.{zone}.0.{host}" if zone % 2 else f"fd00:{zone:x}::{host:x}"


def network(zone: int) -> str:
    return f"10.{zone}.0.0/24" if zone % 2 else f"fd00:{zone:x}::/64"


ADDRESSES = [address(zone, host) for zone in range(1, 7) for host in range(1, PER_ZONE)] + ["203.0.113.9", "224.0.0.1"]
RANGES = st.sampled_from([None, PortSet.of([(50100, 50124)]), PortSet.of([(50100, 50149)]), DYNAMIC])
NDMP_PORTS = st.sampled_from([None, 9999, 10000, 10001])


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    chosen = draw(st.lists(st.sampled_from([*ROLES, "other"]), min_size=1, max_size=5))
    zones = tuple(
        Zone(f"zone-{n}", role, (ipaddress.ip_network(network(n)),), draw(RANGES), draw(NDMP_PORTS), HERE)
        for n, role in enumerate(chosen, 1)
    )
    named = draw(st.lists(st.sampled_from([address(n, 1) for n in range(1, len(zones) + 1)]), max_size=2, unique=True))
    hosts = {text: Host(text, "", draw(RANGES), draw(NDMP_PORTS), HERE) for text in named}
    ends = st.lists(
        st.sampled_from(["any", "undeclared", *(zone.name for zone in zones), "10.1.0.0/30", "fd00:2::2"]),
        min_size=1, max_size=2,
    ).map(tuple)  # fmt: skip
    site = tuple(
        Term(f"site-{n}", draw(st.sampled_from(["permit", "deny"])), draw(ends), draw(ends),
             draw(st.sampled_from(["tcp", "udp", "any"])),
             draw(st.sampled_from([None, PortSet.of([3389]), PortSet.of([(1, 9999)])])), "", "", "site", HERE)
        for n in range(draw(st.integers(0, 2)))
    )  # fmt: skip
    return Policy(
        "test", zones=zones, hosts=hosts, ndmp_port=draw(st.sampled_from([10000, 10001])), site_terms=site,
        data_direction=draw(st.sampled_from(["either", "media-to-agent", "agent-to-media"])),
    )  # fmt: skip


@st.composite
def cases(draw: st.DrawFn) -> tuple[Policy, list[One]]:
    """A policy, and flows most of which are near one of its terms: random ones would hardly ever match any."""
    policy = draw(policies())
    terms = policy_terms(policy, CATALOGUE)
    strategies = [st.builds(One, ANY_ADDRESS, ANY_ADDRESS, TRANSPORTS, st.sampled_from(PORTS), KINDS)]
    if terms:
        near = st.sampled_from(terms).flatmap(lambda term: flows_near(policy, term))
        strategies += [near, near, near]
    return policy, draw(st.lists(st.one_of(strategies), min_size=1, max_size=25))


ANY_ADDRESS = st.sampled_from(ADDRESSES)
TRANSPORTS = st.sampled_from(["tcp", "udp", "icmp"])
KINDS = st.sampled_from(["", "", "control", "data"])


def flows_near(policy: Policy, term: Term) -> st.SearchStrategy[One]:
    """Flows that match a term, with at most a few things changed."""

    def end(operands: tuple[str, ...]) -> st.SearchStrategy[str]:
        inside = [text for text in ADDRESSES if Reference(policy).is_end(text, operands)]
        return st.one_of(st.sampled_from(inside), st.sampled_from(inside), ANY_ADDRESS) if inside else ANY_ADDRESS

    edges = {
        min(max(port + off, 0), 65535)
        for pair in (term.ports.ranges if term.ports else ())
        for port in pair
        for off in (-1, 0, 1)
    }
    transport = st.just(term.transport) if term.transport != "any" else TRANSPORTS
    service = CATALOGUE.get(term.service)
    kind = service.family if service and service.family in ("control", "data") else ""
    flow = st.builds(
        One, end(term.source), end(term.destination), st.one_of(transport, transport, TRANSPORTS),
        st.sampled_from(sorted(edges) or PORTS), st.one_of(st.just(kind), KINDS),
    )  # fmt: skip
    turned = flow.map(lambda one: One(one.resp, one.orig, one.transport, one.port, one.kind))
    guessed = st.one_of(flow.map(One.turned), flow).map(lambda one: replace(one, guessed=True))
    return st.one_of(flow, flow, turned, guessed, flow.map(lambda one: replace(one, port=0, kind="", ported=False)))


class Reference:
    """Judges one flow by reading the rules of docs/policy.md aloud."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.terms = policy_terms(policy, CATALOGUE)
        # Asked again and again of the same few hosts.
        self.role = cache(self.role)  # type: ignore[method-assign]
        self.is_end = cache(self.is_end)  # type: ignore[method-assign]
        self.declared = cache(self.declared)  # type: ignore[method-assign]

    def role(self, text: str) -> str:
        if ipaddress.ip_address(text).is_multicast:
            return "multicast"
        zone = self.policy.zone_of(text)
        return zone.role if zone else "undeclared"

    def is_end(self, text: str, operands: tuple[str, ...]) -> bool:
        zone = self.policy.zone_of(text)
        for operand in operands:
            if operand == "any" or (zone and operand == zone.name):
                return True
            if operand == "undeclared" and self.role(text) == "undeclared":
                return True
            if operand[0].isdigit() or ":" in operand:
                net = ipaddress.ip_network(operand)
                if net.version == ipaddress.ip_address(text).version and ipaddress.ip_address(text) in net:
                    return True
        return False

    def declared(self, setting: str, text: str) -> PortSet:
        if setting == "ndmp_port":
            return PortSet.of([self.policy.ndmp_port_of(text)])
        return self.policy.dynamic_ports_of(text) or DYNAMIC

    def applies(self, term: Term, flow: One) -> bool:
        if term.origin == "site":
            return True
        if flow.kind == "":
            return term.carries == ""
        service = CATALOGUE.get(term.service)
        return service is not None and service.family == flow.kind

    def right_transport(self, term: Term, flow: One) -> bool:
        return flow.transport in (("tcp", "udp") if term.transport == "any" else (term.transport,))

    def declares(self, term: Term, flow: One) -> bool:
        return not term.declared or self.declared(term.declared, flow.resp) == term.ports

    def reversed(self, term: Term, flow: One) -> bool:
        return self.is_end(flow.resp, term.source) and self.is_end(flow.orig, term.destination)

    def parts(self, term: Term, flow: One) -> dict[str, bool]:
        return {
            "applies": self.applies(term, flow),
            "declares": self.declares(term, flow),
            "source": self.is_end(flow.orig, term.source),
            "destination": self.is_end(flow.resp, term.destination),
            "reversed": self.reversed(term, flow),
            "transport": self.right_transport(term, flow),
            "port": term.ports is None or flow.port in term.ports,
        }

    def matches(self, term: Term, flow: One) -> bool:
        return (
            (term.ports is None or flow.port in term.ports)
            and self.right_transport(term, flow)
            and self.applies(term, flow)
            and self.is_end(flow.orig, term.source)
            and self.is_end(flow.resp, term.destination)
            and self.declares(term, flow)
        )

    def deciding(self, flow: One) -> Term | None:
        return next((term for term in self.terms if self.matches(term, flow)), None)

    def verdict(self, flow: One) -> tuple[str, Term | None]:
        """The verdict and the deciding term; where no port is known, only what holds for every port, either way round."""
        if flow.ported or flow.transport == "icmp":
            term = self.deciding(flow)
            said = self.said(flow, term)
            if said == "unstated" and flow.guessed and flow.transport == "tcp" and flow.kind != "control":
                back = flow.turned()
                said = "undetermined" if self.said(back, self.deciding(back)) == "permit" else said
            return said, term
        could: list[Term | None] = []
        for term in self.terms:
            there = self.is_end(flow.orig, term.source) and self.is_end(flow.resp, term.destination)
            back = self.reversed(term, flow)
            if not self.right_transport(term, flow) or not (there or back):
                continue
            could.append(term)
            if there and back and term.ports is None:
                break
        else:
            could.append(None)
        site = next((term for term in could if term is not None and term.origin == "site"), None)
        if not self.in_scope(flow, site):
            return "out-of-scope", None
        words = {term.action if term else "unstated" for term in could}
        if len(words) > 1:
            return "undetermined", None
        return words.pop(), could[-1]

    def said(self, flow: One, term: Term | None) -> str:
        if not self.in_scope(flow, term):
            return "out-of-scope"
        return term.action if term else "unstated"

    def serves(self, service: Service, flow: One) -> bool:
        """Whether the responder's role is one that listens for a service on this port."""
        fixed = {"smtp_ports": self.policy.smtp_ports, "snmp_ports": self.policy.snmp_ports}
        ports = fixed.get(service.ports_from, service.ports)
        if service.ports_from == "ndmp_port":
            ports = PortSet.of([self.policy.ndmp_port_of(flow.resp)])
        uses = [(service.transport, service.listener), *((v.transport, v.listener) for v in service.also)]
        return (
            not service.platform
            and service.ports_from != "dynamic_ports"
            and flow.port in ports
            and any(t in (flow.transport, "any") and self.role(flow.resp) in listener for t, listener in uses)
        )

    def in_scope(self, flow: One, term: Term | None) -> bool:
        if flow.transport not in ("tcp", "udp"):
            return False
        ends = {self.role(flow.orig), self.role(flow.resp)}
        if term is not None and term.origin == "site" and ends - {"undeclared", "multicast"}:
            return True
        if "multicast" in ends:
            return False
        estate = set(ROLES) - set(INFRASTRUCTURE_ROLES)
        if ends & estate:
            return True
        asked = flow.kind != "" or any(self.serves(service, flow) for service in CATALOGUE.judged())
        return self.role(flow.resp) in INFRASTRUCTURE_ROLES and asked

    def nearest(self, flow: One) -> tuple[str, str]:
        order = ("port", "transport", "direction", "zone") if flow.kind else ("transport", "direction", "zone", "port")
        for misfit in order:
            for term in self.terms:
                if term.action == "permit" and self.misses_only(term, flow, misfit):
                    return term.name, misfit
        return "", ""

    def misses_only(self, term: Term, flow: One, misfit: str) -> bool:
        has = self.parts(term, flow)
        ends = has["source"] and has["destination"]
        if misfit == "direction":
            port = has["port"] or flow.kind == "data"
            return has["applies"] and has["reversed"] and not ends and has["transport"] and port
        if not (has["applies"] and has["declares"]):
            return False
        if misfit == "zone":
            return has["source"] != has["destination"] and has["transport"] and has["port"]
        other = "transport" if misfit == "port" else "port"
        return ends and has[other] and not has[misfit]


def table_of(flows: list[One]) -> FlowTable:
    texts = sorted({text for flow in flows for text in (flow.orig, flow.resp)})
    parsed = [ipaddress.ip_address(text) for text in texts]
    packed = b"".join(a.packed if a.version == 6 else bytes(10) + b"\xff\xff" + a.packed for a in parsed)
    columns = {
        "transport": np.array([{"tcp": 6, "udp": 17, "icmp": 1}[flow.transport] for flow in flows]),
        "orig_addr": np.array([texts.index(flow.orig) for flow in flows]),
        "resp_addr": np.array([texts.index(flow.resp) for flow in flows]),
        "orig_port": np.array([flow.own_port * flow.ported for flow in flows]),
        "resp_port": np.array([flow.port for flow in flows]),
        "originator_by": np.array([ORIGINATOR_BY.index("guess" if flow.guessed else "syn") for flow in flows]),
    }
    return FlowTable.from_columns(columns, np.frombuffer(packed, np.uint8).reshape(-1, 16))


@settings(max_examples=60, deadline=None)
@given(cases())
def test_the_fast_matcher_equals_the_obvious_one(case: tuple[Policy, list[One]]) -> None:
    policy, flows = case
    table = table_of(flows)
    masks = {name: np.array([flow.kind == name for flow in flows]) for name in ("control", "data")}
    verdicts = judge(table, policy, CATALOGUE, **masks)
    reference = Reference(policy)
    for row, flow in enumerate(flows):
        expected, term = reference.verdict(flow)
        scope = expected != "out-of-scope"
        found = int(verdicts.term[row])
        assert VERDICTS[verdicts.verdict[row]] == expected, flow
        assert (verdicts.terms[found].name if found >= 0 else None) == (term.name if scope and term else None), flow
        assert verdicts.roles[verdicts.orig_role[row]] == reference.role(flow.orig)
        service = verdicts.services[verdicts.service[row]]
        nearest = int(verdicts.nearest[row])
        name = verdicts.terms[nearest].name if nearest >= 0 else ""
        if expected == "unstated" and not (service and service.platform):
            assert (name, MISFITS[verdicts.nearest_misfit[row]]) == reference.nearest(flow), flow
        else:
            assert (name, verdicts.nearest_misfit[row]) == ("", 0)


@settings(max_examples=20, deadline=None)
@given(cases())
def test_a_verdict_does_not_depend_on_the_other_flows(case: tuple[Policy, list[One]]) -> None:
    policy, flows = case
    masks = {name: np.array([flow.kind == name for flow in flows]) for name in ("control", "data")}
    together = judge(table_of(flows), policy, CATALOGUE, **masks)
    row = len(flows) // 2
    alone = judge(
        table_of([flows[row]]), policy, CATALOGUE, **{name: mask[row : row + 1] for name, mask in masks.items()}
    )
    assert together.verdict[row] == alone.verdict[0]
    assert together.term[row] == alone.term[0]
    assert together.services[together.service[row]] == alone.services[alone.service[0]]
    assert together.doubts[together.doubt[row]] == alone.doubts[alone.doubt[0]]
