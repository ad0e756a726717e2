"""Capacity: operations and data ports of each host over time, and the range of ports that would be enough.

A port is held while a data connection is open on it and, at the end that closed first, for TIME_WAIT after it: that end
sends the first FIN (RFC 9293, 3.6), so that the history of the connection tells it. How long is the operating system's:
60 s on Linux, 120 s on Windows, 240 s on Windows up to Server 2003. A reset connection leaves nothing behind.

Sweeps sort starts and ends; nothing walks over packets.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from auditor.arrays import NDArray
from auditor.distinct import among, distinct, firsts, grouped
from auditor.flows import FlowTable, time_text
from auditor.model import CapacityPoint, HostCapacity
from auditor.policy.match import Verdicts
from auditor.policy.model import Policy
from auditor.policy.outcome import OUTCOMES
from auditor.records import record
from auditor.sessions import DataLink, Session
from auditor.sessions.measure import Measured

ADVISED_PORTS = 25
"""Ports that the vendor advises for the remote computers (chapter, prose)."""
ADVISED_ROLES = ("agents", "filers", "databases")
"""Roles of those."""

PORTS_PER = {"operation": 2, "job": 2, "resource": 1}
"""What the vendor's texts count ports by, and how many an agent needs of each: the chapter says up to two on the agent
for each operation, TECH43579 two for each job; 255831 one at either end for each resource. Other hosts: one of each."""

MOST_HOSTS = 1000
"""Hosts that are measured; those with most data connections come first."""

MOST_POINTS = 200
_NANOSECONDS = 1_000_000_000
_BLOCKED = (OUTCOMES.index("unanswered"), OUTCOMES.index("refused"))

Times = NDArray[np.int64]
Link = tuple[Session, DataLink]


@record
class Load:
    """The capacity of one host, with the row of the flow table that made its peak."""

    code: int
    facts: HostCapacity
    peak_flow: int


def measure_capacity(
    table: FlowTable,
    sessions: Sequence[Session],
    measured: Iterable[Sequence[Measured]],
    ties: Sequence[Link],
    verdicts: Verdicts,
    policy: Policy,
) -> tuple[Load, ...]:
    """Return the capacity of each host with data connections or operations, in the order of zones, then of addresses.

    ``measured`` holds the operations of each session, in the order of ``sessions``; ``ties`` are the data connections that
    count, each with its session.
    """
    ends = _Ends.of(table, ties, verdicts, policy.time_wait)
    work = _Work.of(table, zip(sessions, measured, strict=True), ends, policy.ports_per)
    hosts = np.concatenate([ends.host, work.host])
    first, numbers = grouped(hosts)
    busiest = hosts[first][np.argsort(-np.bincount(numbers), kind="stable")[:MOST_HOSTS]].tolist()
    order = {zone.name: position for position, zone in enumerate(policy.zones)}
    loads = [
        load
        for code in busiest
        if policy.zone_of(table.address(code)) is not None
        and (load := _host(code, table, ends.at(code), work.at(code), policy)) is not None
    ]
    return tuple(sorted(loads, key=lambda load: (order[load.facts.zone], table.addresses[load.code].tobytes())))


@record
class _Ends:
    """Ends of data connections, one element for each; times in ns. ``held_to`` is ``last`` plus TIME_WAIT, where known."""

    flow: NDArray[np.intp]
    host: NDArray[np.int64]
    port: NDArray[np.int64]
    first: Times
    last: Times
    held_to: Times
    blocked: NDArray[np.bool_]
    delayed: NDArray[np.bool_]
    unknown: NDArray[np.bool_]

    @classmethod
    def of(cls, table: FlowTable, ties: Sequence[Link], verdicts: Verdicts, time_wait: int) -> _Ends:
        """Collect both ends of all data connections."""
        flow = distinct(np.array([link.flow for _, link in ties], np.intp))
        closer = np.array([_closed_first(table.history(row)) for row in flow.tolist()], np.int64)
        first, last = table["first_time"][flow], table["last_time"][flow]
        blocked = among(verdicts.outcome[flow], _BLOCKED)
        delayed = ~blocked & (table["syn_packets"][flow] > 1)
        parts = []
        for side, name in ((_ORIGINATOR, "orig"), (_RESPONDER, "resp")):
            held = np.where(closer == side, last + time_wait * _NANOSECONDS, last)
            parts.append((table[f"{name}_addr"][flow], table[f"{name}_port"][flow], held))
        return cls(
            flow=_for_both(flow),
            host=np.concatenate([addr for addr, _, _ in parts]).astype(np.int64),
            port=np.concatenate([port for _, port, _ in parts]).astype(np.int64),
            first=_for_both(first),
            last=_for_both(last),
            held_to=np.concatenate([held for _, _, held in parts]),
            blocked=_for_both(blocked),
            delayed=_for_both(delayed),
            unknown=_for_both((closer == _UNKNOWN) & ~blocked),
        )

    def at(self, code: int) -> _Ends:
        """Return the ends at one host."""
        own = self.host == code
        return _Ends(*(getattr(self, name)[own] for name in self.__match_args__))


@record
class _Work:
    """Operations of hosts, one element for each operation and host. ``weight``: what the policy counts ports by.

    ``weight_first``, ``weight_last`` say for how long that counts: resources and jobs take their ports for the whole
    session. ``ports``: data ports of the host that the operation used.
    """

    host: NDArray[np.int64]
    first: Times
    last: Times
    ports: NDArray[np.int64]
    weight: NDArray[np.int64]
    weight_first: Times
    weight_last: Times

    @classmethod
    def of(
        cls, table: FlowTable, sessions: Iterable[tuple[Session, Sequence[Measured]]], ends: _Ends, ports_per: str
    ) -> _Work:
        """Collect the operations of all sessions. One whose messages were not readable counts as one operation."""
        known = frozenset(ends.flow.tolist())
        rows: list[tuple[int, ...]] = []
        for session, operations in sessions:
            links = [link.flow for link in session.data if link.flow in known]
            spans = [(job.first, job.last, [one.flow for one in job.links]) for job in operations]
            if not spans and links:
                spans = [(int(table["first_time"][links].min()), int(table["last_time"][links].max()), links)]
            whole = (min((s[0] for s in spans), default=0), max((s[1] for s in spans), default=0))
            for number, (first, last, flows) in enumerate(spans):
                over = (first, last) if ports_per == "operation" else whole
                weight = int(ports_per != "job" or number == 0)
                for code, ports in _ports(table, session, flows).items():
                    rows.append((code, first, last, len(ports), weight, *over))
        columns = np.array(rows, np.int64).reshape(-1, 7).T
        return cls(*columns)

    def at(self, code: int) -> _Work:
        """Return the operations of one host."""
        own = self.host == code
        return _Work(*(getattr(self, name)[own] for name in self.__match_args__))


_UNKNOWN, _ORIGINATOR, _RESPONDER, _NOBODY = range(4)


def _closed_first(history: str) -> int:
    """Return who sent the first FIN by Zeek's letters; nobody where a reset ended the connection."""
    letters = {letter: history.find(letter) for letter in "FfRr" if letter in history}
    if not letters:
        return _UNKNOWN
    if "R" in letters or "r" in letters:
        return _NOBODY
    return _ORIGINATOR if min(letters, key=lambda letter: letters[letter]) == "F" else _RESPONDER


def _ports(table: FlowTable, session: Session, flows: Iterable[int]) -> dict[int, set[int]]:
    """Return the data ports of an operation by host; both ends of the control connection with none too."""
    found: dict[int, set[int]] = {int(table[f"{side}_addr"][session.control]): set() for side in ("orig", "resp")}
    for flow in flows:
        for side in ("orig", "resp"):
            code = int(table[f"{side}_addr"][flow])
            found.setdefault(code, set()).add(int(table[f"{side}_port"][flow]))
    return found


@record
class _Steps:
    """How many of some intervals are open at any time; both ends belong to an interval."""

    starts: Times
    ends: Times

    @classmethod
    def of(cls, first: Times, last: Times, weight: NDArray[np.int64] | None = None) -> _Steps:
        """Sort the intervals; ``weight`` counts each several times, or not at all."""
        if weight is not None:
            first, last = np.repeat(first, weight), np.repeat(last, weight)
        return cls(np.sort(first), np.sort(last))

    def at(self, times: Times) -> Times:
        """Return the number at each time."""
        opened = self.starts.searchsorted(times, "right")
        return (opened - self.ends.searchsorted(times, "left")).astype(np.int64)


def _for_both(values: NDArray[Any]) -> NDArray[Any]:
    """Return what is the same at both ends, once for each."""
    return np.concatenate([values, values])


def _merged(port: NDArray[np.int64], first: Times, last: Times) -> tuple[Times, Times]:
    """Return the intervals during which a port is held, those of one port that meet made one."""
    if len(distinct(port)) == len(port):
        return first, last
    order = np.lexsort((first, port))
    times = distinct(np.concatenate([first, last]))
    group = grouped(port)[1][order]
    # Places of the times in their order, so that those of one port can be set apart from those of the next.
    room = len(times) + 1
    begins = np.searchsorted(times, first[order]) + group * room
    reach = np.maximum.accumulate(np.searchsorted(times, last[order]) + group * room)
    fresh = np.ones(len(order), np.bool_)
    fresh[1:] = begins[1:] > reach[:-1]
    closing = np.concatenate([np.flatnonzero(fresh)[1:] - 1, [len(order) - 1]])
    return first[order][fresh], times[reach[closing] % room]


def _host(code: int, table: FlowTable, ends: _Ends, work: _Work, policy: Policy) -> Load | None:
    """Return the capacity of one host, None where it had neither a data connection nor an operation."""
    live = ~ends.blocked
    opened = _Steps.of(*_merged(ends.port[live], ends.first[live], ends.last[live]))
    held = _Steps.of(*_merged(ends.port[live], ends.first[live], ends.held_to[live]))
    running = _Steps.of(work.first, work.last)
    counted = _Steps.of(work.weight_first, work.weight_last, work.weight)
    # A number can only be highest where something begins; what follows an end belongs to the curve.
    times = distinct(np.concatenate([opened.starts, running.starts, counted.starts, ends.first]))
    if not len(times):
        return None
    series = _Series(times, running.at(times), opened.at(times), held.at(times))
    declared = policy.dynamic_ports_of(table.address(code))
    zone = policy.zone_of(table.address(code))
    role = zone.role if zone is not None else ""
    advised = ADVISED_PORTS if role in ADVISED_ROLES else 0
    limit = declared.size if declared is not None else advised
    full = np.flatnonzero(series.held >= limit) if limit else np.zeros(0, np.intp)
    strained = (ends.blocked | ends.delayed) & (held.at(ends.first) >= (limit or max(series.peak("held"), 1)))
    counted_peak = int(counted.at(times).max(initial=0))
    enough, arithmetic = _enough(counted_peak, series, policy, advised=bool(advised))
    facts = HostCapacity(
        host=table.address_text(code),
        zone=zone.name if zone is not None else "undeclared",
        role=role,
        declared="" if declared is None else str(declared),
        limit=limit,
        advised=advised,
        operations=len(work.host),
        peak_operations=series.peak("running"),
        peak_operations_at=series.when("running"),
        connections=int(live.sum()),
        peak_open=series.peak("open"),
        peak_open_at=series.when("open"),
        peak_held=series.peak("held"),
        peak_held_at=series.when("held"),
        waiting_at_peak=series.waiting,
        ports_per_operation=int(work.ports.max(initial=0)),
        ports_per=policy.ports_per,
        time_wait_seconds=policy.time_wait,
        full_at=time_text(int(times[full[0]])) if len(full) else None,
        blocked=int(ends.blocked.sum()),
        delayed=int(ends.delayed.sum()),
        strained=int(strained.sum()),
        unknown_close=int(ends.unknown.sum()),
        enough=enough,
        arithmetic=arithmetic,
        curve=_curve(opened, held, running),
    )
    return Load(code, facts, _flow_at(ends, live, series))


@record
class _Series:
    """Numbers at times, in ns: operations running, ports open, ports held."""

    times: Times
    running: Times
    open: Times
    held: Times

    def peak(self, name: str) -> int:
        """Return the highest number."""
        return int(getattr(self, name).max(initial=0))

    def when(self, name: str) -> str | None:
        """Return the first moment of the highest number, None where it is 0."""
        return time_text(int(self.times[int(getattr(self, name).argmax())])) if self.peak(name) else None

    @property
    def waiting(self) -> int:
        """Ports in TIME_WAIT when most were held."""
        moment = int(self.held.argmax())
        return int(self.held[moment] - self.open[moment])


def _flow_at(ends: _Ends, live: NDArray[np.bool_], series: _Series) -> int:
    """Return the data connection that began when most ports were held, -1 where there is none."""
    moment = series.times[int(series.held.argmax())]
    began = np.flatnonzero(live & (ends.first <= moment))
    return int(ends.flow[began[int(ends.first[began].argmax())]]) if len(began) else -1


def _enough(basis: int, series: _Series, policy: Policy, *, advised: bool) -> tuple[int, str]:
    """Return how many ports would have been enough, and the sum as a person would check it."""
    each, held = PORTS_PER[policy.ports_per] if advised else 1, series.peak("held")
    need = each * basis
    words = "port" if each == 1 else "ports"
    text = f"{each} {words} × {basis} {policy.ports_per}{'' if basis == 1 else 's'} at once = {need}"
    seen = f"{held} held at once, {series.waiting} of them in TIME_WAIT ({policy.time_wait} s)"
    return max(need, held), f"{text}; {seen}; the larger is {max(need, held)}"


def _curve(opened: _Steps, held: _Steps, running: _Steps) -> tuple[CapacityPoint, ...]:
    """Return the numbers at every change, or, of many changes, at the fullest of each part of the time."""
    changes = [steps.starts for steps in (opened, held, running)]
    changes += [steps.ends + 1 for steps in (opened, held, running)]
    times = distinct(np.concatenate(changes))
    numbers = np.stack([running.at(times), opened.at(times), held.at(times)])
    if len(times) > MOST_POINTS:
        edges = np.linspace(int(times[0]), int(times[-1]) + 1, MOST_POINTS + 1)[:-1]
        begins = distinct(np.searchsorted(times, edges, "left"))
        begins = begins[begins < len(times)]
        part = np.searchsorted(begins, np.arange(len(times)), "right")
        # The fullest of each part, the earliest of equals.
        order = np.lexsort((np.arange(len(times)), -numbers[1], -numbers[2], part))
        chosen = np.sort(order[firsts(part[order])])
        times, numbers = times[chosen], numbers[:, chosen]
    return tuple(
        CapacityPoint(time_text(at), ran, live, kept - live)
        for at, ran, live, kept in zip(times.tolist(), *numbers.tolist(), strict=True)
    )
