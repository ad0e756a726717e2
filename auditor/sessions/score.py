"""Gives connections to control connections that cannot be read, one to one, the best pairs first. Never a proof.

What speaks for a pair is in ``auditor.sessions.evidence``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np

from auditor.flows import FlowTable
from auditor.records import names_of, record, replace
from auditor.sessions.doubt import CLEAR_MARGIN, Doubts, Rivals
from auditor.sessions.evidence import TWO_WAY, BeatsOf, Pair, Weigher
from auditor.sessions.infer import Candidates, Mask

CLEAR_SCORE = 7


@record
class Scored:
    """A candidate given to a control connection (row of the flow table). ``margin``: to the next best explanation.

    ``turned``: its opening fits a turn of the control connection, and no nearer one of another. ``doubt``: why it is
    not to be told as a tie, empty where it is; ``owners`` are the control connections that could have opened it.
    """

    control: int
    flow: int
    score: int
    margin: int
    reasons: tuple[str, ...]
    turned: bool = False
    doubt: str = ""
    owners: tuple[int, ...] = ()

    @property
    def clear(self) -> bool:
        """Whether the score is high and far above the next best explanation."""
        return self.score >= CLEAR_SCORE and self.margin >= CLEAR_MARGIN


def _no_beats(_: int) -> None:
    """Stand for control connections whose segments are not known."""


def assign(
    table: FlowTable,
    candidates: Candidates,
    controls: Sequence[int],
    taken: Mask,
    *,
    beats: BeatsOf = _no_beats,
    running: frozenset[int] = frozenset(),
) -> list[Scored]:
    """Give each candidate to at most one control connection (in three-way transfers one on each side).

    A control connection serves one operation at a time, so that its data connections never overlap. To those that are
    ``running``, only connections begun before the capture are given. What the evidence does not decide is given with
    its ``doubt``.
    """
    beats = cache(beats)
    pairs, lag = Weigher(table, candidates, controls, beats).pairs(taken, running)
    pairs.sort(key=lambda p: (-p.score, p.gap, abs(p.lag - lag) if lag else 0, p.delay, p.control, p.flow))
    chosen = _both_sides(_choose(pairs))
    rivals = Rivals(pairs, chosen)
    doubts = Doubts(table, rivals, beats)
    scored = [
        Scored(p.control, p.flow, p.score, rivals.margin(p), p.reasons, p.turned, doubts.of(p), rivals.owners(p))
        for p in chosen
    ]
    return sorted(_alike_on_both_sides(scored), key=lambda one: (one.control, one.flow))


def _choose(pairs: Iterable[Pair]) -> list[Pair]:
    """Take the pairs in order, each whose flow is free on that side and whose control connection is."""
    given: dict[int, set[int]] = {}
    busy: dict[int, list[Pair]] = {}
    chosen: list[Pair] = []
    for pair in pairs:
        own, sides = busy.setdefault(pair.control, []), given.setdefault(pair.flow, set())
        free = not sides if pair.side == TWO_WAY else not sides & {TWO_WAY, pair.side}
        if free and not any(pair.overlaps(other) for other in own):
            sides.add(pair.side)
            own.append(pair)
            chosen.append(pair)
    return chosen


def _both_sides(chosen: list[Pair]) -> list[Pair]:
    """Drop what would join two NDMP servers, and only one of them has a control connection for it."""
    sides: dict[int, int] = {}
    for pair in chosen:
        sides[pair.flow] = sides.get(pair.flow, 0) + 1
    return [pair for pair in chosen if pair.side == TWO_WAY or sides[pair.flow] == 2]


def _alike_on_both_sides(scored: list[Scored]) -> list[Scored]:
    """Let a doubt on one side of a connection between two NDMP servers be one on the other."""
    doubts = {one.flow: one.doubt for one in scored if one.doubt}
    return [replace(one, doubt=doubts[one.flow]) if one.flow in doubts else one for one in scored]


@record
class Rehearsal:
    """The scorer held against ties that the decoder proved, on sessions whose messages it was not shown.

    ``sessions`` that were readable, ``proved`` ties of theirs, ``given`` ties by the scorer, ``right`` ones among them;
    ``clear`` and ``clear_right`` count those alone that the scorer is clear about; ``withheld`` what it does not tie
    because the evidence does not decide.
    """

    sessions: int = 0
    proved: int = 0
    given: int = 0
    right: int = 0
    clear: int = 0
    clear_right: int = 0
    withheld: int = 0

    def __add__(self, other: Rehearsal) -> Rehearsal:
        """Return both together."""
        return Rehearsal(*(getattr(self, name) + getattr(other, name) for name in names_of(Rehearsal) or ()))

    @property
    def precision(self) -> float | None:
        """Share of the given ties that are right; None where none was given."""
        return self.right / self.given if self.given else None

    @property
    def recall(self) -> float | None:
        """Share of the proved ties that were found; None where there are none."""
        return self.right / self.proved if self.proved else None


def rehearse(
    table: FlowTable,
    candidates: Candidates,
    truth: dict[int, frozenset[int]],
    controls: Sequence[int],
    beats: BeatsOf = _no_beats,
) -> Rehearsal:
    """Score ``controls`` as if none could be read. ``truth``: control connection -> data connections that were proved."""
    found = assign(table, candidates, controls, np.zeros(len(table), np.bool_), beats=beats)
    given = [one for one in found if one.control in truth and not one.doubt]
    right = [one for one in given if one.flow in truth[one.control]]
    return Rehearsal(
        sessions=len(truth),
        proved=sum(map(len, truth.values())),
        given=len(given),
        right=len(right),
        clear=sum(one.clear for one in given),
        clear_right=sum(one.clear for one in right),
        withheld=len({one.flow for one in found if one.control in truth and one.doubt}),
    )
