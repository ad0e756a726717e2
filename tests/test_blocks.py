"""Going through columns in blocks changes nothing but the time: NumPy's own look-up at once is the oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.blocks import BLOCK, blocks, look_up, look_up_all, occurring, parted, picking


@pytest.mark.parametrize("length", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK])
def test_blocks_hold_every_row_once(length: int) -> None:
    assert [row for rows in blocks(length) for row in range(length)[rows]] == list(range(length))


@given(st.lists(st.integers(0, 9), max_size=40), st.sampled_from([np.uint8, np.uint32, np.intp]))
def test_what_is_looked_up_is_what_numpy_finds(codes: list[int], kind: type) -> None:
    column, words, same = np.array(codes, kind), np.arange(10, dtype=np.int32) * 7, np.full(10, 3, np.uint8)
    found = look_up_all((words, same), column)
    assert [one.tolist() for one in found] == [words[column].tolist(), same[column].tolist()]
    assert [one.dtype for one in found] == [words.dtype, same.dtype]


def test_more_than_one_block_is_looked_up() -> None:
    codes = (np.arange(2 * BLOCK + 5) % 11).astype(np.uint16)
    values = np.arange(11)[::-1].copy()
    assert (look_up(values, codes) == values[codes]).all()
    # The last code stands in the last block alone.
    codes[-1] = 12
    assert np.flatnonzero(~occurring(codes, 14)).tolist() == [11, 13]


@given(st.lists(st.integers(0, 9), max_size=20), st.sets(st.integers(0, 20)))
def test_parts_are_those_that_numpy_cuts(values: list[int], places: set[int]) -> None:
    column = np.array(values, np.uint8)
    expected = np.split(column, sorted(places))
    assert [part.tolist() for part in parted(column, sorted(places))] == [part.tolist() for part in expected]


@given(st.lists(st.booleans(), max_size=40))
def test_what_picks_the_rows_of_a_mask_picks_what_the_mask_does(wanted: list[bool]) -> None:
    mask, column = np.array(wanted, np.bool_), np.arange(len(wanted)) * 3
    assert column[picking(mask)].tolist() == column[mask].tolist()
    assert not all(wanted) or np.shares_memory(column, column[picking(mask)]) or not wanted
