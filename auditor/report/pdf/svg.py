"""What the pictures on paper are drawn with: Okabe and Ito's colours, the fonts that typst brings, escaped text."""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape as xml

from auditor.report.html.scale import Tick
from auditor.report.pdf.blocks import clean

INSIDE, OUTSIDE, UNSTATED, INK, QUIET, RULE = "#0072B2", "#D55E00", "#835a00", "#1a1f24", "#4d5761", "#d5dade"

_NUMBERS, _PROSE = "DejaVu Sans Mono", "Libertinus Serif"


def axis(ticks: Iterable[Tick], top: float, bottom: float, width: int) -> Iterable[str]:
    """Yield the lines and words of an axis of time."""
    for number, tick in enumerate(ticks):
        yield path(f"M{tick.at} {top}V{bottom}", RULE)
        anchor = "start" if number == 0 and tick.at < 120 else "end" if tick.at > width - 40 else "middle"
        yield text(tick.at, bottom + 13, tick.label, anchor)


def cross(x: float, y: float, colour: str) -> str:
    """Return the mark of what failed."""
    return path(f"M{x - 3} {y - 3}l6 6m0 -6l-6 6", colour, ' stroke-width="1.5"')


def path(place: str, colour: str, more: str = "") -> str:
    """Return a line; ``more`` is further attributes."""
    return f'<path d="{place}" fill="none" stroke="{colour}"{more}/>'


def text(x: float, y: float, words: str, anchor: str, colour: str = QUIET, *, prose: bool = False) -> str:
    """Return words at a place; ``prose`` in the type of the text, which is narrower than that of numbers."""
    style = f' font-family="{_PROSE}" font-size="12"' if prose else ""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{colour}"{style}>{xml(clean(words))}</text>'


def svg(parts: Iterable[str], width: float, height: float) -> str:
    """Return a picture of these parts."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="{_NUMBERS}" font-size="10">{"".join(parts)}</svg>'
    )
