"""When the evidence does not decide to which control connection a data connection belongs, so that no tie is told.

A tie needs something that speaks for it and not as well for another. Whose opening was captured needs the best
explanation, alone. What opened before the capture shows no turn: byte counts and closings fit any concurrent job, so
that either the end decides (the NDMP server's HALTED notice came with it, and neither came with anything else), or that
no other was there for long enough to have shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from auditor import _native
from auditor.arrays import NDArray
from auditor.flows import TCP, FlowTable
from auditor.sessions.evidence import AS_NEAR, FAR, LAG_WIDTH, BeatsOf, Pair
from auditor.sessions.infer import ENDED
from auditor.sessions.margins import assignment_margins
from auditor.sessions.timing import AT_ONCE

CLEAR_MARGIN = 2
"""Distance to the next best explanation from which on the scorer is clear."""
TOGETHER = 60 * 1_000_000_000
"""Who is at work polls every few seconds: any other control connection would have shown within this time, ns."""

_NDMP = _native.APPS.index("ndmp")

NO_BETTER = "another explanation is as good"
TOO_LITTLE = "its opening fits no turn of the control connection, and little else speaks for it"
TOO_EARLY = "it opened as the capture began, and what any control connection had just said is not in it"
BEFORE = "it began before the capture, and its end speaks for none of them alone"
BRIEFLY = "it began before the capture, and nothing but hosts and time speaks for it"


class Rivals:
    """Other explanations of a pair's flow, and other candidates of its control connection at the same time."""

    def __init__(self, pairs: Sequence[Pair], chosen: Sequence[Pair]) -> None:
        self._margins = assignment_margins(pairs, chosen)
        self._flows: dict[tuple[int, int], list[Pair]] = {}
        self._controls: dict[int, list[Pair]] = {}
        for pair in pairs:
            self._flows.setdefault((pair.flow, pair.side), []).append(pair)
            self._controls.setdefault(pair.control, []).append(pair)

    @property
    def controls(self) -> Iterable[int]:
        """All control connections that have a pair."""
        return self._controls.keys()

    def owners(self, pair: Pair) -> tuple[int, ...]:
        """Return the control connections that could have opened the pair's flow, its own among them; sorted."""
        return tuple(sorted({other.control for other in self._flows[pair.flow, pair.side]}))

    def alone(self, pair: Pair) -> bool:
        """Whether there is no rival at all."""
        return not any(True for _ in self._others(pair))

    def margin(self, pair: Pair) -> int:
        """Return the distance of a chosen pair to the next best. What opened before the capture is never clear."""
        margin = self._margins[pair]
        return margin if pair.begun else min(margin, CLEAR_MARGIN - 1)

    def _others(self, pair: Pair) -> Iterable[Pair]:
        for other in self._flows[pair.flow, pair.side]:
            if other.control != pair.control:
                yield other
        for other in self._controls[pair.control]:
            if other.flow != pair.flow and pair.overlaps(other):
                yield other


class Doubts:
    """Says of pairs that were chosen why they are not to be told as ties."""

    def __init__(self, table: FlowTable, rivals: Rivals, beats: BeatsOf) -> None:
        self._table = table
        self._rivals = rivals
        self._beats = beats
        self._start = int(table["first_time"].min()) if len(table) else 0
        self._ends: _Ends | None = None
        # Control connections that were open when the capture began: what they said before is not in it.
        self._joined = any(int(table["syn_packets"][control]) == 0 for control in rivals.controls)

    def of(self, pair: Pair) -> str:
        """Return the reason, empty where the pair is decided."""
        if pair.begun:
            return self._of_opening(pair)
        if self._ended_together(pair):
            return ""
        if not self._rivals.alone(pair):
            return BEFORE
        return "" if self._seen_together(pair) else BRIEFLY

    def _of_opening(self, pair: Pair) -> str:
        """Return the reason where the connection's opening was captured."""
        margin = self._rivals.margin(pair)
        if margin <= 0:
            return NO_BETTER
        if pair.turned:
            return TOO_EARLY if self._joined and pair.first - self._start < AT_ONCE else ""
        beats = self._beats(pair.control)
        # Its turn should have been seen, or even read.
        missing = beats is not None and (beats.legible or not self._rivals.alone(pair))
        return TOO_LITTLE if missing or margin < CLEAR_MARGIN else ""

    def _seen_together(self, pair: Pair) -> bool:
        table = self._table
        first = max(pair.first, int(table["first_time"][pair.control]))
        return min(pair.last, int(table["last_time"][pair.control])) - first >= TOGETHER

    def _ended_together(self, pair: Pair) -> bool:
        """Whether a HALTED notice of this control connection, and of no other, came as this connection, and no other, ended."""
        if pair.ending == FAR or int(self._table["state"][pair.flow]) not in ENDED:
            return False
        near = max(AS_NEAR * pair.ending, LAG_WIDTH)
        low, high = pair.last - near, pair.last + near
        # What ended as near, but before the capture, would not be seen.
        if low - near < self._start:
            return False
        for control in self._rivals.owners(pair):
            beats = self._beats(control) if control != pair.control else None
            if beats is not None and beats.notice_within(low, high):
                return False
        if self._ends is None:
            self._ends = _Ends(self._table, self._rivals.controls)
        server = int(self._table["resp_addr"][pair.control])
        return self._ends.count(server, low, high) <= 1


class _Ends:
    """When the answered TCP flows of each host ended, less those that are control connections."""

    def __init__(self, table: FlowTable, controls: Iterable[int]) -> None:
        answered = (table["orig_packets"] > 0) & (table["resp_packets"] > 0)
        others = (table["transport"] == TCP) & (table["app"] != _NDMP) & answered
        others[list(controls)] = False
        rows = np.flatnonzero(others)
        hosts = np.concatenate([table["orig_addr"][rows], table["resp_addr"][rows]])
        times = np.concatenate([table["last_time"][rows]] * 2)
        order = np.lexsort((times, hosts))
        self._hosts = hosts[order]
        self._times: NDArray[np.int64] = times[order]

    def count(self, host: int, first: int, last: int) -> int:
        """Return how many flows of the host (address code) ended between two times (ns), both included."""
        low, high = np.searchsorted(self._hosts, [host, host + 1])
        own = self._times[low:high]
        return int(np.searchsorted(own, last, side="right")) - int(np.searchsorted(own, first))
