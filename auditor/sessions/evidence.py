"""What speaks for a connection being the data connection of a control connection that cannot be read.

Flow columns (hosts, times of first and last packets, byte counts, handshake, payload recognition), and the times of the
control connection's single segments. Not used: sizes of TLS records, the dynamic range of a policy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from auditor import _native
from auditor.distinct import among
from auditor.flows import FlowTable
from auditor.records import record, replace
from auditor.sessions.infer import ENDED, MOST_POSSIBLE, Candidates, Mask
from auditor.sessions.timing import NO_TURN, Beats

_SECOND = 1_000_000_000
SOON = 2 * _SECOND
AFTERWARDS = 5 * _SECOND
ONE_WAY = 50
BULK = 16 * 1024

WEIGHTS = {
    "pair": (2, "same two hosts"),
    "third": (1, "between two hosts that the same client controls"),
    "stranger": (-1, "same client, and an address without control connections"),
    "answered": (4, "opened at once after this NDMP server had answered its client, no other nearer"),
    "pending": (4, "opened by the NDMP server while its client waited for this answer, no other nearer"),
    "notice": (2, "at its end this NDMP server spoke unasked, no other nearer"),
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
"""Evidence -> weight and reason. Log-odds of the literature, where columns and segments allow them; not fitted."""

LAG_WIDTH = 10_000_000
"""Times from the end of the data to the close of the control connection that count as equal, ns."""
LEAST_ALIKE = 3
"""Control connections that must agree in this time before it says anything."""
MOST_PAIRS = 60_000
"""Pairs of a control connection and a candidate that are weighed, about: of very many control connections each gets less."""

LEAST_SHARE = 4
"""Candidates that each control connection gets, however many there are."""

AS_NEAR = 3
"""A control segment this many times as far off as the nearest one explains as well as that does."""
RESOLUTION = 1_000_000
"""Below this many ns it is the scheduler's doing, which of two segments is the nearer one."""
FAR = NO_TURN.gap

_NO_ROWS = np.zeros(0, np.intp)
_MTF = _native.APPS.index("mtf")
TWO_WAY = -1

BeatsOf = Callable[[int], Beats | None]
"""The segments of a control connection (row of the flow table); None where there are none."""


@record
class Pair:
    """A control connection and a candidate, with the evidence for one another; times in ns.

    ``side``: address code of the NDMP server, where the connection joins two that one client controls: it belongs to
    a control connection on each side then; ``TWO_WAY`` otherwise. ``opening`` and ``ending``: how near these lie to
    the control segments that explain them, ``FAR`` where none does. ``lag``: from its end to that of the control
    connection, negative where they were not both captured, or in the other order. ``begun``: the candidate's SYN was captured.
    """

    control: int
    flow: int
    evidence: tuple[str, ...]
    delay: int
    opening: int
    ending: int
    first: int
    last: int
    lag: int
    begun: bool
    side: int = TWO_WAY

    @property
    def gap(self) -> int:
        """How near both lie together."""
        return self.opening + self.ending

    @property
    def score(self) -> int:
        """Sum of the weights."""
        return sum(WEIGHTS[name][0] for name in self.evidence)

    @property
    def reasons(self) -> tuple[str, ...]:
        """The evidence in words."""
        return tuple(WEIGHTS[name][1] for name in self.evidence)

    @property
    def turned(self) -> bool:
        """Whether its opening fits a turn of the control connection."""
        return "answered" in self.evidence or "pending" in self.evidence

    def overlaps(self, other: Pair) -> bool:
        """Whether both candidates were open at the same time."""
        return self.first < other.last and other.first < self.last


class Weigher:
    """Finds and weighs the pairs of some control connections. ``running``: those to which nothing newer is given."""

    def __init__(self, table: FlowTable, candidates: Candidates, controls: Sequence[int], beats: BeatsOf) -> None:
        self._table = table
        self._candidates = candidates
        self._controls = controls
        self._beats = {control: beats(control) for control in controls}
        self._nearest = _nearest(table, candidates, controls)
        hosts = {int(table[f"{side}_addr"][control]) for control in controls for side in ("orig", "resp")}
        self._hosts = frozenset(hosts)
        servers = frozenset(int(table["resp_addr"][control]) for control in controls)
        self._between = candidates.within(servers)
        self._by_client: dict[int, set[int]] = {}
        for control in controls:
            self._by_client.setdefault(int(table["orig_addr"][control]), set()).add(int(table["resp_addr"][control]))

    def pairs(self, taken: Mask, running: frozenset[int]) -> tuple[list[Pair], int]:
        """Return the pairs, and the learned time from the end of the data to the close (ns, 0 where none)."""
        found: list[Pair] = []
        ranks = self._candidates.ranks(self._controls)
        share = min(max(MOST_PAIRS // max(len(self._controls), 1), LEAST_SHARE), MOST_POSSIBLE)
        for control in self._controls:
            rows = self._candidates.open_with(control, taken, ranks[control], share)
            if control in running:
                rows = rows[self._table["syn_packets"][rows] == 0]
            found += [self._weigh(control, int(row), "pair") for row in rows]
        for control in self._controls:
            if self._beats[control] is not None and control not in running and len(found) < MOST_PAIRS:
                found += self._elsewhere(control, taken)
        return _with_lag(_nearest_turns(found))

    def _elsewhere(self, control: int, taken: Mask) -> list[Pair]:
        """Weigh connections with another host than the client; without a turn to match they are no candidates."""
        client, server = int(self._table["orig_addr"][control]), int(self._table["resp_addr"][control])
        found: list[Pair] = []
        rows = self._between.get(server, _NO_ROWS)
        if len(rows):
            others = np.array(sorted(self._by_client[client] - {server, client}), np.uint32)
            orig, resp = self._table["orig_addr"][rows], self._table["resp_addr"][rows]
            rows = rows[among(np.where(orig == server, resp, orig), others)]
            rows = self._candidates.come_about(control, rows, taken)
            found += [replace(self._weigh(control, int(row), "third"), side=server) for row in rows]
        rows = self._candidates.with_strangers(client, self._hosts)
        rows = rows[np.maximum(self._table["orig_payload"][rows], self._table["resp_payload"][rows]) >= BULK]
        rows = self._candidates.come_about(control, rows, taken)
        weighed = [self._weigh(control, int(row), "stranger") for row in rows]
        found += [pair for pair in weighed if "within" in pair.evidence]
        return [pair for pair in found if pair.turned]

    def _weigh(self, control: int, flow: int, hosts: str) -> Pair:
        table = self._table
        first, last = int(table["first_time"][flow]), int(table["last_time"][flow])
        opened, closed = int(table["first_time"][control]), int(table["last_time"][control])
        ended = int(table["state"][control]) in ENDED
        both = ended and int(table["state"][flow]) in ENDED
        seen, begun = bool(table["syn_packets"][control]), bool(table["syn_packets"][flow])
        payload = sorted((int(table["orig_payload"][flow]), int(table["resp_payload"][flow])))
        beats, turn, notice = self._beats[control], NO_TURN, None
        if beats is not None:
            by_server = int(table["orig_addr"][flow]) != int(table["orig_addr"][control])
            if hosts == "third":
                by_server = int(table["orig_addr"][flow]) == int(table["resp_addr"][control])
            turn = beats.opening(first, by_server=by_server) if begun else NO_TURN
            notice = beats.notice_after(last)
        tests = {
            hosts: True,
            turn.kind: bool(turn.kind),
            "notice": notice is not None,
            "soon": seen and 0 <= first - opened <= SOON,
            "nearest": self._nearest.get(flow) == control,
            "within": ended and first >= opened and last <= closed,
            "afterwards": both and 0 <= closed - last <= AFTERWARDS,
            "one-way": payload[1] > ONE_WAY * payload[0],
            "bulk": payload[1] >= BULK,
            "mtf": int(table["app"][flow]) == _MTF,
            "empty": payload[1] == 0,
        }
        evidence = tuple(name for name, holds in tests.items() if holds)
        ending = notice if notice is not None else FAR
        lag = closed - last if both else -1
        return Pair(control, flow, evidence, abs(first - opened), turn.gap, ending, first, last, lag, begun)


def _nearest_turns(pairs: list[Pair]) -> list[Pair]:
    """Let the nearest control segment explain an opening or an ending; those much farther off explain nothing.

    Connections with another host keep theirs: without a turn they would be no candidates.
    """
    openings: dict[tuple[int, int], int] = {}
    endings: dict[tuple[int, int], int] = {}
    for pair in pairs:
        place = (pair.flow, pair.side)
        openings[place] = min(openings.get(place, FAR), pair.opening)
        endings[place] = min(endings.get(place, FAR), pair.ending)
    kept: list[Pair] = []
    for pair in pairs:
        far = set()
        if pair.opening > max(AS_NEAR * openings[pair.flow, pair.side], RESOLUTION):
            far |= {"answered", "pending"}
        if pair.ending > max(AS_NEAR * endings[pair.flow, pair.side], RESOLUTION):
            far.add("notice")
        kept.append(replace(pair, evidence=tuple(name for name in pair.evidence if name not in far)) if far else pair)
    return kept


def _nearest(table: FlowTable, candidates: Candidates, controls: Sequence[int]) -> Mapping[int, int]:
    """Return for each candidate the control connection of its hosts that opened last before it."""
    nearest: dict[int, int] = {}
    for rows_of_pair in candidates.by_pair(controls):
        own = rows_of_pair[np.argsort(table["first_time"][rows_of_pair], kind="stable")]
        rows = candidates.of_pair(int(own[0]))
        last = np.searchsorted(table["first_time"][own], table["first_time"][rows], side="right") - 1
        after = last >= 0
        nearest |= dict(zip(rows[after].tolist(), own[last[after]].tolist(), strict=True))
    return nearest


def _with_lag(pairs: list[Pair]) -> tuple[list[Pair], int]:
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
