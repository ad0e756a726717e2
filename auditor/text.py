"""Text for people: what is read from a capture made harmless, numbers, bytes and times made readable.

Everything that comes from a capture, a file name or a policy passes through ``escape`` before it reaches a terminal.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache

THIN_SPACE = "\u202f"
"""Narrow no-break space, between groups of three digits."""

_HARMFUL = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that a terminal obeys or hides: controls, bidi overrides, surrogates, line separators."""

_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks by category, blank on the screen."""

_FORMULA = tuple("=+-@'＝＋－＠")
"""How a formula begins for a spreadsheet, and how a text that was kept from being one does."""

_MAX_MARKS = 3
"""Combining marks in a row that are kept; more of them would pile up over the neighbouring lines."""

_BYTE_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")

_PLAIN = str.maketrans(
    {
        THIN_SPACE: " ",
        "\u00a0": " ",
        "–": "-",
        "—": "-",
        "→": "->",
        "·": ",",
        "…": "...",
        "×": "x",
        "µ": "u",
        "“": '"',
        "”": '"',
        "’": "'",
    }
)


def escape(text: str, *, limit: int | None = None) -> str:
    r"""Return ``text`` on one line with everything replaced that a terminal would obey or hide.

    Control characters, ANSI sequences, bidi overrides, zero-width and line-breaking characters become ``\xNN``,
    ``\uNNNN`` or ``\UNNNNNNNN``; what is longer than ``limit`` characters is cut, with an ellipsis as the last of them.
    """
    if limit is not None and len(text) > limit:
        text = f"{text[: limit - 1]}…"
    if text.isascii() and text.isprintable():
        return text
    kept: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.combining(character) else 0
        kept.append(_code(character) if is_harmful(character) or marks > _MAX_MARKS else character)
    return "".join(kept)


def cell_text(text: str) -> str:
    """Return text for a cell of a spreadsheet: escaped, and with an apostrophe in front where it would be a formula."""
    text = escape(text)
    return f"'{text}" if text.startswith(_FORMULA) else text


def path_text(path: str) -> str:
    r"""Return a path as Unicode text that can be written as UTF-8: bytes that are none become ``\xNN``."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def plain_text(text: str) -> str:
    """Return ``text`` with typographic signs (arrows, dashes, thin spaces) in plain ASCII; letters stay as they are."""
    return text.translate(_PLAIN)


def cells(text: str) -> int:
    """Return how many columns of a terminal ``text`` takes: wide characters two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def number(value: int) -> str:
    """Return a whole number in groups of three digits: ``1 252 000`` (thin spaces)."""
    return f"{value:,}".replace(",", THIN_SPACE)


def counted(value: int, singular: str, plural: str = "") -> str:
    """Return a number with its noun: ``1 finding``, ``3 findings``, ``2 hosts``."""
    return f"{number(value)} {singular if value == 1 else plural or singular + 's'}"


def data_connections(proved: int, inferred: int) -> str:
    """Return how many data connections there are, those that NDMP's messages prove apart from those tied in another way:
    ``3 data connections``, ``2 inferred data connections``, ``3 proved and 2 inferred data connections``.
    """
    if not inferred:
        return counted(proved, "data connection")
    inferred_ones = counted(inferred, "inferred data connection")
    return f"{number(proved)} proved and {inferred_ones}" if proved else inferred_ones


def byte_count(value: int) -> str:
    """Return bytes in binary units with three significant digits: ``215 040`` as ``210 KiB``."""
    if value < 1024:
        return f"{value} B"
    scaled = float(value)
    unit = 0
    # 999.5 KiB would be printed as "1000 KiB"; the next unit reads better and keeps the column narrow.
    while scaled >= 999.5 and unit + 1 < len(_BYTE_UNITS):
        scaled /= 1024
        unit += 1
    digits = 2 if scaled < 9.995 else 1 if scaled < 99.95 else 0
    return f"{scaled:.{digits}f} {_BYTE_UNITS[unit]}"


def period(first: str | None, last: str | None, *, milliseconds: bool = False) -> str:
    """Return two RFC 3339 times as a short period: ``2026-11-22 15:42:15–15:42:23 UTC``; empty where unknown."""
    if not first or not last:
        return ""
    length = 23 if milliseconds else 19
    begin, end = (time[:length].replace("T", " ") for time in (first, last))
    if begin == end:
        return f"{begin} UTC"
    if begin[:10] == end[:10]:
        return f"{begin}–{end[11:]} UTC"
    return f"{begin} – {end} UTC"


def duration(first: str | None, last: str | None) -> str:
    """Return the time between two RFC 3339 times in words: ``8.4 s``, ``2 min 05 s``, ``3 h 07 min``, ``2 d 04 h``."""
    if not first or not last:
        return ""
    seconds = _seconds(last) - _seconds(first)
    if seconds < 0:
        return ""
    if seconds < 60:
        return f"{seconds:.3f} s" if seconds < 1 else f"{seconds:.1f} s"
    whole = int(seconds)
    for size, unit, part_size, part in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // part_size:02d} {part}"
    return f"{whole} s"


def html_table(heads: Sequence[str], rows: Sequence[Sequence[str]], caption: str, *, left: int = 0) -> str:
    """Return rows as an HTML table, every text made visible and escaped; ``left`` says how many rows are not shown."""
    head = "".join(f'<th scope="col">{html_text(name)}</th>' for name in heads)
    body = "".join(f"<tr>{''.join(f'<td>{html_text(cell)}</td>' for cell in row)}</tr>" for row in rows)
    more = f"<p>… and {number(left)} more</p>" if left > 0 else ""
    caption = f"<caption>{html_text(caption)}</caption>"
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def html_text(text: str) -> str:
    """Return text for a page: what would be obeyed or hidden made visible, then escaped."""
    import html

    return html.escape(escape(text))


def packet_list(packets: Iterable[int], *, limit: int = 6) -> str:
    """Return packet numbers as ``packet 12`` or ``packets 12, 34``; more than ``limit`` are counted, not listed."""
    numbers = list(packets)
    if not numbers:
        return ""
    shown = ", ".join(str(one) for one in numbers[:limit])
    more = f", … {number(len(numbers) - limit)} more" if len(numbers) > limit else ""
    return f"packet{'s' if len(numbers) > 1 else ''} {shown}{more}"


def joined(words: Iterable[str], *, last: str = "and") -> str:
    """Return words as a phrase: ``a``, ``a and b``, ``a, b and c``."""
    parts = list(words)
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}"


def is_harmful(character: str) -> bool:
    """Return whether a terminal would obey or hide a character."""
    return unicodedata.category(character) in _HARMFUL or character in _INVISIBLE


def _code(character: str) -> str:
    value = ord(character)
    if value < 0x100:
        return f"\\x{value:02x}"
    return f"\\u{value:04x}" if value < 0x10000 else f"\\U{value:08x}"


def _seconds(time: str) -> float:
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{9})Z", time)
    if match is None:
        raise ValueError(f"not a time of a report: {time!r}")
    moment = datetime.fromisoformat(f"{match[1]}+00:00")
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() + int(match[2]) / 1e9


@lru_cache(maxsize=64)
def day_text(day: int) -> str:
    """Return the date that is so many days after 1970-01-01. A report of a small capture has four hundred times of one day."""
    return date.fromordinal(_EPOCH + day).isoformat()


_EPOCH = date(1970, 1, 1).toordinal()
