"""Hosts that take part in Backup Exec traffic: where each belongs, which processes it runs, and how that is known.

Roles are read from what a host did, never from its zone: who answered NDMP runs an NDMP server, who accepted a
connection on a service's port runs that service.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

import numpy as np

from auditor.arrays import NDArray
from auditor.blocks import look_up, picking
from auditor.distinct import distinct, first_of_each, grouped, narrowest, tallied, with_ports
from auditor.flows import TCP, FlowTable, transport_text
from auditor.listeners import Listing
from auditor.model import HostSummary
from auditor.policy.match import VERDICTS, Verdicts
from auditor.policy.model import Address, Policy, normalised
from auditor.policy.outcome import OUTCOMES
from auditor.records import draft, field, replace
from auditor.services import load_catalogue
from auditor.sessions import SessionSet
from auditor.sessions.load import IDLE, HostLoad, host_loads
from auditor.sessions.measure import Measured
from auditor.tables.listeners import listener_rows
from auditor.text import counted, joined, number
from auditor.traffic_names import TrafficNames

MEDIA_SERVER = "media server"
NDMP_CLIENT = "NDMP client"
NDMP_SERVER = "NDMP server"
AGENT_PROCESS = "beremote.exe"
"""Names of process roles that no row of the catalogue gives."""

MOST_HOSTS = 1000
"""Hosts in a report; those that did most come first."""

_PORTS = 5
"""Ports that a reason names one by one."""

_OUT_OF_SCOPE = VERDICTS.index("out-of-scope")
_ESTABLISHED = OUTCOMES.index("established")


@draft
class _Host:
    """What is known of one address so far: its process roles, and the reasons for them and for what else it is."""

    roles: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    proved: list[str] = field(default_factory=list)

    def plays(self, label: str, reason: str, *, process: bool = True) -> None:
        """Take note of what the host does; ``label`` is a process role unless ``process`` is false."""
        if process and label not in self.roles:
            self.roles.append(label)
        self.reasons.append(f"{label}: {reason}")

    def runs(self, label: str, reason: str) -> None:
        """Take note of a process that the host itself lists."""
        if label not in self.roles:
            self.roles.append(label)
        if label not in self.proved:
            self.proved.append(label)
        self.reasons.append(f"{label} (proved): {reason}")


def summarise_hosts(
    table: FlowTable,
    verdicts: Verdicts,
    sessions: SessionSet,
    measured: Iterable[Sequence[Measured]],
    policy: Policy,
    names: TrafficNames | None = None,
    listings: Sequence[Listing] = (),
) -> tuple[HostSummary, ...]:
    """Return the hosts that are an end of a flow in scope or have a listing, in the order of the policy's zones, then by
    address.

    ``measured`` holds the operations of each session, in the order of ``sessions``. What ``listings`` say of a host proves its process roles; all else is inferred.
    """
    hosts = _taking_part(table, verdicts)
    listed = _listed(policy, listings)
    for code, host in hosts.items() if listed else ():
        for each in listed.pop(table.address_text(code), ()):
            host.runs(*each)
    _add_controls(hosts, table, sessions, policy)
    _add_listeners(hosts, table, verdicts, sessions)
    _add_others(hosts, table, verdicts)
    order = {zone.name: position for position, zone in enumerate(policy.zones)}
    loads = host_loads(table, sessions.sessions, measured)
    told = names or TrafficNames()
    summaries = [
        replace(_summary(table.address(code), host, policy, loads.get(code, IDLE)), names=told.of(code))
        for code, host in hosts.items()
    ]
    summaries += [_silent(address, runs, policy) for address, runs in listed.items()]
    return tuple(sorted(summaries, key=lambda host: (order.get(host.zone, len(order)), _sort_key(host.address))))


def _taking_part(table: FlowTable, verdicts: Verdicts) -> dict[int, _Host]:
    """Return the hosts with the most flows in scope, by address code."""
    scope = verdicts.verdict != _OUT_OF_SCOPE
    rows, size = picking(scope), len(table.addresses)
    flows = tallied(table["orig_addr"][rows], size) + tallied(table["resp_addr"][rows], size)
    kept = np.argsort(-flows, kind="stable")[:MOST_HOSTS]
    return {int(code): _Host() for code in kept if flows[code]}


def _listed(policy: Policy, listings: Sequence[Listing]) -> dict[str, list[tuple[str, str]]]:
    """Return the processes that hosts list as owners of the vendor's ports, each with the reason, by address."""
    found: dict[str, list[tuple[str, str]]] = {listing.host: [] for listing in listings}
    told: set[tuple[str, str, str, int]] = set()
    for row in listener_rows(listings, policy, load_catalogue(policy.generation)) if listings else ():
        if row.listener is None or row.service is None or not row.right_program:
            continue
        one = row.listener
        key = (row.listing.host, row.service.process, one.transport, one.port)
        if key in told:  # once for IPv4 and once for IPv6
            continue
        told.add(key)
        where = {"all": "all addresses", "loopback": "loopback only"}.get(one.bound, one.address)
        reason = f"{one.program} listens on {one.transport} {one.port}, {where} ({row.listing.path}, line {one.line})"
        found[row.listing.host].append((row.service.process, reason))
    return found


def _silent(address: str, runs: Iterable[tuple[str, str]], policy: Policy) -> HostSummary:
    """Return a host of which a listing tells and the captures do not."""
    host = _Host()
    for each in runs:
        host.runs(*each)
    host.reasons.append("no traffic that concerns the audit was seen of it")
    return _summary(normalised(address), host, policy, IDLE)


def _add_controls(hosts: dict[int, _Host], table: FlowTable, sessions: SessionSet, policy: Policy) -> None:
    """Add the roles at the two ends of control connections that came about."""
    answered: dict[tuple[int, int], list[int]] = {}
    opened: dict[tuple[int, int], list[int]] = {}
    accepted: dict[int, int] = {}
    for session in sessions.sessions:
        row = session.control
        responder, port = int(table["resp_addr"][row]), int(table["resp_port"][row])
        originator = int(table["orig_addr"][row])
        answered.setdefault((responder, port), []).append(row)
        opened.setdefault((originator, port), []).append(row)
        if any(login.accepted for login in session.authentications):
            accepted[originator] = accepted.get(originator, 0) + 1
    for (code, port), rows in answered.items():
        zone = policy.zone_of(table.address(code))
        role = NDMP_SERVER if zone is not None and zone.role == "filers" else AGENT_PROCESS
        if code in hosts:
            hosts[code].plays(role, f"answered {_connections(rows)} on port {port} ({_packet(table, rows[0])})")
    for (code, port), rows in opened.items():
        zone = policy.zone_of(table.address(code))
        role = MEDIA_SERVER if zone is not None and zone.role == "media-servers" else NDMP_CLIENT
        reason = f"opened {_connections(rows)} to port {port} ({_packet(table, rows[0])})"
        if role == NDMP_CLIENT:
            reason += f", with {counted(accepted.get(code, 0), 'accepted login')}"
        if code in hosts:
            hosts[code].plays(role, reason)


def _add_listeners(hosts: dict[int, _Host], table: FlowTable, verdicts: Verdicts, sessions: SessionSet) -> None:
    """Add the processes of services on whose ports connections were accepted."""
    rows = np.flatnonzero(
        (verdicts.verdict != _OUT_OF_SCOPE)
        & (verdicts.outcome == _ESTABLISHED)
        & (verdicts.service > 0)
        & ~sessions.control
        & ~sessions.data
    )
    # One number for address, service, transport and port: a fraction of the time that rows of four take to sort.
    factors = (len(verdicts.services), 1 << 8, 1 << 16)
    key = table["resp_addr"][rows].astype(np.int64)
    for column, factor in zip((verdicts.service, table["transport"], table["resp_port"]), factors, strict=True):
        key = key * factor + column[rows]
    first, numbers = grouped(key)
    found, counts = key[first], np.bincount(numbers)
    listeners: dict[tuple[int, str, int], _Listener] = {}
    for position in np.argsort(first, kind="stable"):
        rest, port = divmod(int(found[position]), factors[2])
        rest, transport = divmod(rest, factors[1])
        code, index = divmod(rest, factors[0])
        service = verdicts.services[index]
        if service is None:
            continue
        label = service.process or service.name
        listener = listeners.setdefault(
            (code, label, transport), _Listener(bool(service.process), int(rows[first[position]]))
        )
        listener.ports[port] = listener.ports.get(port, 0) + int(counts[position])
    for (code, label, transport), listener in listeners.items():
        if code in hosts:
            reason = f"{listener.text(transport)} ({_packet(table, listener.row)})"
            hosts[code].plays(label, reason, process=listener.process)


@draft
class _Listener:
    """A process that accepted connections: the first of them, and how many on each port."""

    process: bool
    row: int
    ports: dict[int, int] = field(default_factory=dict)

    def text(self, transport: int) -> str:
        """Return what was seen of it."""
        count = sum(self.ports.values())
        if transport == TCP:
            return f"accepted {counted(count, 'connection')} on {_ports(sorted(self.ports))}"
        return f"received {counted(count, 'request')} on {transport_text(transport)} {_ports(sorted(self.ports))}"


def _add_others(hosts: dict[int, _Host], table: FlowTable, verdicts: Verdicts) -> None:
    """Say of hosts that no process is known of what they were seen to do."""
    silent = [code for code, host in hosts.items() if not host.reasons]
    if not silent:
        return
    count = len(silent) + 1
    # 0 for all that something is known of.
    number_of = np.zeros(len(table.addresses), narrowest(count))
    number_of[silent] = np.arange(1, count)
    for side, verb in (("orig_addr", "opened {} to"), ("resp_addr", "was addressed by {} on")):
        own = look_up(number_of, table[side])
        mask = (own != 0) & (verdicts.verdict != _OUT_OF_SCOPE)
        rows = picking(mask)
        own = own[rows]
        flows, first = tallied(own, count), first_of_each(own, count)
        ports = distinct(with_ports(own, count, table["resp_port"][rows]))
        bounds = np.searchsorted(ports, np.arange(count + 1) << 16)
        row_of = np.flatnonzero(mask)
        for place in np.flatnonzero(flows).tolist():
            tried = ports[bounds[place] : bounds[place + 1]] & 0xFFFF
            doing = f"{verb.format(counted(int(flows[place]), 'flow'))} {_ports(tried)}"
            packet = _packet(table, int(row_of[first[place]]))
            hosts[silent[place - 1]].reasons.append(f"{doing} ({packet})")


def _ports(ports: Sequence[int] | NDArray[np.int64]) -> str:
    """Return ``port 25`` or ``ports 25, 445 and 3 more`` of ports in their order."""
    shown = [str(port) for port in ports[:_PORTS]]
    if len(ports) > _PORTS:
        shown.append(f"{number(len(ports) - _PORTS)} more")
    return f"port{'s' if len(ports) > 1 else ''} {joined(shown)}"


def _connections(rows: list[int]) -> str:
    return counted(len(rows), "NDMP control connection")


def _packet(table: FlowTable, row: int) -> str:
    """Return where to look: the first packet of a flow."""
    return f"packet {int(table['first_packet'][row])}"


def _summary(at: Address, host: _Host, policy: Policy, load: HostLoad) -> HostSummary:
    address = str(at)
    zone = policy.zone_of(at)
    because = host.reasons
    if policy.inferred and zone is not None:
        because = [*because, *(f"{zone.name}: {reason}" for reason in policy.because.get(address, ()))]
    return HostSummary(
        address=address,
        zone=zone.name if zone is not None else "undeclared",
        process_roles=tuple(host.roles),
        because=tuple(because),
        name=policy.name_of(at),
        operations=load.operations,
        peak_operations=load.peak,
        ports_per_operation=load.ports,
        proved_roles=tuple(host.proved),
    )


def _sort_key(address: str) -> tuple[bool, bytes]:
    """Return what sorts IPv4 before IPv6, each by value."""
    parsed = ipaddress.ip_address(address)
    return parsed.version == 6, parsed.packed
