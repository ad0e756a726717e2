"""Columns and wrapping, measured in cells."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from auditor.report.interface import RenderOptions
from auditor.report.layout import Column, Page, Span, wrap
from auditor.text import cells

WORDS = st.text(alphabet="ab 東é", max_size=60)


@given(WORDS, st.integers(2, 30))
def test_wrapped_lines_fit_and_lose_nothing(text: str, width: int) -> None:
    lines = wrap(text, width)
    body = text.lstrip(" ")
    if len(text) - len(body) < width:
        assert all(cells(line.rstrip(" ")) <= width for line in lines[1:])
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_a_long_word_is_cut() -> None:
    assert wrap("abcdefgh", 3) == ["abc", "def", "gh"]


def test_leading_spaces_stay() -> None:
    assert wrap("  data here", 8) == ["  data", "here"]


def table(width: int, **options: bool) -> list[str]:
    page = Page(RenderOptions(width=width, **options))
    columns = [Column("Name", flex=True, least=10), Column("Empty"), Column("Bytes", right=True)]
    page.table(columns, [("Remote Agent for Windows", "", "1.00 KiB"), ("Browser", "", "9 B")])
    return page.text().splitlines()


def test_numbers_stand_on_the_right_and_empty_columns_are_left_out() -> None:
    assert table(80) == [
        "  Name                         Bytes",
        "  Remote Agent for Windows  1.00 KiB",
        "  Browser                        9 B",
    ]


def test_a_flexible_column_gives_way() -> None:
    assert table(40) == table(80)
    page = Page(RenderOptions(width=40))
    page.table([Column("A", flex=True, least=10), Column("B")], [("one two three four five six", "x" * 20)])
    # 40 columns less 2 of indent, 2 of gap and 20 of B leave 16.
    assert page.text().splitlines() == [
        f"  {'A':<16}  B",
        f"  {'one two three':<16}  xxxxxxxxxxxxxxxxxxxx",
        "  four five six",
    ]


def test_colour_only_where_asked_for_and_always_ended() -> None:
    page = Page(RenderOptions(colour=True))
    page.line(Span("MEDIUM", "medium"), Span(" rest"))
    assert page.text() == "\x1b[1;33mMEDIUM\x1b[0m rest\n"
    assert "\x1b" not in "".join(table(80))


def test_alignment_is_the_same_with_colour() -> None:
    coloured = "\n".join(table(80, colour=True))
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured).splitlines() == table(80)


def test_no_two_empty_lines_in_a_row() -> None:
    page = Page(RenderOptions())
    page.blank()
    page.heading("A")
    page.blank()
    page.heading("B", "2")
    assert page.text() == "A\n\nB" + " " * 78 + "2\n"
