"""Hosts that take part in Backup Exec traffic: where each belongs, which processes it runs, and how that is known.

Roles are read from what a host did, never from its zone: who answered NDMP runs an NDMP server, who accepted a
connection on a service's port runs that service.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

import numpy as np

from auditor.flows import FlowTable
from auditor.model import HostSummary
from auditor.policy.match import VERDICTS, Verdicts
from auditor.policy.model import Policy
from auditor.policy.outcome import OUTCOMES
from auditor.sessions import SessionSet
from auditor.text import counted

MEDIA_SERVER = "media server"
NDMP_CLIENT = "NDMP client"
NDMP_SERVER = "NDMP server"
AGENT_PROCESS = "beremote.exe"
"""Names of process roles that no row of the catalogue gives."""

MOST_HOSTS = 1000
"""Hosts in a report; those that did most come first."""

_OUT_OF_SCOPE = VERDICTS.index("out-of-scope")
_ESTABLISHED = OUTCOMES.index("established")


@dataclass(slots=True)
class _Host:
    """What is known of one address so far; ``roles`` maps a process role to its reasons."""

    roles: dict[str, list[str]] = field(default_factory=dict)
    flows: int = 0

    def plays(self, role: str, reason: str) -> None:
        self.roles.setdefault(role, []).append(reason)


def summarise_hosts(
    table: FlowTable, verdicts: Verdicts, sessions: SessionSet, policy: Policy
) -> tuple[HostSummary, ...]:
    """Return the hosts that are an end of a flow in scope, in the order of the policy's zones, then by address."""
    hosts = _taking_part(table, verdicts)
    _add_controls(hosts, table, sessions, policy)
    _add_listeners(hosts, table, verdicts, sessions)
    order = {zone.name: position for position, zone in enumerate(policy.zones)}
    summaries = [_summary(table, code, host, policy) for code, host in hosts.items()]
    return tuple(
        sorted(summaries, key=lambda host: (order.get(host.zone, len(order)), _sort_key(host.address)))
    )


def _taking_part(table: FlowTable, verdicts: Verdicts) -> dict[int, _Host]:
    """Return the hosts with the most flows in scope, by address code."""
    scope = verdicts.verdict != _OUT_OF_SCOPE
    ends = np.concatenate([table["orig_addr"][scope], table["resp_addr"][scope]])
    codes, flows = np.unique(ends, return_counts=True)
    kept = np.argsort(-flows, kind="stable")[:MOST_HOSTS]
    return {int(codes[n]): _Host(flows=int(flows[n])) for n in kept}


def _add_controls(hosts: dict[int, _Host], table: FlowTable, sessions: SessionSet, policy: Policy) -> None:
    """Add the roles at the two ends of control connections that came about."""
    answered: dict[tuple[int, int], list[int]] = {}
    opened: dict[tuple[int, int], list[int]] = {}
    trusted: set[int] = set()
    for session in sessions.sessions:
        row = session.control
        responder, port = int(table["resp_addr"][row]), int(table["resp_port"][row])
        originator = int(table["orig_addr"][row])
        answered.setdefault((responder, port), []).append(row)
        opened.setdefault((originator, port), []).append(row)
        if session.data or any(login.accepted for login in session.authentications):
            trusted.add(originator)
    for (code, port), rows in answered.items():
        zone = policy.zone_of(table.address(code))
        role = NDMP_SERVER if zone is not None and zone.role == "filers" else AGENT_PROCESS
        _note(hosts, code, role, f"answered {_connections(rows)} on port {port} ({_packet(table, rows[0])})")
    for (code, port), rows in opened.items():
        zone = policy.zone_of(table.address(code))
        role = MEDIA_SERVER if zone is not None and zone.role == "media-servers" else NDMP_CLIENT
        reason = f"opened {_connections(rows)} to port {port} ({_packet(table, rows[0])})"
        if role == NDMP_CLIENT and code not in trusted:
            reason += ", none of them accepted"
        _note(hosts, code, role, reason)


def _add_listeners(hosts: dict[int, _Host], table: FlowTable, verdicts: Verdicts, sessions: SessionSet) -> None:
    """Add the processes of services on whose ports connections were accepted."""
    rows = np.flatnonzero(
        (verdicts.verdict != _OUT_OF_SCOPE)
        & (verdicts.outcome == _ESTABLISHED)
        & (verdicts.service > 0)
        & ~sessions.control
        & ~sessions.data
    )
    keys = np.stack(
        [table["resp_addr"][rows].astype(np.int64), verdicts.service[rows].astype(np.int64), table["resp_port"][rows]]
    )
    groups, first, counts = np.unique(keys, axis=1, return_index=True, return_counts=True)
    for position in np.argsort(first, kind="stable"):
        code, service_index, port = (int(value) for value in groups[:, position])
        service = verdicts.services[service_index]
        if service is None or not service.process:
            continue
        row = int(rows[first[position]])
        verb, noun = ("accepted", "connection") if table["transport"][row] == 6 else ("received", "exchange")
        reason = f"{verb} {counted(int(counts[position]), noun)} on port {port} ({_packet(table, row)})"
        _note(hosts, code, service.process, reason)


def _note(hosts: dict[int, _Host], code: int, role: str, reason: str) -> None:
    if code in hosts:
        hosts[code].plays(role, reason)


def _connections(rows: list[int]) -> str:
    return counted(len(rows), "NDMP control connection")


def _packet(table: FlowTable, row: int) -> str:
    """Return where to look: the first packet of a flow, with its file where there are several."""
    packet = f"packet {int(table['first_packet'][row])}"
    file = int(table["first_file"][row])
    return packet if len(table.files) < 2 else f"{packet} of {table.file_text(file)}"


def _summary(table: FlowTable, code: int, host: _Host, policy: Policy) -> HostSummary:
    address = table.address_text(code)
    zone = policy.zone_of(table.address(code))
    because = [f"{role}: {reason}" for role, reasons in host.roles.items() for reason in reasons]
    if policy.inferred and zone is not None:
        because += [f"{zone.name}: {reason}" for reason in policy.because.get(address, ())]
    if not because:
        because = [f"an end of {counted(host.flows, 'flow')} in scope"]
    return HostSummary(
        address=address,
        zone=zone.name if zone is not None else "undeclared",
        process_roles=tuple(host.roles),
        because=tuple(because),
        name=policy.name_of(table.address(code)),
    )


def _sort_key(address: str) -> tuple[bool, bytes]:
    """Return what sorts IPv4 before IPv6, each by value."""
    parsed = ipaddress.ip_address(address)
    return parsed.version == 6, parsed.packed
