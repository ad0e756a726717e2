"""Text for people: harmless, and right in its units."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.text import (
    THIN_SPACE,
    byte_count,
    cells,
    counted,
    duration,
    escape,
    joined,
    number,
    packet_list,
    path_text,
    period,
    plain_text,
)
from tests.report_samples import HOSTILE


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Büro-Süd 東京", "Büro-Süd 東京"),
        ("a\x1b[31mred", "a\\x1b[31mred"),
        ("line\nfeed\ttab\r", "line\\x0afeed\\x09tab\\x0d"),
        ("\x9b31m", "\\x9b31m"),
        ("gpj.\u202eexe", "gpj.\\u202eexe"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("\U000e0041", "\\U000e0041"),
        ("\ud800", "\\ud800"),
        ("a\u3164b", "a\\u3164b"),
        ("e\u0301", "e\u0301"),
        ("o" + "\u0316" * 5, "o" + "\u0316" * 3 + "\\u0316" * 2),
    ],
)
def test_escape(text: str, shown: str) -> None:
    assert escape(text) == shown


def test_escape_cuts_what_is_too_long() -> None:
    assert escape("x" * 10, limit=5) == "xxxx…"
    assert escape("x" * 5, limit=5) == "xxxxx"


@given(st.text(alphabet=st.characters()))
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    shown = escape(text)
    assert all(unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for c in shown)
    assert escape(shown) == shown


def test_the_hostile_sample_is_on_one_line() -> None:
    assert escape(HOSTILE).splitlines() == [escape(HOSTILE)]


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.00 KiB"),
        (10 * 1024, "10.0 KiB"),
        (215040, "210 KiB"),
        (1023 * 1024, "1.00 MiB"),
        (999 * 1024, "999 KiB"),
        (1024**2, "1.00 MiB"),
        (5 * 1024**4, "5.00 TiB"),
        (2**64, "16.0 EiB"),
    ],
)
def test_bytes_in_binary_units(size: int, shown: str) -> None:
    assert byte_count(size) == shown


def test_numbers_are_grouped() -> None:
    assert number(999) == "999"
    assert number(1252000) == f"1{THIN_SPACE}252{THIN_SPACE}000"
    assert counted(1, "finding") == "1 finding"
    assert counted(0, "finding") == "0 findings"
    assert counted(2, "more flow", "more flows") == "2 more flows"


@pytest.mark.parametrize(
    ("first", "last", "shown", "length"),
    [
        (None, None, "", ""),
        (
            "2026-11-22T15:42:15.084062000Z",
            "2026-11-22T15:42:23.511000001Z",
            "2026-11-22 15:42:15–15:42:23 UTC",
            "8.4 s",
        ),
        (
            "2026-11-22T15:42:15.000000000Z",
            "2026-11-22T15:42:15.250000000Z",
            "2026-11-22 15:42:15 UTC",
            "0.250 s",
        ),
        (
            "2026-11-22T23:59:00.000000000Z",
            "2026-11-23T00:01:05.000000000Z",
            "2026-11-22 23:59:00 – 2026-11-23 00:01:05 UTC",
            "2 min 05 s",
        ),
        (
            "2026-11-22T00:00:00.000000000Z",
            "2026-11-24T04:30:00.000000000Z",
            "2026-11-22 00:00:00 – 2026-11-24 04:30:00 UTC",
            "2 d 04 h",
        ),
    ],
)
def test_periods(first: str | None, last: str | None, shown: str, length: str) -> None:
    assert period(first, last) == shown
    assert duration(first, last) == length


def test_packets() -> None:
    assert packet_list([]) == ""
    assert packet_list([12]) == "packet 12"
    assert packet_list([12, 34]) == "packets 12, 34"
    assert packet_list(range(1, 10), limit=3) == "packets 1, 2, 3, … 6 more"


def test_phrases() -> None:
    assert [joined([]), joined(["a"]), joined(["a", "b"]), joined(["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


def test_cells_of_wide_and_combining_characters() -> None:
    assert cells("東京") == 4
    assert cells("e\u0301") == 1
    assert cells("10.0.0.1 → 10.0.0.2") == 19


def test_plain_text_keeps_letters() -> None:
    assert plain_text(f"Büro → 1{THIN_SPACE}252 · 5–6…") == "Büro -> 1 252 , 5-6..."


def test_paths_that_are_no_unicode() -> None:
    assert path_text("caf\udce9.pcap") == "caf\\xe9.pcap"
    assert path_text("café.pcap") == "café.pcap"
