"""The clock of a watch."""

from __future__ import annotations

import time
from dataclasses import dataclass

from auditor.flows import time_text

_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Moment:
    """Now: ``at`` in ns since the epoch, and ``observed`` seconds since the watch began."""

    at: int
    observed: float

    @property
    def text(self) -> str:
        """RFC 3339 in UTC with nanoseconds."""
        return time_text(self.at)


class Clock:
    """Tells the moment.

    What comes from an interface has the time of the machine, counted from the start by a clock that nobody sets and that
    goes on in suspend (``CLOCK_BOOTTIME`` where there is one). A recording has the time of its own packets, so that it is
    told alike however fast it is read.
    """

    def __init__(self, *, live: bool) -> None:
        self._live = live
        self._began = _steady()
        self._first: int | None = None
        self._latest = 0

    def moment(self, latest: int | None) -> Moment:
        """Return the moment, given the time of the latest packet in ns since the epoch."""
        if self._live:
            return Moment(time.time_ns(), _steady() - self._began)
        if latest is not None:
            self._first = latest if self._first is None else self._first
            self._latest = max(self._latest, latest)
        if self._first is None:
            return Moment(time.time_ns(), 0.0)
        return Moment(self._latest, (self._latest - self._first) / _SECOND)


def _steady() -> float:
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)
