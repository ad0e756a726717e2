"""The timeline: a lane for each control connection, its data connections on it, grouped by pair of hosts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from auditor.model import DataSummary, Report, SessionSummary
from auditor.records import record
from auditor.report.html.detail import FULL, Detail
from auditor.report.html.scale import Pixels, Tick, TimeScale, merged, nanoseconds, px
from auditor.text import byte_count, counted, data_connections

WIDTH = 760
LEFT, RIGHT = 88, 736

_HEAD, _LANE, _LEVEL, _GAP = 18, 10, 7, 6
_MOST_LEVELS = 10
_GAP_SHOWN = 3
"""A gap between captures narrower than this is no more than the width of a line."""

_ARROW_FITS = 12
"""Width of a stroke, in pixels, that an arrow does not fit into."""

OUTCOMES = {
    "SF": "closed",
    "S1": "open",
    "S2": "open",
    "S3": "open",
    "RSTO": "reset",
    "RSTR": "reset",
    "S0": "unanswered",
    "RSTOS0": "unanswered",
    "REJ": "refused",
}
"""Zeek's states in words; any other is ``unclear``: the capture lacks its beginning or one of its sides."""


@record
class Bar:
    """A data connection on its lane. ``arrow`` is ``left`` towards the originator of the control connection (a backup,
    as a rule), ``right`` away from it, or empty; its middle is at ``arrow_x``, in the stroke, or behind one that is too
    short to hold it (``beside``)."""

    x1: Pixels
    x2: Pixels
    y: Pixels
    kind: str
    grade: str
    failed: bool
    arrow: str
    arrow_x: Pixels
    beside: bool
    title: str


@record
class Lane:
    """A control connection."""

    label: str
    y: Pixels
    x1: Pixels
    x2: Pixels
    outcome: str
    title: str
    bars: tuple[Bar, ...]


@record
class Group:
    """The control connections of one pair of hosts."""

    label: str
    y: Pixels
    lanes: tuple[Lane, ...]


@record
class Timeline:
    """The whole picture; ``gaps`` are stretches of time that no capture covers. ``left_out`` counts control connections
    without a lane, ``bars_left_out`` data connections that are not on the lane of theirs."""

    groups: tuple[Group, ...]
    height: Pixels
    ticks: tuple[Tick, ...]
    gaps: tuple[tuple[Pixels, Pixels], ...]
    left_out: int
    bars_left_out: int
    any_outside: bool
    description: str


def timeline(report: Report, detail: Detail = FULL) -> Timeline | None:
    """Return the timeline of a report, None where no control connection was seen."""
    sessions = report.sessions[: detail.lanes]
    scale = TimeScale.over((nanoseconds(time) for session in sessions for time in _times(session)), LEFT, RIGHT)
    if scale is None:
        return None
    by_pair: dict[str, list[SessionSummary]] = defaultdict(list)
    for session in sessions:
        by_pair[f"{host_of(session.control.originator)} → {session.control.responder}"].append(session)
    groups = []
    y: float = 4
    for label, of in by_pair.items():
        head = y + 12
        y += _HEAD
        lanes = []
        for session in of:
            lane, height = _lane(session, y, scale, detail.bars)
            lanes.append(lane)
            y += height
        groups.append(Group(label, px(head), tuple(lanes)))
        y += _GAP
    grades = [link.grade == "proved" for session in report.sessions for link in session.data]
    failed = sum(len(session.attempts) for session in report.sessions)
    kinds = {bar.kind for group in groups for lane in group.lanes for bar in lane.bars}
    return Timeline(
        groups=tuple(groups),
        height=px(y + 22),
        ticks=scale.ticks(),
        gaps=_gaps(report, scale),
        left_out=len(report.sessions) - len(sessions),
        bars_left_out=sum(max(len(one.data) + len(one.attempts) - detail.bars, 0) for one in sessions),
        any_outside="outside" in kinds,
        description=_description(len(report.sessions), len(by_pair), (sum(grades), len(grades) - sum(grades)), failed),
    )


def _description(sessions: int, pairs: int, data: tuple[int, int], failed: int) -> str:
    """Return in words what the picture shows; ``data``: data connections whose tie is proved, and the others."""
    said = f"{counted(sessions, 'control connection')} between {counted(pairs, 'pair of hosts', 'pairs of hosts')}"
    said += f", {data_connections(*data)}"
    return f"{said}, {counted(failed, 'attempt')} that failed." if failed else f"{said}."


def host_of(endpoint: str) -> str:
    """Return the address of ``10.0.0.1:40000`` or ``[2001:db8::1]:40000``."""
    return endpoint.rpartition(":")[0].strip("[]") or endpoint


def port_of(endpoint: str) -> str:
    """Return the port of an endpoint."""
    return endpoint.rpartition(":")[2]


def _times(session: SessionSummary) -> list[str]:
    times = [session.control.first, session.control.last]
    for data in (*session.data, *session.attempts):
        times += [data.first, data.last]
    return times


def _lane(session: SessionSummary, top: float, scale: TimeScale, most: int) -> tuple[Lane, float]:
    """Return a lane and its height: connections at the same time stand above each other."""
    control = session.control
    known = [time for text in (control.first, control.last) if (time := nanoseconds(text)) is not None]
    first, last = (min(known), max(known)) if known else (scale.first, scale.last)
    placed = _levels([*((data, False) for data in session.data), *((data, True) for data in session.attempts)])
    levels = max((level for _, _, _, _, level in placed), default=0) + 1
    height = _LANE + levels * _LEVEL
    y = top + height / 2
    bars = tuple(
        _bar(data, failed, scale.at(start), scale.at(end), px(top + _LANE / 2 + (level + 0.5) * _LEVEL), session)
        for data, failed, start, end, level in placed[:most]
    )
    doing = " and ".join(session.operations) or "no operation seen"
    outcome = OUTCOMES.get(control.state, "unclear")
    title = f"{control.originator} to {control.responder}: {doing}, {outcome}, packets {control.first_packet} to {control.last_packet}"
    return Lane(f":{port_of(control.originator)}", px(y), scale.at(first), scale.at(last), outcome, title, bars), height


def _levels(links: Sequence[tuple[DataSummary, bool]]) -> list[tuple[DataSummary, bool, int, int, int]]:
    """Return connections with their times and the lowest level that is free at the time."""
    timed = []
    for data, failed in links:
        first, last = nanoseconds(data.first), nanoseconds(data.last)
        if first is not None and last is not None:
            timed.append((first, max(first, last), data, failed))
    timed.sort(key=lambda one: (one[0], one[2].first_packet))
    ends: list[int] = []
    placed = []
    for first, last, data, failed in timed:
        free = next((level for level, end in enumerate(ends) if end < first), len(ends))
        free = min(free, _MOST_LEVELS - 1)
        if free == len(ends):
            ends.append(last)
        else:
            ends[free] = max(last, ends[free])
        placed.append((data, failed, first, last, free))
    return placed


def _bar(data: DataSummary, failed: bool, x1: Pixels, x2: Pixels, y: Pixels, session: SessionSummary) -> Bar:
    inside = {end.inside for end in data.ends}
    kind = "outside" if False in inside else "inside" if True in inside else "undeclared"
    x2 = px(max(x2, x1 + 3))
    beside = x2 - x1 <= _ARROW_FITS
    carried = "not answered, or refused" if failed else byte_count(data.originator_bytes + data.responder_bytes)
    return Bar(
        x1=x1,
        x2=x2,
        y=y,
        kind=kind,
        grade=data.grade if data.grade in ("proved", "probable", "possible") else "possible",
        failed=failed,
        arrow=_arrow(data, host_of(session.control.originator)),
        arrow_x=px(x2 + 5 if beside else (x1 + x2) / 2),
        beside=beside,
        title=f"{data.originator} to {data.responder}: {data.grade}, {carried}, from packet {data.first_packet}",
    )


def _arrow(data: DataSummary, control_originator: str) -> str:
    """Return where most of the data went, seen from the control connection's ends."""
    if data.originator_bytes == data.responder_bytes:
        return ""
    receiver = data.responder if data.originator_bytes > data.responder_bytes else data.originator
    return "left" if host_of(receiver) == control_originator else "right"


def _gaps(report: Report, scale: TimeScale) -> tuple[tuple[Pixels, Pixels], ...]:
    """Return where on the page no capture was running."""
    spans = [(nanoseconds(capture.first), nanoseconds(capture.last)) for capture in report.captures]
    covered = merged((first, last) for first, last in spans if first is not None and last is not None)
    found = [(scale.at(end), scale.at(begin)) for (_, end), (begin, _) in pairwise(covered)]
    return tuple((x1, x2) for x1, x2 in found if x2 - x1 >= _GAP_SHOWN)
