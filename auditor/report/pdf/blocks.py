"""What a section of the PDF is made of: plain values that the template inserts as text, never as markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from auditor.text import escape, number, path_text

LONGEST = 2000
"""Characters of one text on paper; the JSON report has all of it."""

MOST_ROWS = 300
"""Rows of a table on paper; the JSON report has all of them."""

_RUN = 48
_BREAK = "\u200b"
"""A place to break a line, without width."""

_SHOWN = ((0x20, 0x7E), (0xA0, 0x24F), (0x370, 0x3FF), (0x400, 0x45F))
"""Ranges of characters that the fonts have: Latin, Greek, Cyrillic."""

_SIGNS = frozenset("–—…→·×“”’‘•")

Block = dict[str, Any]
Line = dict[str, str]


def clean(text: str, *, limit: int = LONGEST) -> str:
    r"""Return text as it can be set: what would be obeyed or hidden, or is in no font, is shown as ``\uNNNN``.

    A thin space becomes an ordinary one that does not break, and a run without spaces may be broken.
    """
    shown = escape(path_text(text), limit=limit).replace("\u202f", "\u00a0")
    if not shown.isascii():
        shown = "".join(one if _has_glyph(one) else f"\\u{ord(one):04x}" for one in shown)
    words = shown.split(" ")
    if any(len(word) > _RUN for word in words):
        shown = " ".join(_BREAK.join(word[at : at + _RUN] for at in range(0, len(word), _RUN)) for word in words)
    return shown


def line(text: str, style: str = "") -> Line:
    """Return a line of a cell; ``style`` is empty, ``mono``, ``quiet``, ``strong`` or ``bad``."""
    return {"text": clean(text), "style": style}


def text(words: str) -> Block:
    """Return a paragraph."""
    return {"kind": "text", "text": clean(words)}


def quiet(words: str) -> Block:
    """Return a paragraph of an aside."""
    return {"kind": "quiet", "text": clean(words)}


def legend(words: str) -> Block:
    """Return what the signs of a picture mean; it stays on the page of the picture."""
    return {"kind": "legend", "text": clean(words)}


def heading(words: str) -> Block:
    """Return a heading within a section."""
    return {"kind": "heading", "text": clean(words)}


def listing(items: Iterable[str]) -> Block:
    """Return a list."""
    return {"kind": "list", "items": [clean(item) for item in items]}


def picture(svg: str, alt: str, caption: str) -> Block:
    """Return a picture; ``alt`` says what it shows."""
    return {"kind": "picture", "svg": svg, "alt": clean(alt), "caption": clean(caption)}


def table(
    caption: str, columns: Sequence[tuple[str, int, str]], rows: Iterable[Sequence[str | Sequence[Line]]]
) -> Block:
    """Return a table: columns with title, width (0: as wide as needed, else a share) and side; a cell is text or lines."""
    return {
        "kind": "table",
        "caption": clean(caption),
        "head": [title for title, _, _ in columns],
        "widths": [width for _, width, _ in columns],
        "aligns": [side for _, _, side in columns],
        "rows": [[[line(cell)] if isinstance(cell, str) else list(cell) for cell in row] for row in rows],
    }


def left_out(count: int, what: str) -> Iterable[Block]:
    """Yield how many rows of a table are not on paper, if any."""
    if count > MOST_ROWS:
        yield quiet(f"… and {number(count - MOST_ROWS)} more {what}; the JSON report has all of them.")


def _has_glyph(character: str) -> bool:
    code = ord(character)
    return character in _SIGNS or any(low <= code <= high for low, high in _SHOWN)
