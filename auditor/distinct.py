"""The different values of an array, where they stand, and which are among others: without what NumPy loads for that."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from auditor.arrays import NDArray
from auditor.blocks import occurring

_FEW = 8
"""Values up to which each is compared by itself."""
# To compare an array's type with these takes a tenth of the time that it takes with NumPy's classes.
_WIDEST, _FLAGS = np.dtype(np.uint64), np.dtype(np.bool_)
_ROOM = 16
"""Pairs that may be, for each row, up to which those that are there are marked rather than sorted."""


def distinct(values: NDArray[Any]) -> NDArray[Any]:
    """Return the different values of an array of one dimension, sorted.

    What ``np.unique`` returns, but that loads masked arrays to ask whether these are such, an eighth of what an audit of
    a small capture takes; and where nearly all values differ, it takes many times as long.
    """
    ordered = values.copy()
    if len(ordered) < 2:
        return ordered
    ordered.sort()
    found: NDArray[Any] = ordered[_begins(ordered)]
    return found


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


def different_by(owners: NDArray[Any], things: NDArray[Any], sizes: tuple[int, int]) -> NDArray[np.int64]:
    """Return how many different things each owner has, shape (owners,).

    ``owners`` and ``things`` say row by row who has what, as numbers below the ``sizes``.
    """
    most_owners, most_things = sizes
    pairs = owners.astype(np.uint64) * np.uint64(most_things) + things.astype(np.uint64)
    if most_owners * most_things <= _ROOM * len(pairs):
        marked = occurring(pairs, most_owners * most_things).reshape(most_owners, most_things)
        counts: NDArray[np.int64] = marked.sum(axis=1)
        return counts
    owner = distinct(pairs) // np.uint64(max(most_things, 1))
    return np.bincount(owner.astype(np.intp), minlength=most_owners)


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
