"""Sets of ports, against the obvious set of numbers."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.ports import PortError, PortSet, parse_ports

PAIRS = st.lists(st.tuples(st.integers(1, 300), st.integers(0, 40)).map(lambda p: (p[0], p[0] + p[1])), max_size=6)


def numbers(ports: PortSet) -> set[int]:
    return {port for low, high in ports.ranges for port in range(low, high + 1)}


@given(PAIRS)
def test_a_set_holds_what_was_put_in(pairs: list[tuple[int, int]]) -> None:
    expected = {port for low, high in pairs for port in range(low, high + 1)}
    ports = PortSet.of(pairs)
    assert numbers(ports) == expected
    assert ports.size == len(expected)
    every = np.arange(400)
    assert set(every[ports.contains(every)].tolist()) == expected
    assert all((port in ports) == (port in expected) for port in range(400))


@given(PAIRS)
def test_ranges_are_sorted_and_apart(pairs: list[tuple[int, int]]) -> None:
    ranges = PortSet.of(pairs).ranges
    assert all(before[1] + 1 < after[0] for before, after in pairwise(ranges))


@given(PAIRS.filter(bool))
def test_text_reads_back(pairs: list[tuple[int, int]]) -> None:
    ports = PortSet.of(pairs)
    assert parse_ports(str(ports)) == ports


@given(PAIRS, PAIRS)
def test_overlap_is_a_common_port(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    first, second = PortSet.of(one), PortSet.of(other)
    assert first.overlaps(second) == bool(numbers(first) & numbers(second))


@given(st.text(max_size=12))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(PortError):
        assert numbers(parse_ports(text)) <= set(range(1, 65536))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("25", "25"),
        (" 50100 - 50124 ", "50100-50124"),
        ("50124,50100-50123", "50100-50124"),
        ("50100\u201350124", "50100-50124"),
    ],
)
def test_forms_that_people_write(text: str, expected: str) -> None:
    assert str(parse_ports(text)) == expected


@pytest.mark.parametrize(
    ("text", "message", "fix"),
    [
        ("50124-50100", "range 50124-50100 runs backwards", "write 50100-50124"),
        ("0", "port 0 does not exist", "ports run from 1 to 65535"),
        ("1-65536", "port 65536 does not exist", "ports run from 1 to 65535"),
        ("", "'' is neither a port nor a range of ports", "write 10000 or 50100-50124"),
        ("\u0661\u0660", "'\u0661\u0660' is neither a port nor a range of ports", "write 10000 or 50100-50124"),
        ("-5", "'-5' is neither a port nor a range of ports", "write 10000 or 50100-50124"),
    ],
)
def test_forms_that_are_refused(text: str, message: str, fix: str) -> None:
    with pytest.raises(PortError) as caught:
        parse_ports(text)
    assert (caught.value.message, caught.value.fix) == (message, fix)
