"""How much each host had to do at once: operations, and data ports per operation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from auditor.flows import FlowTable
from auditor.records import record
from auditor.sessions.measure import Measured, peaks
from auditor.sessions.model import Session


@record
class HostLoad:
    """Operations of a host, most at the same time, and most data ports of it that one operation used."""

    operations: int
    peak: int
    ports: int


IDLE = HostLoad(0, 0, 0)
"""The load of a host without operations."""


def host_loads(
    table: FlowTable, sessions: Sequence[Session], measured: Iterable[Sequence[Measured]]
) -> dict[int, HostLoad]:
    """Return the load of each host (address code) that is an end of an operation's control or data connections.

    ``measured`` holds the operations of each session, in the order of ``sessions``.
    A three-way operation shows on two control connections; a host is charged once for each of those at which it is an
    end, and never for another host's.
    """
    spans: dict[int, list[tuple[int, int]]] = {}
    ports: dict[int, int] = {}
    for session, operations in zip(sessions, measured, strict=True):
        for operation in operations:
            own = _ports(table, session, operation)
            for code, used in own.items():
                spans.setdefault(code, []).append((operation.first, operation.last))
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
