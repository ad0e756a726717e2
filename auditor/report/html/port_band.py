"""The port band: data ports over time, one small picture for each host, against the range that it declares.

Only geometry; the template draws. Inside the range the axis is linear; each port outside has a row of its own, above
or below the band and behind a broken axis, so that one far away is as plain to see as a near one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from auditor.model import DataEnd, DataSummary, Report
from auditor.ports import PortError, PortSet, parse_ports
from auditor.records import record
from auditor.report.html.detail import FULL, Detail
from auditor.report.html.scale import Pixels, Tick, TimeScale, merged, nanoseconds, px, steps
from auditor.text import counted, joined, number

WIDTH = 760
LEFT, RIGHT = 88, 744
TIME_WAIT = 240 * 1_000_000_000
"""Twice RFC 9293's maximum segment lifetime: so long may a closed port stay taken."""

_TOP, _BREAK, _STEP_GAP, _STEP_HEIGHT = 10, 14, 16, 40
_ROW_MOST, _ROW_LEAST, _ROWS_HEIGHT, _LABELLED = 15.0, 2.0, 210.0, 9.0
_LABEL_WIDTH = 60
_MOST_GUIDES = 25
_MOST_FAILED = 6
_MOST_LINKS = 12

Key = tuple[str, str]


@record
class Use:
    """One data connection at one host: its own port, from ``first`` to ``last`` in nanoseconds."""

    end: DataEnd
    data: DataSummary
    first: int
    last: int
    failed: bool


@record
class Segment:
    """A piece of the broken axis, from ``top``: a declared range, or rows of single ports outside."""

    ports: tuple[int, ...]
    low: int
    high: int
    band: bool
    top: Pixels
    height: Pixels

    def at(self, port: int) -> Pixels:
        """Return the place of a port, the highest port on top."""
        if self.band:
            return px(self.top + (self.high - port + 0.5) / (self.high - self.low + 1) * self.height)
        return px(self.top + (self.ports.index(port) + 0.5) / len(self.ports) * self.height)

    def holds(self, port: int) -> bool:
        """Whether a port is shown in this piece."""
        return self.low <= port <= self.high if self.band else port in self.ports


@record
class Stroke:
    """A data connection as drawn: ``kind`` is inside, outside or undeclared."""

    x1: Pixels
    x2: Pixels
    y: Pixels
    kind: str
    grade: str
    failed: bool
    title: str
    label: str
    label_x: Pixels
    label_anchor: str


@record
class Panel:
    """The picture of one host."""

    host: str
    declared: str
    size: int
    peak: int
    outside: tuple[int, ...]
    links: tuple[tuple[int, str], ...]
    connections: int
    segments: tuple[Segment, ...]
    breaks: tuple[Pixels, ...]
    guides: tuple[Pixels, ...]
    strokes: tuple[Stroke, ...]
    left_out: int
    plot_bottom: Pixels
    step_top: Pixels
    step_bottom: Pixels
    height: Pixels
    size_y: Pixels
    use_path: str
    wait_path: str
    ticks: tuple[Tick, ...]
    description: str


@record
class PortBand:
    """All panels, and for the table every host with ``(host, declared, size, connections, outside, peak)``."""

    panels: tuple[Panel, ...]
    rows: tuple[tuple[str, str, int, int, tuple[int, ...], int], ...]
    any_outside: bool
    any_declared: bool
    any_carried: bool


def port_band(report: Report, links: Mapping[tuple[str, str], str], detail: Detail = FULL) -> PortBand:
    """Return the port band of a report; ``links`` leads from the ends of a flow to the finding that cites it.

    Hosts with ports outside come first where not all have a picture; the table beside it has all of them.
    """
    uses = _uses(report)
    declared = {host: uses_ for host, uses_ in uses.items() if uses_[0].end.declared}
    # Without any declared range there is no band, but which ports were used is still worth a look.
    shown = declared or {h: kept for h, u in uses.items() if (kept := [x for x in u if x.end.side == "listens"])}
    by_host = sorted(shown, key=lambda host: -len(_outside(shown[host])))
    drawn = set(by_host[: detail.panels])
    scale = TimeScale.over((t for host in drawn for use in shown[host] for t in (use.first, use.last)), LEFT, RIGHT)
    axes = _axes({host: shown[host] for host in shown if host in drawn})
    panels = tuple(
        _panel(host, shown[host], axes[shown[host][0].end.declared], scale, links, detail.strokes)
        for host in shown
        if host in drawn and scale is not None
    )
    rows = tuple(
        (host, of[0].end.declared, _size(of[0].end.declared), len(of), _outside(of), _peak(of))
        for host, of in shown.items()
    )
    return PortBand(panels, rows, any(row[4] for row in rows), bool(declared), any(row[5] for row in rows))


def _uses(report: Report) -> dict[str, list[Use]]:
    """Return the data connections of each host of the policy, in the order of the report's hosts."""
    found: dict[str, list[Use]] = defaultdict(list)
    for session in report.sessions:
        for data, failed in [(d, False) for d in session.data] + [(d, True) for d in session.attempts]:
            first, last = nanoseconds(data.first), nanoseconds(data.last)
            if first is None or last is None:
                continue
            for end in data.ends:
                found[end.host].append(Use(end, data, first, max(first, last), failed))
    order = {host.address: position for position, host in enumerate(report.hosts)}
    return {host: found[host] for host in sorted(found, key=lambda host: (order.get(host, len(order)), host))}


def _outside(uses: Iterable[Use]) -> tuple[int, ...]:
    return tuple(sorted({use.end.port for use in uses if use.end.inside is False}))


def _ports(declared: str) -> PortSet | None:
    try:
        return parse_ports(declared) if declared else None
    except PortError:
        # A report is a file: what it says need not be what auditor wrote.
        return None


def _size(declared: str) -> int:
    ports = _ports(declared)
    return 0 if ports is None else ports.size


def _axes(uses: Mapping[str, Sequence[Use]]) -> dict[str, tuple[Segment, ...]]:
    """Return the axis of each declared range: hosts that declare the same share it."""
    ports: dict[str, set[int]] = defaultdict(set)
    for of in uses.values():
        ports[of[0].end.declared] |= {use.end.port for use in of}
    return {declared: _segments(_ports(declared), of) for declared, of in ports.items()}


def _segments(declared: PortSet | None, used: set[int]) -> tuple[Segment, ...]:
    """Return the pieces of an axis from the top: the declared ranges, and the ports outside between them."""
    ranges = sorted(() if declared is None else declared.ranges, reverse=True)
    rest = sorted((port for port in used if declared is None or port not in declared), reverse=True)
    pitch = max(min(_ROW_MOST, _ROWS_HEIGHT / max(len(rest), 1)), _ROW_LEAST)
    found: list[Segment] = []
    top: float = _TOP
    for low, high in [*ranges, (-1, -1)]:
        above = tuple(port for port in rest if port > high)
        rest = [port for port in rest if port < low]
        if above:
            height = max(len(above) * pitch, 14)
            found.append(Segment(above, above[-1], above[0], False, px(top), px(height)))
            top += height + _BREAK
        if high > 0:
            height = min(max((high - low + 1) * 4, 24 if len(ranges) > 1 else 72), 160)
            found.append(Segment((), low, high, True, px(top), px(height)))
            top += height + _BREAK
    return tuple(found)


def _panel(
    host: str,
    uses: Sequence[Use],
    segments: tuple[Segment, ...],
    scale: TimeScale,
    links: Mapping[Key, str],
    most: int,
) -> Panel:
    plot_bottom = float(segments[-1].top + segments[-1].height)
    declared = uses[0].end.declared
    size, peak, outside = _size(declared), _peak(uses), _outside(uses)
    step_top = plot_bottom + _STEP_GAP
    step_bottom = step_top + _STEP_HEIGHT
    held = steps(span for spans in _spans(uses, TIME_WAIT).values() for span in spans)
    high = max(size, max((count for _, count in held), default=1), 1)
    carried = [use for use in uses if not use.failed]

    def level(count: int) -> Pixels:
        return px(step_bottom - count / high * _STEP_HEIGHT)

    in_use = steps(span for spans in _spans(uses, 0).values() for span in spans)
    counted_labels = Counter(use.end.port for use in uses)
    return Panel(
        host=host,
        declared=declared,
        size=size,
        peak=peak,
        outside=outside,
        links=_links(uses, links),
        connections=len(carried),
        segments=segments,
        breaks=tuple(px(float(s.top) - _BREAK / 2) for s in segments[1:]),
        guides=tuple(s.at(port) for port in outside for s in segments if s.holds(port) and len(s.ports) < _MOST_GUIDES),
        strokes=tuple(_stroke(use, segments, scale, counted_labels) for use in _drawn(uses, most)),
        left_out=max(len(uses) - most, 0),
        plot_bottom=px(plot_bottom),
        step_top=px(step_top),
        step_bottom=px(step_bottom),
        height=px(step_bottom + 22),
        size_y=level(size),
        use_path=_path(in_use, scale, level),
        wait_path=_path(held, scale, level),
        ticks=scale.ticks(),
        description=_description(declared, size, peak, outside, len(carried), len(uses) - len(carried)),
    )


def _drawn(uses: Sequence[Use], most: int) -> Sequence[Use]:
    """Return what is drawn of too many: the ports outside first."""
    return uses if len(uses) <= most else sorted(uses, key=lambda use: use.end.inside is not False)[:most]


def _links(uses: Iterable[Use], links: Mapping[Key, str]) -> tuple[tuple[int, str], ...]:
    """Return the first ports outside, each with the finding that cites one of its connections, or with nothing."""
    found: dict[int, str] = {}
    for use in uses:
        if use.end.inside is False:
            link = links.get((use.data.originator, use.data.responder), "")
            found[use.end.port] = found.get(use.end.port) or link
    return tuple(sorted(found.items()))[:_MOST_LINKS]


def _description(declared: str, size: int, peak: int, outside: Sequence[int], carried: int, failed: int) -> str:
    """Return in words what the picture of a host shows."""
    said = counted(carried, "data connection")
    if failed:
        said += f" and {counted(failed, 'attempt')} that failed"
    if not declared:
        return f"{said}; no range is declared. At most {number(peak)} at once."
    if outside:
        shown = joined([*map(str, outside[:12]), *([f"{number(len(outside) - 12)} more"] if len(outside) > 12 else [])])
        said += f"; outside {declared}: {shown}"
    else:
        said += f"; all inside {declared}"
    return f"{said}. At most {number(peak)} at once, of {number(size)} ports."


def _stroke(use: Use, segments: Sequence[Segment], scale: TimeScale, counts: Counter[int]) -> Stroke:
    port, data = use.end.port, use.data
    segment = next((segment for segment in segments if segment.holds(port)), segments[-1])
    kind = {True: "inside", False: "outside", None: "undeclared"}[use.end.inside]
    x1, x2 = scale.at(use.first), scale.at(use.last)
    pitch = segment.height / max(len(segment.ports), 1)
    label = str(port) if not segment.band and pitch >= _LABELLED and counts[port] == 1 else ""
    if use.failed and len(counts) <= _MOST_FAILED:
        label = f"{port} failed"
    right = x2 + 8 + _LABEL_WIDTH <= RIGHT
    peer = data.responder if use.end.side == "connects" else data.originator
    word = f"{kind}, {data.grade}" if kind != "undeclared" else data.grade
    doing = "tried" if use.failed else use.end.side
    return Stroke(
        x1=x1,
        x2=px(max(x2, x1 + 2)),
        y=segment.at(port),
        kind=kind,
        grade=data.grade if data.grade in ("proved", "probable", "possible") else "possible",
        failed=use.failed,
        title=f"port {port}, {word}: {doing}, with {peer}, from packet {data.first_packet}",
        label=label,
        label_x=px(x2 + 8) if right else px(x1 - 9),
        label_anchor="start" if right else "end",
    )


def _spans(uses: Iterable[Use], longer: int) -> dict[int, list[tuple[int, int]]]:
    """Return when each port was taken, by connections that came about; ``longer`` after their end."""
    spans: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for use in uses:
        if not use.failed:
            # Of two connections in one nanosecond each still counts.
            spans[use.end.port].append((use.first, max(use.last, use.first + 1) + longer))
    return {port: merged(of) for port, of in spans.items()}


def _peak(uses: Iterable[Use]) -> int:
    return max((count for _, count in steps(s for of in _spans(uses, 0).values() for s in of)), default=0)


def _path(counts: Sequence[tuple[int, int]], scale: TimeScale, level: object) -> str:
    """Return the outline of a step line, closed along its foot."""
    assert callable(level)
    if not counts:
        return ""
    parts = [f"M{scale.at(counts[0][0])} {level(0)}"]
    for time, count in counts:
        parts.append(f"H{scale.at(time)}V{level(count)}")
        if time >= scale.last:
            break
    return f"{''.join(parts)}H{scale.at(min(counts[-1][0], scale.last))}V{level(0)}Z"
