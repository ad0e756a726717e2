"""The pictures of the page as SVG for paper: the geometry is the page's, colours and type are set for print.

Colours are Okabe and Ito's; shapes tell the same without them.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape as xml

from auditor.report.html.port_band import LEFT, RIGHT, WIDTH, Panel, Stroke
from auditor.report.html.scale import Tick
from auditor.report.html.timeline import WIDTH as TIMELINE_WIDTH
from auditor.report.html.timeline import Bar, Lane, Timeline
from auditor.report.pdf.blocks import clean

_INSIDE, _OUTSIDE, _INK, _QUIET, _RULE = "#0072B2", "#D55E00", "#1a1f24", "#5a646e", "#d5dade"
_COLOURS = {"inside": _INSIDE, "outside": _OUTSIDE, "undeclared": _INK}
_DASHES = {"proved": "", "probable": ' stroke-dasharray="5 2"', "possible": ' stroke-dasharray="1.5 2.5"'}
_FONT = "DejaVu Sans Mono"


def band_svg(panel: Panel) -> str:
    """Return the data ports of one host over time, against its range."""
    parts = list(_axis(panel.ticks, 4, panel.step_bottom, WIDTH))
    for segment in panel.segments:
        if segment.band:
            parts.append(
                f'<rect x="{LEFT}" y="{segment.top}" width="{RIGHT - LEFT}" height="{segment.height}" '
                'fill="#dcebf5" stroke="#a9cde4"/>'
            )
            parts.append(_text(82, segment.top + 9, str(segment.high), "end"))
            if segment.high > segment.low:
                parts.append(_text(82, segment.top + segment.height, str(segment.low), "end"))
        elif panel.declared:
            parts.append(
                _text(76, segment.top + segment.height / 2 + 4, "outside", "end", _OUTSIDE if panel.outside else _QUIET)
            )
        else:
            parts.append(_text(82, segment.top + 9, str(segment.high), "end"))
    parts += [_path(f"M{LEFT} {y}H{RIGHT}", _RULE, ' stroke-dasharray="1 3"') for y in panel.guides]
    parts += [_path(f"M60 {y + 3}l6 -6l6 6l6 -6M{LEFT} {y}H{RIGHT}", _QUIET) for y in panel.breaks]
    for stroke in panel.strokes:
        parts += _stroke(stroke)
    parts.append(f'<path d="{panel.wait_path}" fill="#cfe3f0"/><path d="{panel.use_path}" fill="{_INSIDE}"/>')
    if panel.size:
        parts.append(_path(f"M{LEFT} {panel.size_y}H{RIGHT}", _QUIET, ' stroke-dasharray="4 2"'))
        parts.append(_text(82, panel.size_y + 4, f"{panel.size} ports", "end"))
    parts.append(_text(82, panel.step_bottom, "in use", "end"))
    return _svg(parts, WIDTH, panel.height)


def timeline_svg(shown: Timeline) -> str:
    """Return control connections and their data connections over time."""
    parts = [
        f'<rect x="{x1}" y="0" width="{round(x2 - x1, 1)}" height="{shown.height - 18}" fill="#eceff1"/>'
        for x1, x2 in shown.gaps
    ]
    parts += _axis(shown.ticks, 0, shown.height - 18, TIMELINE_WIDTH)
    for group in shown.groups:
        parts.append(_text(0, group.y, group.label, "start", _INK))
        for lane in group.lanes:
            parts += _lane(lane)
    return _svg(parts, TIMELINE_WIDTH, shown.height)


def _lane(lane: Lane) -> Iterable[str]:
    yield _text(82, lane.y + 4, lane.label, "end")
    yield _path(f"M{lane.x1} {lane.y}H{lane.x2}", _INK)
    if lane.outcome == "closed":
        yield f'<circle cx="{lane.x2}" cy="{lane.y}" r="3" fill="{_INK}"/>'
    elif lane.outcome in ("reset", "refused", "unanswered"):
        yield _cross(lane.x2, lane.y, _OUTSIDE)
    else:
        yield f'<circle cx="{lane.x2}" cy="{lane.y}" r="3" fill="#fff" stroke="{_INK}"/>'
    for bar in lane.bars:
        yield from _bar(bar)


def _bar(bar: Bar) -> Iterable[str]:
    colour = _COLOURS.get(bar.kind, _INK)
    if bar.failed:
        yield _cross(bar.x1, bar.y, colour)
    else:
        yield _path(f"M{bar.x1} {bar.y}H{bar.x2}", colour, f' stroke-width="4"{_DASHES.get(bar.grade, "")}')


def _stroke(stroke: Stroke) -> Iterable[str]:
    colour = _COLOURS.get(stroke.kind, _INK)
    if stroke.failed:
        yield _cross(stroke.x1, stroke.y, colour)
    else:
        yield _path(f"M{stroke.x1} {stroke.y}H{stroke.x2}", colour, f' stroke-width="3"{_DASHES.get(stroke.grade, "")}')
        if stroke.kind == "outside":
            yield f'<path d="M{stroke.x1} {stroke.y - 4.5}l4.5 4.5-4.5 4.5-4.5-4.5z" fill="{colour}"/>'
    if stroke.label:
        yield _text(stroke.label_x, stroke.y + 4, stroke.label, stroke.label_anchor, colour)


def _axis(ticks: Iterable[Tick], top: float, bottom: float, width: int) -> Iterable[str]:
    for number, tick in enumerate(ticks):
        yield _path(f"M{tick.at} {top}V{bottom}", _RULE)
        anchor = "start" if number == 0 and tick.at < 120 else "end" if tick.at > width - 40 else "middle"
        yield _text(tick.at, bottom + 13, tick.label, anchor)


def _cross(x: float, y: float, colour: str) -> str:
    return _path(f"M{x - 3} {y - 3}l6 6m0 -6l-6 6", colour, ' stroke-width="1.5"')


def _path(place: str, colour: str, more: str = "") -> str:
    return f'<path d="{place}" fill="none" stroke="{colour}"{more}/>'


def _text(x: float, y: float, words: str, anchor: str, colour: str = _QUIET) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{colour}">{xml(clean(words))}</text>'


def _svg(parts: Iterable[str], width: float, height: float) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="{_FONT}" font-size="10">{"".join(parts)}</svg>'
    )
