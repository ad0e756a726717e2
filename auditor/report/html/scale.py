"""Scales of the pictures: times and counts to places on the page, and the ticks at which they are read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Self

from auditor.records import record

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{9})Z", re.ASCII)
_SECOND = 1_000_000_000
_DAY = 86_400
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, _DAY)
_MOST_TICKS = 7

Pixels = float | int


def px(value: float) -> Pixels:
    """Return a place on the page with one decimal at most: more would only make the page heavier."""
    rounded = round(value, 1)
    return int(rounded) if rounded == int(rounded) else rounded


def nanoseconds(time: str | None) -> int | None:
    """Return an RFC 3339 time of a report as nanoseconds since the epoch, None for anything else."""
    match = _TIME.fullmatch(time or "")
    if match is None:
        return None
    try:
        moment = datetime.fromisoformat(f"{match[1]}+00:00")
    except ValueError:
        return None
    return int(moment.timestamp()) * _SECOND + int(match[2])


@record
class Tick:
    """A mark of an axis: its place and its words."""

    at: Pixels
    label: str


@record
class TimeScale:
    """Times from ``first`` to ``last``, in nanoseconds, on the page from ``left`` to ``right``."""

    first: int
    last: int
    left: float
    right: float

    @classmethod
    def over(cls, times: Iterable[int | None], left: float, right: float) -> Self | None:
        """Return the scale that shows all of ``times``, None where there are none."""
        known = [time for time in times if time is not None]
        if not known:
            return None
        first, last = min(known), max(known)
        # A single moment still needs a width.
        return cls(first, max(last, first + 1_000_000), left, right)

    def at(self, time: int) -> Pixels:
        """Return the place of a time; what lies outside is put on the edge."""
        part = (time - self.first) / (self.last - self.first)
        return px(self.left + min(max(part, 0.0), 1.0) * (self.right - self.left))

    def ticks(self) -> tuple[Tick, ...]:
        """Return ticks at round times in UTC, seven at most."""
        span = (self.last - self.first) / _SECOND
        step = next((step for step in _STEPS if span / step <= _MOST_TICKS), 0)
        if span < 2:
            return (
                Tick(px(self.left), _clock(self.first, "%H:%M:%S.") + f"{self.first % _SECOND // 1_000_000:03d}"),
                Tick(px(self.right), f"+ {span:.3f} s"),
            )
        if not step:
            step = _DAY * (int(span / _DAY / _MOST_TICKS) + 1)
        form = "%m-%d" if step >= _DAY else "%m-%d %H:%M" if span > _DAY else "%H:%M" if step >= 60 else "%H:%M:%S"
        begin = -(-self.first // (step * _SECOND)) * step
        end = self.last // _SECOND
        return tuple(Tick(self.at(s * _SECOND), _clock(s * _SECOND, form)) for s in range(begin, end + 1, step))


def _clock(time: int, form: str) -> str:
    return datetime.fromtimestamp(time // _SECOND, UTC).strftime(form)


def steps(intervals: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return how many intervals hold at a time, as ``(time, count)`` wherever the count changes."""
    changes: dict[int, int] = {}
    for first, last in intervals:
        changes[first] = changes.get(first, 0) + 1
        changes[last] = changes.get(last, 0) - 1
    found: list[tuple[int, int]] = []
    count = 0
    for time in sorted(changes):
        count += changes[time]
        if changes[time]:
            found.append((time, count))
    return found


def merged(intervals: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return intervals in order, those that touch made one."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(intervals):
        if found and first <= found[-1][1]:
            found[-1] = found[-1][0], max(last, found[-1][1])
        else:
            found.append((first, last))
    return found
