"""Facts made ready for the report: flows, verdicts and sessions in, the plain records of ``auditor.model`` out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from auditor import _native
from auditor.arrays import NDArray
from auditor.blocks import look_up, occurring, picking
from auditor.distinct import among, combination_numbers, first_of_each, tallied
from auditor.documents.yaml_tree import Place
from auditor.flows import TCP, FlowTable, time_text, transport_text
from auditor.model import (
    CaptureSummary,
    Finding,
    PolicySummary,
    RuleSummary,
    ServiceSummary,
    TermSummary,
)
from auditor.packs.model import Pack
from auditor.policy.match import VERDICTS, Verdicts
from auditor.policy.model import Network, Policy, Term
from auditor.records import record
from auditor.sessions import Grade, SessionSet
from auditor.text import path_text
from auditor.verdict import Coverage

UNKNOWN_SERVICE = "not a Backup Exec service"
"""What a row of services is called whose flows no row of the catalogue describes."""

MOST_SERVICES = 500
"""Rows of services in a report; the ones with most flows stay."""

_OUT_OF_SCOPE = VERDICTS.index("out-of-scope")
_HIGH_PORT = 1024
_SEVERAL_PORTS = 1 << 16
_HANDSHAKE = [_native.ORIGINATOR_BY.index(word) for word in ("syn", "syn-ack")]

Rows = NDArray[np.intp]


def summarise_captures(files: Sequence[_native.FileFacts]) -> tuple[CaptureSummary, ...]:
    """Return what was read of each capture, in the order in which they were read; ``packet_runs.placed`` adds the runs."""
    return tuple(
        CaptureSummary(
            path=path_text(facts.path),
            format=facts.format,
            sha256=facts.sha256,
            packets=facts.packets,
            bytes=facts.bytes,
            first=None if facts.first is None else time_text(facts.first),
            last=None if facts.last is None else time_text(facts.last),
            link_types=tuple(sorted(facts.link_types, key=lambda name: (-facts.link_types[name], name))),
            problems=dict(sorted(facts.problems.items())),
            status=facts.status,
            error=facts.error,
            snaplen=facts.snaplen,
            drops=facts.drops,
        )
        for facts in files
    )


def summarise_policy(policy: Policy, sha256: str | None = None) -> PolicySummary:
    """Return what the traffic was held against; ``sha256`` is that of the policy file."""
    ranges = {zone.name: str(zone.dynamic_ports) for zone in policy.zones if zone.dynamic_ports is not None}
    ranges |= {
        host.address: str(host.dynamic_ports) for host in policy.hosts.values() if host.dynamic_ports is not None
    }
    return PolicySummary(
        path=None if policy.path is None else path_text(policy.path),
        inferred=policy.inferred,
        generation=policy.generation,
        zones={zone.name: tuple(map(_network_text, zone.networks)) for zone in policy.zones},
        ndmp_port=policy.ndmp_port,
        dynamic_ports=ranges,
        sha256=sha256,
    )


def summarise_terms(verdicts: Verdicts, policy: Policy) -> tuple[TermSummary, ...]:
    """Return the lines of the policy in their order, each with how many flows in scope it decided."""
    zones = {zone.name: zone.place for zone in policy.zones}
    decided = verdicts.term[(verdicts.verdict != _OUT_OF_SCOPE) & (verdicts.term >= 0)]
    flows = np.bincount(decided, minlength=len(verdicts.terms))
    return tuple(
        TermSummary(term.name, term.text, term.action, term.origin, int(count), *_written(term, policy, zones))
        for term, count in zip(verdicts.terms, flows, strict=True)
    )


def _written(term: Term, policy: Policy, zones: dict[str, Place]) -> tuple[str, int]:
    """Return file and line of a term: the site's own, or those of the zone that a vendor's term speaks of."""
    if policy.path is None:
        return "", 0
    place = term.place if term.origin == "site" else zones.get(term.destination[0])
    return ("", 0) if place is None else (path_text(place.path), place.line)


def summarise_rules(pack: Pack, found: Sequence[Finding]) -> tuple[RuleSummary, ...]:
    """Return the rules that were evaluated, each with how many findings it raised."""
    raised = Counter(finding.code for finding in found)
    return tuple(
        RuleSummary(rule.code, rule.name, rule.title, rule.severity, raised[rule.code], rule.why, rule.controls)
        for rule in pack.rules
    )


def measure_coverage(table: FlowTable, verdicts: Verdicts, sessions: SessionSet, packets: int) -> Coverage:
    """Return how much there was to judge."""
    scope = verdicts.verdict != _OUT_OF_SCOPE
    vendor = np.array([service is not None and not service.platform for service in verdicts.services], np.bool_)
    judged = scope & look_up(vendor, verdicts.service)
    # Marked, not sorted: a flood has millions of ends.
    hosts = occurring(table["orig_addr"][judged], len(table.addresses))
    hosts |= occurring(table["resp_addr"][judged], len(table.addresses))
    tcp = scope & (table["transport"] == TCP)
    data = sessions.data & scope & ~table.attempts()
    return Coverage(
        judged=int(np.count_nonzero(judged)),
        control=sum(bool(scope[session.control]) for session in sessions.sessions),
        data=int(np.count_nonzero(data)),
        inferred=int(np.count_nonzero(data & ~_proved(sessions, len(table)))),
        hosts=int(np.count_nonzero(hosts)),
        packets=packets,
        flows=int(np.count_nonzero(tcp)),
        guessed=int(np.count_nonzero(tcp & ~among(table["originator_by"], _HANDSHAKE))),
    )


def _proved(sessions: SessionSet, flows: int) -> NDArray[np.bool_]:
    """Return the data connections whose tie the messages prove; shape (flows,)."""
    proved = np.zeros(flows, np.bool_)
    proved[[link.flow for one in sessions.sessions for link in one.data if link.grade is Grade.PROVED]] = True
    return proved


def summarise_services(table: FlowTable, verdicts: Verdicts) -> tuple[ServiceSummary, ...]:
    """Return flows in scope by service, transport, port, direction and verdict, in the order of the catalogue.

    Data connections, and flows of no service to ports from 1024 on, make one row whatever their ports.
    """
    groups = _Groups.of(table, verdicts, verdicts.verdict != _OUT_OF_SCOPE)
    kept = np.sort(np.argsort(-groups.flows, kind="stable")[:MOST_SERVICES])
    summaries = [(_order(verdicts, groups, int(n)), _service(table, verdicts, groups, int(n))) for n in kept]
    return tuple(summary for _, summary in sorted(summaries, key=lambda pair: pair[0]))


@record
class _Groups:
    """Flows by service, transport, port, direction and verdict: one element of each array for one group.

    ``first`` is a flow of the group; ``terms`` whether all its flows were decided by the same term.
    """

    first: Rows
    flows: NDArray[np.int64]
    packets: NDArray[np.int64]
    bytes: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    one_term: NDArray[np.bool_]

    @classmethod
    def of(cls, table: FlowTable, verdicts: Verdicts, scope: NDArray[np.bool_]) -> _Groups:
        """Group the flows of a mask."""
        rows = picking(scope)
        ports = table["resp_port"][rows]
        numbers, count = _group_numbers(table, verdicts, rows, ports)
        # As wide as an index and as the bounds: of types that differ NumPy makes the same in twenty times the time.
        group, wide = numbers.astype(np.intp), ports.astype(np.int64)
        first = first_of_each(group, count)
        low, high = np.full(count, _SEVERAL_PORTS), np.zeros(count, np.int64)
        np.minimum.at(low, group, wide)
        np.maximum.at(high, group, wide)
        terms = verdicts.term[rows]
        one_term = np.ones(count, np.bool_)
        one_term[group[terms != look_up(terms[first], numbers)]] = False
        return cls(
            first=np.flatnonzero(scope)[first],
            flows=tallied(group, count),
            packets=_sums(group, count, table["orig_packets"][rows] + table["resp_packets"][rows]),
            bytes=_sums(group, count, table["orig_bytes"][rows] + table["resp_bytes"][rows]),
            low=low,
            high=high,
            one_term=one_term,
        )


def _group_numbers(
    table: FlowTable, verdicts: Verdicts, rows: Rows | slice, ports: NDArray[np.uint16]
) -> tuple[NDArray[Any], int]:
    """Return the number of each flow's row of services, and how many of these there are."""
    service = verdicts.service[rows]
    dynamic = np.array([s is not None and s.ports_from == "dynamic_ports" for s in verdicts.services], np.bool_)
    merged = look_up(dynamic, service) | ((service == 0) & (ports >= _HIGH_PORT))
    columns = (
        service,
        verdicts.orig_zone[rows],
        verdicts.resp_zone[rows],
        table["transport"][rows],
        verdicts.verdict[rows],
        np.where(merged, np.uint32(_SEVERAL_PORTS), ports),
    )
    return combination_numbers(columns, len(ports))


def _sums(group: Rows, count: int, column: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return sums by group."""
    sums = np.zeros(count, np.uint64)
    np.add.at(sums, group, column)
    return sums.astype(np.int64)


def _order(verdicts: Verdicts, groups: _Groups, n: int) -> tuple[int, ...]:
    """Return what puts services in the order of the catalogue, those of no service last."""
    row = int(groups.first[n])
    service = int(verdicts.service[row])
    return (service == 0, service, int(groups.low[n]), -int(groups.flows[n]), n)


def _service(table: FlowTable, verdicts: Verdicts, groups: _Groups, n: int) -> ServiceSummary:
    row = int(groups.first[n])
    service = verdicts.services[int(verdicts.service[row])]
    source, destination = (verdicts.zones[int(zones[row])] for zones in (verdicts.orig_zone, verdicts.resp_zone))
    term = int(verdicts.term[row])
    low, high = int(groups.low[n]), int(groups.high[n])
    role = verdicts.roles[int(verdicts.resp_role[row])]
    return ServiceSummary(
        service=UNKNOWN_SERVICE if service is None else service.name_at(role),
        # Where the row has another name for a role, another program than the row's listens there.
        process="" if service is None or role in service.names else service.process,
        transport=transport_text(int(table["transport"][row])),
        port=str(low) if low == high else f"{low}-{high}",
        direction=f"{source} → {destination}",
        flows=int(groups.flows[n]),
        packets=int(groups.packets[n]),
        bytes=int(groups.bytes[n]),
        verdict=VERDICTS[int(verdicts.verdict[row])],
        term=verdicts.terms[term].name if term >= 0 and groups.one_term[n] else "",
        note=verdicts.doubts[int(verdicts.doubt[row])],
        originator_zone=source,
        responder_zone=destination,
    )


def _network_text(network: Network) -> str:
    return str(network.network_address) if network.num_addresses == 1 else str(network)
