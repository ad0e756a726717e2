"""How much each host had to do at once: operations, and data ports per operation."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.flows import FlowTable
from auditor.sessions.measure import Measured, capture_end, measure_jobs, peaks
from auditor.sessions.model import Session


@dataclass(frozen=True, slots=True)
class HostLoad:
    """Operations of a host, most at the same time, and most data ports of it that one operation used."""

    operations: int
    peak: int
    ports: int


IDLE = HostLoad(0, 0, 0)
"""The load of a host without operations."""


def host_loads(table: FlowTable, sessions: tuple[Session, ...]) -> dict[int, HostLoad]:
    """Return the load of each host (address code) that is an end of an operation's control or data connections.

    A three-way operation shows on two control connections; a host is charged once for each of those at which it is an
    end, and never for another host's.
    """
    end = capture_end(table)
    spans: dict[int, list[tuple[int, int]]] = {}
    ports: dict[int, int] = {}
    for session in sessions:
        for measured in measure_jobs(table, session, end):
            own = _ports(table, session, measured)
            for code, used in own.items():
                spans.setdefault(code, []).append((measured.first, measured.last))
                ports[code] = max(ports.get(code, 0), len(used))
    return {code: HostLoad(len(own), peaks(own), ports[code]) for code, own in spans.items()}


def _ports(table: FlowTable, session: Session, measured: Measured) -> dict[int, set[int]]:
    """Return the data ports that an operation used, by host; hosts at the control connection's ends with none too."""
    found: dict[int, set[int]] = {int(table[f"{side}_addr"][session.control]): set() for side in ("orig", "resp")}
    for link in measured.links:
        for side in ("orig", "resp"):
            code = int(table[f"{side}_addr"][link.flow])
            found.setdefault(code, set()).add(int(table[f"{side}_port"][link.flow]))
    return found
