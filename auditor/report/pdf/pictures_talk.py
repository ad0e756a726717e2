"""Who talks to whom, and peak use against capacity, as SVG for paper: the geometry is the page's."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.report.html.capacity import LEFT, RIGHT, WIDTH, Peaks
from auditor.report.html.capacity import Use as HostUse
from auditor.report.html.talk import WIDTH as TALK_WIDTH
from auditor.report.html.talk import Edge, Talk, ZoneBox
from auditor.report.pdf.svg import INK, INSIDE, OUTSIDE, QUIET, RULE, UNSTATED, axis, path, svg, text

_COLOURS = {"permit": INSIDE, "unstated": UNSTATED, "deny": OUTSIDE}
_LINES = {"permit": ' stroke-width="2"', "unstated": ' stroke-width="2" stroke-dasharray="6 3"',
          "deny": ' stroke-width="2.6" stroke-dasharray="2 3"'}  # fmt: skip
_BAND, _BAND_EDGE, _WAIT, _HELD = "#dcebf5", "#a9cde4", "#cfe3f0", "#99c7e0"
_BAR_RIGHT = 330


def talk_svg(shown: Talk) -> str:
    """Return services between zones: a column for each zone, a row for each service."""
    parts = [part for zone in shown.zones for part in _zone(zone, shown.height)]
    parts += [part for edge in shown.edges for part in _edge(edge)]
    return svg(parts, TALK_WIDTH, shown.height)


def _zone(zone: ZoneBox, height: float) -> Iterable[str]:
    yield path(f"M{zone.x} 38V{height - 4}", RULE)
    yield f'<rect x="{zone.left}" y="4" width="{zone.width}" height="34" rx="2" fill="#f3f5f7" stroke="{RULE}"/>'
    for number, line in enumerate(zone.lines):
        y = 25 if len(zone.lines) == 1 else 18 + 13 * number
        yield text(zone.x, y, line, "middle", INK, prose=True)


def _edge(edge: Edge) -> Iterable[str]:
    colour, line = _COLOURS.get(edge.verdict, UNSTATED), _LINES.get(edge.verdict, "")
    yield text(0, edge.y - 2, edge.service, "start", INK, prose=True)
    yield text(0, edge.y + 11, edge.port, "start", prose=True)
    start = edge.y
    if edge.loop:
        start = edge.y - 5
        yield path(f"M{edge.x1} {start}h16a5 5 0 0 1 0 10H{edge.x1 + 5}", colour, line)
        tip = f"M{edge.x1} {edge.y + 5}l7 -4v8z"
    else:
        right = edge.x2 > edge.x1
        yield path(f"M{edge.x1} {edge.y}H{edge.x2 - 5 if right else edge.x2 + 5}", colour, line)
        tip = f"M{edge.x2} {edge.y}l{-8 if right else 8} -4v8z"
    yield f'<path d="{tip}" fill="{colour}"/><circle cx="{edge.x1}" cy="{start}" r="2.5" fill="{colour}"/>'
    yield text(TALK_WIDTH, edge.y - 2 if edge.part else edge.y + 4, edge.amount, "end", prose=True)
    if edge.part:
        yield text(TALK_WIDTH, edge.y + 11, edge.part, "end", colour, prose=True)


def peaks_svg(shown: Peaks) -> str:
    """Return how much of each host's range was in use at most, and when."""
    parts = list(axis(shown.ticks, 18, shown.height - 16, WIDTH))
    parts += [part for row in shown.rows for part in _row(row)]
    return svg(parts, WIDTH, shown.height)


def _row(row: HostUse) -> Iterable[str]:
    limited = row.limit_x is not None
    yield text(0, row.y, row.host, "start", INK)
    yield text(_BAR_RIGHT if limited else RIGHT, row.y, row.words, "end", prose=True)
    if limited:
        y = row.bar_y
        yield f'<path d="M0 {y}H{row.limit_x}v18H0z" fill="{_BAND}" stroke="{_BAND_EDGE}"/>'
        yield f'<path d="M0 {y + 2}H{row.held_x}v14H0z" fill="{_HELD}"/>'
        yield f'<path d="M0 {y + 5}H{row.open_x}v8H0z" fill="{INSIDE}"/>'
        yield path(f"M{row.held_x} {y + 2}v14", INSIDE) + path(f"M{row.limit_x} {y - 3}v24", INK, ' stroke-width="2"')
    yield f'<path d="{row.held_path}" fill="{_WAIT}"/><path d="{row.open_path}" fill="{INSIDE}"/>'
    if limited:
        yield path(f"M{LEFT} {row.limit_y}H{RIGHT}", QUIET, ' stroke-dasharray="4 2"')
    if row.over:
        yield text(RIGHT, row.y, row.full, "end", OUTSIDE, prose=True)
