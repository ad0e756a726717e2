"""How many data ports hosts had in use, against what was declared for them and what the vendor advises."""

from __future__ import annotations

from auditor.records import record


@record
class CapacityPoint:
    """A moment: operations running, data ports in open connections, and ports still in TIME_WAIT after one."""

    at: str
    operations: int
    open: int
    waiting: int


@record
class HostCapacity:
    """Data ports of one host over time.

    ``operations`` counts all, ``peak_operations`` the most at once; ``peak_open`` ports in open connections and
    ``peak_held`` those plus ports in TIME_WAIT, each with the first moment at which it was so. ``limit`` is the size of
    ``declared``, or ``advised`` where nothing is declared, 0 where neither says anything; ``full_at`` the first moment at
    which so many ports were held, None where that never happened. ``blocked`` and ``delayed`` data connections (no
    answer or refused; answered after a repeated SYN) of which ``strained`` began when the limit was reached, or, where
    there is none, at the peak. ``enough`` ports would have been enough; ``arithmetic`` shows why. ``unknown_close``:
    connections of which nobody was seen to close first, so that none of their ports is counted as waiting. ``curve`` has
    at most 200 points; each is the fullest moment of its part of the time.
    """

    host: str
    zone: str
    role: str
    declared: str
    limit: int
    advised: int
    operations: int
    peak_operations: int
    peak_operations_at: str | None
    connections: int
    peak_open: int
    peak_open_at: str | None
    peak_held: int
    peak_held_at: str | None
    waiting_at_peak: int
    ports_per_operation: int
    ports_per: str
    time_wait_seconds: int
    full_at: str | None
    blocked: int
    delayed: int
    strained: int
    unknown_close: int
    enough: int
    arithmetic: str
    curve: tuple[CapacityPoint, ...] = ()
