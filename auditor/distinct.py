"""The different values of an array, where they stand, numbers in their place, and which are among others: without what NumPy
loads for that.

Of a million rows sorting takes ten times as long as marking which of a few million possible values occur. So values that
lie close enough together are marked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from auditor.arrays import NDArray
from auditor.blocks import BLOCK, blocks, look_up, occurring

_FEW = 8
"""Values up to which each is compared by itself."""
# To compare an array's type with these takes a tenth of the time that it takes with NumPy's classes.
_WIDEST, _FLAGS = np.dtype(np.uint64), np.dtype(np.bool_)
_ROOM = 16
"""Values that may be, for each row, up to which those that are there are marked rather than sorted."""
_NEAR = 4
"""The same where each row is given its number as well."""


def distinct(values: NDArray[Any]) -> NDArray[Any]:
    """Return the different values of an array of one dimension, sorted; the array itself where it is just that.

    What ``np.unique`` returns, but that loads masked arrays to ask whether these are such, an eighth of what an audit of
    a small capture takes; and where nearly all values differ, it takes many times as long.
    """
    if len(values) > BLOCK and values.dtype.kind in "biu":
        if (values[1:] > values[:-1]).all():
            return values
        lowest, highest = int(values.min()), int(values.max())
        if lowest == highest:
            return values[:1].copy()
        if lowest >= 0 and highest < _ROOM * len(values):
            marked = occurring(values.view(np.uint8) if values.dtype == np.bool_ else values, highest + 1)
            return np.flatnonzero(marked).astype(values.dtype)
    ordered = values.copy()
    if len(ordered) < 2:
        return ordered
    ordered.sort()
    found: NDArray[Any] = ordered[_begins(ordered)]
    return found


def narrowest(count: int) -> np.dtype[Any]:
    """Return the narrowest type for ``count`` numbers from 0 on."""
    return np.min_scalar_type(max(count - 1, 0))


def marked_numbers(codes: NDArray[Any], size: int) -> tuple[NDArray[np.intp], NDArray[Any]]:
    """Return which of the numbers 0 .. ``size`` - 1 are among the codes, in order, and for each code its place there.

    Takes a table with an entry for each number that may be.
    """
    values = np.flatnonzero(occurring(codes, size))
    if len(values) == size:
        return values, codes.astype(narrowest(size), copy=False)
    number = np.zeros(size, narrowest(len(values)))
    number[values] = np.arange(len(values))
    return values, look_up(number, codes)


def numbered(values: NDArray[Any]) -> tuple[NDArray[Any], int]:
    """Return for each element of an array of integers or flags the number of its value, from 0 without gaps in the order
    of the values, in the narrowest type, and how many values there are."""
    codes = values.view(np.uint8) if values.dtype == np.bool_ else values
    lowest, highest = (int(codes.min()), int(codes.max())) if len(codes) else (0, -1)
    if lowest >= highest:
        return np.zeros(len(codes), np.uint8), min(len(codes), 1)
    if lowest >= 0 and highest < _NEAR * len(codes):
        found, numbers = marked_numbers(codes, highest + 1)
        return numbers, len(found)
    first, numbers = grouped(codes)
    return numbers.astype(narrowest(len(first)), copy=False), len(first)


def tallied(numbers: NDArray[Any], count: int) -> NDArray[np.intp]:
    """Return how often each of the numbers 0 .. ``count`` - 1 occurs."""
    if len(numbers) > BLOCK and (numbers == numbers[0]).all():
        # A million additions in one place wait for each other.
        counts = np.zeros(count, np.intp)
        counts[numbers[0]] = len(numbers)
        return counts
    return np.bincount(numbers, minlength=count)


def first_of_each(numbers: NDArray[Any], count: int) -> NDArray[np.intp]:
    """Return where each of the numbers 0 .. ``count`` - 1 first stands, ``len(numbers)`` for one that does not."""
    found = np.full(count, len(numbers), np.intp)
    for rows in blocks(len(numbers)):
        # Of types that differ NumPy makes the same in twenty times the time.
        np.minimum.at(found, numbers[rows].astype(np.intp, copy=False), np.arange(rows.start, rows.stop))
    return found


def combination_numbers(columns: Iterable[NDArray[Any]], length: int) -> tuple[NDArray[Any], int]:
    """Return for each row of columns the number of its combination of values, from 0 without gaps in the order of the
    values, in the narrowest type, and how many combinations there are."""
    numbers, size = np.zeros(length, np.uint8), 1
    for column in columns:
        codes, own = _below(column)
        # As they stand while so many combinations can be marked; both factors are numbers of rows else, below 2^31.
        if size * own > _NEAR * length:
            numbers, size = numbered(numbers)
        if size * own > _NEAR * length:
            codes, own = numbered(codes)
        if size == 1:
            numbers, size = codes, own
        elif own > 1:
            size *= own
            numbers = numbers.astype(narrowest(size))
            numbers *= own
            numbers += codes.astype(numbers.dtype, copy=False)
    return numbered(numbers)


def _below(values: NDArray[Any]) -> tuple[NDArray[Any], int]:
    """Return an array of integers or flags as numbers in the same order, and a number above all of them; where there is but
    one value, this tells nothing apart and becomes 0."""
    if not len(values):
        return values, 1
    codes = values.view(np.uint8) if values.dtype == np.bool_ else values
    lowest, highest = int(codes.min()), int(codes.max())
    if lowest == highest:
        return np.zeros(len(codes), np.uint8), 1
    return numbered(codes) if lowest < 0 else (codes, highest + 1)


def firsts(values: NDArray[Any]) -> NDArray[np.intp]:
    """Return where each different value of an array of one dimension first stands, in the order of the values: what
    ``np.unique`` returns as index."""
    order = np.argsort(values, kind="stable")
    found: NDArray[np.intp] = order[_begins(values[order])]
    return found


def grouped(*columns: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return where each different row of columns first stands, in the order of the rows, and for each row the number of those
    that are like it: what ``np.unique`` returns as index and inverse.
    """
    order = np.lexsort(columns[::-1]) if len(columns) > 1 else np.argsort(columns[0], kind="stable")
    first = _begins(*(column[order] for column in columns))
    numbers = np.empty(len(order), np.intp)
    numbers[order] = np.cumsum(first) - 1
    return order[first], numbers


def _begins(*ordered: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which rows of sorted columns differ from the one before."""
    first = np.zeros(len(ordered[0]), np.bool_)
    first[:1] = True
    for column in ordered:
        first[1:] |= column[1:] != column[:-1]
    return first


def with_ports(numbers: NDArray[Any], count: int, ports: NDArray[np.uint16]) -> NDArray[Any]:
    """Return one number for each pair of a number below ``count`` and a port, which is its lowest 16 bits."""
    pairs = numbers.astype(narrowest(count << 16))
    pairs <<= 16
    pairs |= ports
    return pairs


def different_by(owners: NDArray[Any], things: NDArray[Any], sizes: tuple[int, int]) -> NDArray[np.int64]:
    """Return how many different things each owner has, shape (owners,).

    ``owners`` and ``things`` say row by row who has what, as numbers below the ``sizes``.
    """
    most_owners, most_things = sizes

    def pairs(rows: slice) -> NDArray[np.int64]:
        return owners[rows].astype(np.int64) * most_things + things[rows].astype(np.int64)

    if most_owners * most_things <= _ROOM * len(owners):
        marked = np.zeros(most_owners * most_things, np.bool_)
        for rows in blocks(len(owners)):
            marked[pairs(rows)] = True
        counts: NDArray[np.int64] = marked.reshape(most_owners, most_things).sum(axis=1)
        return counts
    return np.bincount(distinct(pairs(slice(None))) // most_things, minlength=most_owners)


def among(values: NDArray[Any], chosen: NDArray[Any] | Sequence[Any]) -> NDArray[np.bool_]:
    """Return which values are among the chosen, as ``np.isin`` does: that asks ``np.unique``."""
    if not values.size:
        return np.zeros(values.shape, np.bool_)
    if isinstance(chosen, (tuple, list)) and len(chosen) <= _FEW and values.dtype != _WIDEST:
        # Of a small capture to make an array of them, and to sort it, takes longer than the question.
        return _any_of(values, chosen)
    wanted = np.asarray(chosen).ravel()
    if values.dtype == _WIDEST and wanted.dtype.kind == "i":
        # NumPy would bring the two together as floating point.
        wanted = wanted[wanted >= 0].astype(np.uint64)
    if len(wanted) <= _FEW:
        return _any_of(values, wanted.tolist())
    wanted = distinct(wanted)
    place = np.minimum(wanted.searchsorted(values), len(wanted) - 1)
    found: NDArray[np.bool_] = wanted[place] == values
    return found


def _any_of(values: NDArray[Any], few: Iterable[Any]) -> NDArray[np.bool_]:
    """Return which values are one of a few, given as Python's own: a comparison takes a tenth of the time of a search.

    With a number of NumPy's, which has a width, a column of bytes would be made as wide first: ten times the time.
    """
    found: NDArray[np.bool_] | None = None
    flags = values.dtype == _FLAGS
    for one in few:
        equal = values == (bool(one) if flags and one in (0, 1) else one)
        found = equal if found is None else np.logical_or(found, equal, out=found)
    return np.zeros(values.shape, np.bool_) if found is None else found
