"""Which captures go on where another ends: the files of a ring are one capture, those of two days are two."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

LEAST_GAP = 8
"""Seconds: a shorter silence is never a gap."""

_BEYOND_USUAL = 100
_SECOND = 1_000_000_000


def gap_seconds(first: int, last: int, packets: int) -> int:
    """Return from how many seconds on a silence is a gap: 100 times what lies between two packets on average, rounded up
    to a power of two. ``first`` and ``last`` are times in ns; 0 where two packets are not there."""
    if packets < 2:
        return 0
    usual = (last - first) / 1e9 / (packets - 1)
    return int(2 ** math.ceil(math.log2(max(LEAST_GAP, usual * _BEYOND_USUAL))))


class Timed(Protocol):
    """What a capture shows of its time."""

    @property
    def first(self) -> int | None:
        """Time of the earliest packet, ns."""

    @property
    def last(self) -> int | None:
        """Time of the latest packet, ns."""

    @property
    def packets(self) -> int:
        """How many packets there are."""


def stretches_of(captures: Sequence[Timed], *, overlap: bool) -> tuple[int, ...]:
    """Return for each capture the first one of those that it goes on with, which may be itself.

    Captures are in order of their first packets. One goes on with the one before it where no gap lies between them, and,
    unless ``overlap`` is allowed, where that had ended: what overlaps was seen elsewhere.
    """
    spans = [None if one.first is None or one.last is None else (one.first, one.last) for one in captures]
    timed = [span for span in spans if span is not None]
    if not timed:
        return tuple(range(len(captures)))
    packets = sum(one.packets for one in captures)
    least = gap_seconds(min(timed)[0], max(last for _, last in timed), packets) * _SECOND
    found: list[int] = []
    start = end = -1
    for row, span in enumerate(spans):
        if span is None:
            found.append(row)
            continue
        if start < 0 or span[0] - end >= least or not (overlap or span[0] >= end):
            start, end = row, span[1]
        end = max(end, span[1])
        found.append(start)
    return tuple(found)
