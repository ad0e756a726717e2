"""Data ports and the timeline as SVG for paper: the geometry is the page's; shapes tell the same without colours."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.report.html.port_band import LEFT, RIGHT, WIDTH, Panel, Stroke
from auditor.report.html.timeline import WIDTH as TIMELINE_WIDTH
from auditor.report.html.timeline import Bar, Lane, Timeline
from auditor.report.pdf.svg import INK, INSIDE, OUTSIDE, QUIET, RULE, axis, cross, path, svg, text

_COLOURS = {"inside": INSIDE, "outside": OUTSIDE, "undeclared": INK}
_DASHES = {"proved": "", "probable": ' stroke-dasharray="5 2"', "possible": ' stroke-dasharray="1.5 2.5"'}


def band_svg(panel: Panel) -> str:
    """Return the data ports of one host over time, against its range."""
    parts = list(axis(panel.ticks, 4, panel.step_bottom, WIDTH))
    for segment in panel.segments:
        if segment.band:
            parts.append(
                f'<rect x="{LEFT}" y="{segment.top}" width="{RIGHT - LEFT}" height="{segment.height}" '
                'fill="#dcebf5" stroke="#a9cde4"/>'
            )
            parts.append(text(82, segment.top + 9, str(segment.high), "end"))
            if segment.high > segment.low:
                parts.append(text(82, segment.top + segment.height, str(segment.low), "end"))
        elif panel.declared:
            parts.append(
                text(76, segment.top + segment.height / 2 + 4, "outside", "end", OUTSIDE if panel.outside else QUIET)
            )
        else:
            parts.append(text(82, segment.top + 9, str(segment.high), "end"))
    parts += [path(f"M{LEFT} {y}H{RIGHT}", RULE, ' stroke-dasharray="1 3"') for y in panel.guides]
    parts += [path(f"M60 {y + 3}l6 -6l6 6l6 -6M{LEFT} {y}H{RIGHT}", QUIET) for y in panel.breaks]
    for stroke in panel.strokes:
        parts += _stroke(stroke)
    parts.append(f'<path d="{panel.wait_path}" fill="#cfe3f0"/><path d="{panel.use_path}" fill="{INSIDE}"/>')
    if panel.size:
        parts.append(path(f"M{LEFT} {panel.size_y}H{RIGHT}", QUIET, ' stroke-dasharray="4 2"'))
        parts.append(text(82, panel.size_y + 4, f"{panel.size} ports", "end"))
    parts.append(text(82, panel.step_bottom, "in use", "end"))
    return svg(parts, WIDTH, panel.height)


def timeline_svg(shown: Timeline) -> str:
    """Return control connections and their data connections over time."""
    parts = [
        f'<rect x="{x1}" y="0" width="{round(x2 - x1, 1)}" height="{shown.height - 18}" fill="#eceff1"/>'
        for x1, x2 in shown.gaps
    ]
    parts += axis(shown.ticks, 0, shown.height - 18, TIMELINE_WIDTH)
    for group in shown.groups:
        parts.append(text(0, group.y, group.label, "start", INK))
        for lane in group.lanes:
            parts += _lane(lane)
    return svg(parts, TIMELINE_WIDTH, shown.height)


def _lane(lane: Lane) -> Iterable[str]:
    yield text(82, lane.y + 4, lane.label, "end")
    yield path(f"M{lane.x1} {lane.y}H{lane.x2}", INK)
    if lane.outcome == "closed":
        yield f'<circle cx="{lane.x2}" cy="{lane.y}" r="3" fill="{INK}"/>'
    elif lane.outcome in ("reset", "refused", "unanswered"):
        yield cross(lane.x2, lane.y, OUTSIDE)
    else:
        yield f'<circle cx="{lane.x2}" cy="{lane.y}" r="3" fill="#fff" stroke="{INK}"/>'
    for bar in lane.bars:
        yield from _bar(bar)


def _bar(bar: Bar) -> Iterable[str]:
    colour = _COLOURS.get(bar.kind, INK)
    if bar.failed:
        yield cross(bar.x1, bar.y, colour)
    else:
        yield path(f"M{bar.x1} {bar.y}H{bar.x2}", colour, f' stroke-width="5"{_DASHES.get(bar.grade, "")}')
        if bar.arrow:
            way = -1 if bar.arrow == "left" else 1
            x = round(bar.arrow_x - 2 * way, 1)
            fill, half = (colour, 3.5) if bar.beside else ("#fff", 2.5)
            length = (half + 1.5) * way
            yield f'<path d="M{x} {bar.y - half}l{length} {half} {-length} {half}z" fill="{fill}"/>'


def _stroke(stroke: Stroke) -> Iterable[str]:
    colour = _COLOURS.get(stroke.kind, INK)
    if stroke.failed:
        yield cross(stroke.x1, stroke.y, colour)
    else:
        yield path(f"M{stroke.x1} {stroke.y}H{stroke.x2}", colour, f' stroke-width="3"{_DASHES.get(stroke.grade, "")}')
        if stroke.kind == "outside":
            yield f'<path d="M{stroke.x1} {stroke.y - 4.5}l4.5 4.5-4.5 4.5-4.5-4.5z" fill="{colour}"/>'
    if stroke.label:
        yield text(stroke.label_x, stroke.y + 4, stroke.label, stroke.label_anchor, colour)
