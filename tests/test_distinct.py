"""``distinct`` and ``among`` say what NumPy's own, slower ones do."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.distinct import among, different_by, distinct, firsts, grouped

numbers = st.lists(st.integers(0, 40), max_size=60)


@given(numbers, st.sampled_from([np.uint8, np.int64, np.uint64, np.intp]))
def test_the_different_values_are_those_that_numpy_finds(values: list[int], kind: type) -> None:
    array: npt.NDArray[np.generic] = np.array(values, kind)
    assert distinct(array).tolist() == np.unique(array).tolist()
    assert distinct(array).dtype == array.dtype


@given(numbers, st.sampled_from([np.uint8, np.int64, np.uint64, np.bool_]))
def test_groups_are_those_of_numpy(values: list[int], kind: type) -> None:
    array: npt.NDArray[np.generic] = np.array(values, kind)
    first, numbers_of = grouped(array)
    _, expected_first, expected_numbers = np.unique(array, return_index=True, return_inverse=True)
    assert first.tolist() == firsts(array).tolist() == expected_first.tolist()
    assert numbers_of.tolist() == expected_numbers.tolist()


@given(st.lists(st.tuples(st.integers(-2, 2), st.integers(0, 3), st.integers(0, 1)), max_size=60))
def test_groups_of_rows_are_those_of_numpy(rows: list[tuple[int, int, int]]) -> None:
    table = np.array(rows, np.int64).reshape(-1, 3)
    first, numbers_of = grouped(*(table[:, column] for column in range(3)))
    _, expected_first, expected_numbers = np.unique(table, axis=0, return_index=True, return_inverse=True)
    assert first.tolist() == expected_first.tolist()
    assert numbers_of.tolist() == expected_numbers.reshape(-1).tolist()


@given(numbers, numbers, st.sampled_from([np.uint8, np.int64, np.uint64]))
def test_what_is_among_others_is_what_numpy_finds(values: list[int], chosen: list[int], kind: type) -> None:
    array: npt.NDArray[np.generic] = np.array(values, kind)
    assert among(array, chosen).tolist() == np.isin(array, chosen).tolist()


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 40))), st.integers(6, 9), st.sampled_from([41, 1 << 40]))
def test_different_things_are_counted_by_owner(pairs: list[tuple[int, int]], owners: int, things: int) -> None:
    # Where few pairs may be they are marked, where many they are sorted.
    own, of = (np.array(column, np.int64) for column in (zip(*pairs, strict=True) if pairs else ((), ())))
    expected = [len({thing for owner, thing in pairs if owner == number}) for number in range(owners)]
    assert different_by(own, of, (owners, things)).tolist() == expected


def test_large_numbers_are_not_rounded() -> None:
    large = 2**63 + np.arange(20, dtype=np.uint64)
    assert among(large, [*range(-3, 9)]).sum() == 0
    assert among(large, large[1::2]).tolist() == [False, True] * 10


@pytest.mark.parametrize("few", [2, 12])
def test_bytes_are_found_as_well(few: int) -> None:
    keys = np.array([bytes([number]) * 16 for number in range(65, 85)], "S16")
    assert np.flatnonzero(among(keys, keys[:few])).tolist() == list(range(few))
