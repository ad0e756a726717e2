"""Scores which connection may be the data connection of a control connection that cannot be read. Never a proof.

Flow columns are all that is used: hosts, times of first and last packets, byte counts, handshake, payload recognition.
What would help and is not used, since the flow table does not hold it: times and sizes of single control segments (the
TLS record sizes of a LISTEN reply or a HALTED notice, polling), the dynamic range of a policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from operator import itemgetter

import numpy as np

from auditor import _native
from auditor.flows import FlowTable
from auditor.sessions.infer import Candidates, Mask

_SECOND = 1_000_000_000
SOON = 2 * _SECOND
AFTERWARDS = 5 * _SECOND
ONE_WAY = 50
BULK = 16 * 1024

WEIGHTS = {
    "pair": (2, "same two hosts"),
    "soon": (1, "opened within 2 s of the control connection"),
    "nearest": (1, "no other control connection of the two hosts opened in between"),
    "within": (1, "open only while the control connection was"),
    "afterwards": (1, "the control connection closed within 5 s after it"),
    "lag": (2, "the control connection closed as long after it as others did after theirs"),
    "one-way": (1, "more than 50 times as many bytes one way as the other"),
    "bulk": (1, "carried 16 KiB or more"),
    "mtf": (4, "its payload begins as a tape format block"),
    "empty": (-3, "carried nothing"),
}
"""Evidence -> weight and reason. Start values of log-odds, those of the literature where the columns allow them."""

LAG_WIDTH = 10_000_000
"""Times from the end of the data to the close of the control connection that count as equal, ns."""
LEAST_ALIKE = 3
"""Control connections that must agree in this time before it says anything."""

CLEAR_SCORE = 7
CLEAR_MARGIN = 2
MOST_PAIRS = 200_000
"""Pairs of a control connection and a candidate that are weighed at all."""

_MTF = _native.APPS.index("mtf")


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate given to a control connection (row of the flow table). ``margin``: to the next best explanation."""

    control: int
    flow: int
    score: int
    margin: int
    reasons: tuple[str, ...]

    @property
    def clear(self) -> bool:
        """Whether the score is high and far above the next best explanation."""
        return self.score >= CLEAR_SCORE and self.margin >= CLEAR_MARGIN


@dataclass(frozen=True, slots=True)
class _Pair:
    """A control connection and a candidate, with the evidence for one another; times in ns."""

    control: int
    flow: int
    evidence: tuple[str, ...]
    delay: int
    first: int
    last: int
    lag: int

    @property
    def score(self) -> int:
        return sum(WEIGHTS[name][0] for name in self.evidence)


def assign(table: FlowTable, candidates: Candidates, controls: Sequence[int], taken: Mask) -> list[Scored]:
    """Give each candidate to at most one control connection, the best pairs first.

    A control connection serves one operation at a time, so that its data connections never overlap.
    """
    pairs, lag = _with_lag(_pairs(table, candidates, controls, taken))
    pairs.sort(key=lambda pair: (-pair.score, abs(pair.lag - lag) if lag else 0, pair.delay, pair.control, pair.flow))
    flows: set[int] = set()
    busy: dict[int, list[_Pair]] = {}
    chosen: list[_Pair] = []
    for pair in pairs:
        own = busy.setdefault(pair.control, [])
        if pair.flow not in flows and not any(_overlap(pair, other) for other in own):
            flows.add(pair.flow)
            own.append(pair)
            chosen.append(pair)
    rivals = _Rivals(pairs)
    scored = [
        Scored(p.control, p.flow, p.score, p.score - rivals.best(p), tuple(WEIGHTS[name][1] for name in p.evidence))
        for p in chosen
    ]
    return sorted(scored, key=lambda one: (one.control, one.flow))


class _Rivals:
    """Other explanations of a pair's flow, and other candidates of its control connection at the same time."""

    def __init__(self, pairs: Iterable[_Pair]) -> None:
        self._flows: dict[int, list[_Pair]] = {}
        self._controls: dict[int, list[_Pair]] = {}
        for pair in pairs:
            self._flows.setdefault(pair.flow, []).append(pair)
            self._controls.setdefault(pair.control, []).append(pair)

    def best(self, pair: _Pair) -> int:
        """Return the score of the best rival, 0 where there is none."""
        rivals = [other.score for other in self._flows[pair.flow] if other.control != pair.control]
        same = self._controls[pair.control]
        rivals += [other.score for other in same if other.flow != pair.flow and _overlap(pair, other)]
        return max([0, *rivals])


def _with_lag(pairs: list[_Pair]) -> tuple[list[_Pair], int]:
    """Add the evidence ``lag`` where enough control connections close equally long after a candidate of theirs.

    A client that polls and then closes takes much the same time for it in every job; wrong pairs differ at random. The
    time is learned from the capture: the median of the narrow span that holds most control connections, 0 where none.
    """
    lags = sorted((pair.lag, pair.control) for pair in pairs if 0 <= pair.lag <= AFTERWARDS)
    inside: dict[int, int] = {}
    best, low = (0, 0), 0
    for position, (lag, control) in enumerate(lags):
        inside[control] = inside.get(control, 0) + 1
        while lag - lags[low][0] > LAG_WIDTH:
            left = lags[low][1]
            inside[left] -= 1
            if not inside[left]:
                del inside[left]
            low += 1
        # The median: the true ones crowd, the others are spread over the span.
        best = max(best, (len(inside), lags[(low + position) // 2][0]))
    alike, middle = best
    if alike < LEAST_ALIKE or 2 * alike <= len({control for _, control in lags}):
        return pairs, 0
    near = LAG_WIDTH // 2
    return [
        replace(pair, evidence=(*pair.evidence, "lag")) if abs(pair.lag - middle) <= near else pair for pair in pairs
    ], middle


def _overlap(one: _Pair, other: _Pair) -> bool:
    return one.first < other.last and other.first < one.last


def _pairs(table: FlowTable, candidates: Candidates, controls: Sequence[int], taken: Mask) -> list[_Pair]:
    found: list[_Pair] = []
    nearest, ranks = _nearest(table, candidates, controls), candidates.ranks(controls)
    for control in controls:
        rows = candidates.open_with(control, taken, ranks[control])
        found += [_weigh(table, control, int(row), nearest) for row in rows[: max(MOST_PAIRS - len(found), 0)]]
    return found


def _nearest(table: FlowTable, candidates: Candidates, controls: Sequence[int]) -> dict[int, int]:
    """Return for each candidate the control connection of its hosts that opened last before it."""
    nearest: dict[int, int] = {}
    starts = [(int(table["first_time"][control]), control) for control in controls]
    for start, control in sorted(starts, key=itemgetter(0)):
        rows = candidates.of_pair(control)
        nearest |= dict.fromkeys(rows[table["first_time"][rows] >= start].tolist(), control)
    return nearest


def _weigh(table: FlowTable, control: int, flow: int, nearest: dict[int, int]) -> _Pair:
    first, last = int(table["first_time"][flow]), int(table["last_time"][flow])
    opened, closed = int(table["first_time"][control]), int(table["last_time"][control])
    seen = bool(table["syn_packets"][control])
    payload = sorted((int(table["orig_payload"][flow]), int(table["resp_payload"][flow])))
    tests = {
        "pair": True,
        "soon": seen and 0 <= first - opened <= SOON,
        "nearest": nearest.get(flow) == control,
        "within": first >= opened and last <= closed,
        "afterwards": 0 <= closed - last <= AFTERWARDS,
        "one-way": payload[1] > ONE_WAY * payload[0],
        "bulk": payload[1] >= BULK,
        "mtf": int(table["app"][flow]) == _MTF,
        "empty": payload[1] == 0,
    }
    evidence = tuple(name for name, holds in tests.items() if holds)
    return _Pair(control, flow, evidence, abs(first - opened), first, last, closed - last)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The scorer held against ties that the decoder proved, on sessions whose messages it was not shown.

    ``sessions`` that were readable, ``proved`` ties of theirs, ``given`` ties by the scorer, ``right`` ones among them;
    ``clear`` and ``clear_right`` count those alone that the scorer is clear about.
    """

    sessions: int = 0
    proved: int = 0
    given: int = 0
    right: int = 0
    clear: int = 0
    clear_right: int = 0

    def __add__(self, other: Rehearsal) -> Rehearsal:
        """Return both together."""
        return Rehearsal(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def precision(self) -> float | None:
        """Share of the given ties that are right; None where none was given."""
        return self.right / self.given if self.given else None

    @property
    def recall(self) -> float | None:
        """Share of the proved ties that were found; None where there are none."""
        return self.right / self.proved if self.proved else None


def rehearse(
    table: FlowTable, candidates: Candidates, truth: dict[int, frozenset[int]], controls: Sequence[int]
) -> Rehearsal:
    """Score ``controls`` as if none could be read. ``truth``: control connection -> data connections that were proved."""
    found = assign(table, candidates, controls, np.zeros(len(table), np.bool_))
    given = [one for one in found if one.control in truth]
    right = [one for one in given if one.flow in truth[one.control]]
    return Rehearsal(
        sessions=len(truth),
        proved=sum(map(len, truth.values())),
        given=len(given),
        right=len(right),
        clear=sum(one.clear for one in given),
        clear_right=sum(one.clear for one in right),
    )
