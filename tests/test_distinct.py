"""``distinct`` and ``among`` say what NumPy's own, slower ones do."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.blocks import BLOCK
from auditor.distinct import (
    among,
    combination_numbers,
    different_by,
    distinct,
    first_of_each,
    firsts,
    grouped,
    numbered,
    tallied,
    with_ports,
)

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


MANY = np.random.default_rng(7).integers(0, 3 * BLOCK, 2 * BLOCK)


@pytest.mark.parametrize(
    "values",
    [
        MANY.astype(np.uint32),
        MANY - 5,
        MANY << 40,
        MANY % 2 == 0,
        MANY.astype(np.uint8),
        MANY * 0 + 70_000,
        np.sort(MANY),
        np.arange(2 * BLOCK)[::2],
        np.arange(2 * BLOCK),
        np.array([b"a", b"bc"] * BLOCK),
    ],
    ids=["near", "negative", "far", "flags", "bytes", "one", "ordered", "apart", "all", "texts"],
)
def test_many_values_are_marked_or_sorted_with_the_same_result(values: npt.NDArray[np.generic]) -> None:
    found, numbers = np.unique(values, return_inverse=True)
    assert distinct(values).tolist() == found.tolist()
    assert distinct(values).dtype == values.dtype
    if values.dtype.kind != "S":
        assert numbered(values)[0].tolist() == numbers.tolist()
        assert numbered(values)[1] == len(found)


@pytest.mark.parametrize("count", [1, 255, 256, 257, 300])
def test_numbers_are_as_narrow_as_they_may_be(count: int) -> None:
    numbers, different = numbered(np.arange(count)[::-1] * 1_000)
    assert (numbers.tolist(), different) == (list(range(count))[::-1], count)
    assert numbers.dtype == (np.uint8 if count <= 256 else np.uint16)


@given(st.lists(st.integers(0, 3), max_size=30), st.integers(4, 6), st.sampled_from([np.uint8, np.intp]))
def test_numbers_are_tallied_and_their_first_places_told(numbers: list[int], count: int, kind: type) -> None:
    array = np.array(numbers, kind)
    assert tallied(array, count).tolist() == [numbers.count(number) for number in range(count)]
    places = [numbers.index(number) if number in numbers else len(numbers) for number in range(count)]
    assert first_of_each(array, count).tolist() == places


@pytest.mark.parametrize("last", [2, 1])
def test_numbers_of_more_than_one_block_are_tallied(last: int) -> None:
    numbers = np.full(2 * BLOCK, 2, np.uint8)
    numbers[-1] = last
    assert tallied(numbers, 4).tolist() == ([0, 0, 2 * BLOCK, 0] if last == 2 else [0, 1, 2 * BLOCK - 1, 0])
    assert first_of_each(numbers, 4).tolist() == [2 * BLOCK, 2 * BLOCK if last == 2 else 2 * BLOCK - 1, 0, 2 * BLOCK]


@pytest.mark.parametrize("count", [1, 2, 1 << 16, (1 << 16) + 1])
def test_ports_stand_in_the_lowest_bits(count: int) -> None:
    pairs = with_ports(np.array([0, count - 1]), count, np.array([65535, 25], np.uint16))
    assert pairs.tolist() == [65535, (count - 1) * 65536 + 25]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0, 7, 70_000, 2**31]), st.booleans()), max_size=40),
    st.sampled_from([0, -1]),
)
def test_combinations_are_numbered_in_the_order_of_their_values(rows: list[tuple[int, int, bool]], least: int) -> None:
    columns = [
        np.array([row[0] + least for row in rows], np.int64),
        np.array([row[1] for row in rows], np.uint32),
        np.array([row[2] for row in rows], np.bool_),
    ]
    places = {row: place for place, row in enumerate(sorted(set(rows)))}
    numbers, count = combination_numbers(columns, len(rows))
    assert (numbers.tolist(), count) == ([places[row] for row in rows], len(places))


@pytest.mark.parametrize("sizes", [(256, 2), (2, 256), (65536, 2), (3, 1, 300), (40_000, 40_000, 7)])
def test_combinations_of_many_rows_are_those_of_numpy(sizes: tuple[int, ...]) -> None:
    random = np.random.default_rng(3)
    columns = [random.integers(0, size, 70_000) for size in sizes]
    for column, size in zip(columns, sizes, strict=True):
        column[0] = size - 1
    numbers, count = combination_numbers(columns, 70_000)
    different, expected = np.unique(np.stack(columns), axis=1, return_inverse=True)
    assert count == different.shape[1]
    assert (numbers == expected.reshape(-1)).all()
