"""CSV (RFC 4180, UTF-8): the findings. Also the way in which every table of the other CSV formats is written.

A text cell that a spreadsheet would take for a formula gets an apostrophe in front, as OWASP advises: such as begin with
``=``, ``+``, ``-``, ``@``, their full-width forms, or an apostrophe. Control characters are escaped before that.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from auditor.model import Report
from auditor.report.interface import RenderOptions
from auditor.report.tables import FLAG, NUMBER, TIME, Table, findings_table
from auditor.text import cell_text

_ROWS = 4096


def render(report: Report, options: RenderOptions) -> bytes:  # noqa: ARG001 - the interface of all formats
    """Return the findings, one row each, below a row of names."""
    return b"".join(table_pieces(findings_table(report)))


def table_pieces(table: Table) -> Iterator[bytes]:
    """Yield a table piece by piece: names first, then rows, each ending with CR LF."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow([name for name, _ in table.columns])
    kinds = [kind for _, kind in table.columns]
    for number, row in enumerate(table.rows, 1):
        writer.writerow([cell(value, kind) for value, kind in zip(row, kinds, strict=True)])
        if number % _ROWS == 0:
            yield _drained(buffer)
    yield _drained(buffer)


def cell(value: Any, kind: str) -> str:
    """Return a value as a cell: empty for None, RFC 3339 for times, ``true`` and ``false`` for flags."""
    if value is None:
        return ""
    if kind == NUMBER:
        return str(int(value))
    if kind == FLAG:
        return "true" if value else "false"
    if kind == TIME and isinstance(value, int):
        return time_text(value)
    return cell_text(str(value))


def time_text(nanoseconds: int) -> str:
    """Return nanoseconds since 1970 as RFC 3339 in UTC; the bare number where it lies beyond the calendar."""
    seconds, fraction = divmod(nanoseconds, 1_000_000_000)
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{fraction:09d}Z"
    except (ValueError, OverflowError, OSError):
        return str(nanoseconds)


def _drained(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode("utf-8", "backslashreplace")
