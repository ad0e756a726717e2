"""XLSX: the workbook that auditors live in. A sheet for each table, frozen heads, filters, real dates and numbers.

Rows go to the file as they are made (constant memory). Text is written as text and never looked at: no formula, no link
and no number comes of it. Excel knows milliseconds at best; exact times are in CSV, JSON and Parquet.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import Any

from auditor.errors import MissingExtra
from auditor.model import Report
from auditor.report.interface import RenderOptions
from auditor.report.places import first_and_last
from auditor.report.tables import FLAG, NUMBER, TIME, Table, tables
from auditor.text import escape

MOST_ROWS = 1_048_575
"""Rows of a sheet below its head; a longer table goes on in a further sheet."""

_MOST_CHARACTERS = 32_767
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - Excel's dates have no time zone; the heads say UTC
_EARLIEST, _LATEST = datetime(1900, 3, 1), datetime(9999, 12, 31)  # noqa: DTZ001
_EXACT = 1 << 53
_WIDTHS = {NUMBER: 12, TIME: 24, FLAG: 8}
_NARROW, _WIDE, _VERY_WIDE = 16, 32, 70
_MOST_ON_A_PAGE = 260
"""Width in characters up to which a sheet is printed on one page; beyond it nobody could read it."""
_LINE, _MOST_LINES, _SPARE = 15, 20, 8
"""Height of a line in points, lines that are shown of a cell, and characters that wrapping loses in a line."""
_VERY_WIDE_COLUMNS = frozenset(
    {"message", "value", "because", "why", "story", "consequence", "remedy", "text", "reason"}
)
_NARROW_COLUMNS = frozenset({"severity", "code", "transport", "state", "history", "grade", "verdict", "outcome"})
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": True,
}

_Write = Callable[[Any, int, int, Any], None]


def render(report: Report, options: RenderOptions) -> bytes:  # noqa: ARG001 - the interface of all formats
    """Return the workbook; raises MissingExtra without XlsxWriter."""
    try:
        from xlsxwriter import Workbook  # type: ignore[import-untyped]
    except ImportError:
        raise MissingExtra("XlsxWriter", "xlsx") from None
    buffer = io.BytesIO()
    book = Workbook(buffer, _OPTIONS)
    _, last = first_and_last(report)
    # No clock: the workbook was made when the last packet was captured.
    book.set_properties(
        {"title": "auditor report", "comments": escape(report.summary, limit=255), "created": _moment(last) or _EPOCH}
    )
    head = book.add_format({"bold": True, "bg_color": "#DDE6F0", "bottom": 1, "text_wrap": True, "valign": "top"})
    cells = _Cells(book)
    for table in tables(report):
        for name, part in _parts(table):
            _sheet(book, name, part, head, cells)
    book.close()
    return buffer.getvalue()


def _parts(table: Table) -> Iterator[tuple[str, Table]]:
    """Yield a table in sheets of at most ``MOST_ROWS`` rows, the first of which may be empty."""
    rows = iter(table.rows)
    number = 1
    first: list[tuple[Any, ...]] = list(islice(rows, 1))
    while first or number == 1:
        name = table.name if number == 1 else f"{table.name} {number}"
        yield name, Table(name, table.columns, chain(first, islice(rows, MOST_ROWS - len(first))))
        first = list(islice(rows, 1))
        number += 1


class _Cells:
    """Writes values by their kind."""

    def __init__(self, book: Any) -> None:
        self._plain = book.add_format({"valign": "top"})
        self._wrapped = book.add_format({"valign": "top", "text_wrap": True})
        self._time = book.add_format({"valign": "top", "num_format": "yyyy-mm-dd hh:mm:ss.000"})
        self._number = book.add_format({"valign": "top", "num_format": "0"})
        # Excel shows what is true or false by itself; LibreOffice would show 1 and 0.
        self._flag = book.add_format({"valign": "top", "num_format": '"TRUE";"TRUE";"FALSE"'})
        self._left = book.add_format({"valign": "top", "num_format": "0", "align": "left"})

    def writers(self, table: Table) -> list[_Write]:
        """Return how each column is written."""
        kinds = {NUMBER: self._write_number, TIME: self._write_time, FLAG: self._write_flag}
        return [
            kinds.get(kind, self._write_wrapped if name in _VERY_WIDE_COLUMNS else self._write_text)
            for name, kind in table.columns
        ]

    def _write_number(self, sheet: Any, row: int, column: int, value: Any) -> None:
        # Excel's numbers are exact up to 2^53 only: beyond that the digits are worth more than a sum.
        if abs(int(value)) <= _EXACT:
            sheet.write_number(row, column, int(value), self._number)
        else:
            sheet.write_string(row, column, str(int(value)), self._plain)

    def _write_time(self, sheet: Any, row: int, column: int, value: Any) -> None:
        moment = _moment(value)
        if moment is None or not _EARLIEST <= moment <= _LATEST:
            sheet.write_string(row, column, _cut(str(value)), self._plain)
        else:
            sheet.write_datetime(row, column, moment, self._time)

    def _write_flag(self, sheet: Any, row: int, column: int, value: Any) -> None:
        sheet.write_boolean(row, column, bool(value), self._flag)

    def _write_text(self, sheet: Any, row: int, column: int, value: Any) -> None:
        sheet.write_string(row, column, _cut(str(value)), self._plain)

    def _write_wrapped(self, sheet: Any, row: int, column: int, value: Any) -> None:
        if isinstance(value, int):
            sheet.write_number(row, column, value, self._left)
            return
        sheet.write_string(row, column, _cut(str(value)), self._wrapped)


def _sheet(book: Any, name: str, table: Table, head: Any, cells: _Cells) -> None:
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    sheet.set_landscape()
    sheet.repeat_rows(0)
    if sum(_width(title, kind) for title, kind in table.columns) <= _MOST_ON_A_PAGE:
        sheet.fit_to_pages(1, 0)
    for column, (title, kind) in enumerate(table.columns):
        sheet.set_column(column, column, _width(title, kind))
        label = title.replace("_", " ")
        sheet.write_string(0, column, f"{label} (UTC)" if kind == TIME else label, head)
    row = 0
    writers = cells.writers(table)
    wrapped = [column for column, (title, _) in enumerate(table.columns) if title in _VERY_WIDE_COLUMNS]
    for row, values in enumerate(table.rows, 1):
        lines = max((len(str(values[column])) // (_VERY_WIDE - _SPARE) + 1 for column in wrapped), default=1)
        if lines > 1:
            # Not every program finds the height by itself; a row is written as soon as the next begins.
            sheet.set_row(row, _LINE * min(lines, _MOST_LINES))
        for column, value in enumerate(values):
            if value is not None and value != "":
                writers[column](sheet, row, column, value)
    sheet.autofilter(0, 0, row, len(table.columns) - 1)


def _width(title: str, kind: str) -> int:
    if kind in _WIDTHS:
        return _WIDTHS[kind]
    return _VERY_WIDE if title in _VERY_WIDE_COLUMNS else _NARROW if title in _NARROW_COLUMNS else _WIDE


def _cut(text: str) -> str:
    return escape(text, limit=_MOST_CHARACTERS)[:_MOST_CHARACTERS]


def _moment(value: int | str | None) -> datetime | None:
    """Return a time of a report as Excel has them, without a zone; None for what is none."""
    if value is None:
        return None
    try:
        if isinstance(value, int):
            return _EPOCH + timedelta(microseconds=value // 1000)
        return datetime.fromisoformat(value).astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
