r"""Logs in Zeek's ASCII format, for tools that read Zeek's: conn.log of the flows, notice.log of the findings.

A head of ``#`` lines, then values between tabs: ``-`` for none, ``(empty)`` for an empty set, ``\xNN`` for bytes that
would break a line. (docs.zeek.org, "Zeek Log Formats"; base/frameworks/logging/writers/ascii.zeek)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditor.text import escape

UNSET, EMPTY = "-", "(empty)"

_ROWS = 4096


def log_pieces(path: str, fields: Iterable[tuple[str, str]], rows: Iterable[tuple[str, ...]]) -> Iterator[bytes]:
    """Yield a log piece by piece. ``fields``: names and Zeek types; ``rows``: values that are text already.

    No ``#open`` and ``#close`` with the time of writing: the same report gives the same bytes.
    """
    names, types = zip(*fields, strict=True)
    head = (
        "#separator \\x09",
        "#set_separator\t,",
        f"#empty_field\t{EMPTY}",
        f"#unset_field\t{UNSET}",
        f"#path\t{path}",
        "\t".join(("#fields", *names)),
        "\t".join(("#types", *types)),
    )
    yield "".join(f"{line}\n" for line in head).encode()
    lines: list[str] = []
    for row in rows:
        lines.append("\t".join(row))
        if len(lines) == _ROWS:
            yield _joined(lines)
            lines.clear()
    yield _joined(lines)


def text(value: str) -> str:
    r"""Return text as a value: what could be read as none, as empty or as a comment, or would break the line, as ``\xNN``."""
    if not value or value == EMPTY:
        return EMPTY if not value else "\\x28empty)"
    if value == UNSET:
        return "\\x2d"
    # A backslash of the capture itself must not be taken for one of the format.
    kept = escape(value.replace("\\", "\\x5c"))
    return f"\\x23{kept[1:]}" if kept.startswith("#") else kept


def time_text(nanoseconds: int) -> str:
    """Return a time in seconds since 1970 with six digits, as Zeek writes it; not rounded up into a later moment."""
    microseconds = nanoseconds // 1000
    sign, microseconds = ("-", -microseconds) if microseconds < 0 else ("", microseconds)
    return f"{sign}{microseconds // 1_000_000}.{microseconds % 1_000_000:06d}"


def _joined(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")
