"""Finds the distinct rows of several columns of small codes, without sorting where that can be helped."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from auditor.arrays import NDArray
from auditor.blocks import Column, blocks
from auditor.distinct import marked_numbers, narrowest

_DENSE_LIMIT = 1 << 22
"""Up to this many possible rows, a table with an entry for each is faster than sorting (and stays below 40 MB)."""

Codes = NDArray[np.int64]
Parts = Callable[[slice], Sequence[Column]]
"""Returns the columns of some of the rows, as arrays of integers of equal lengths."""


def distinct_rows(length: int, parts: Parts, sizes: Sequence[int]) -> tuple[tuple[Codes, ...], Column]:
    """Return the distinct rows of columns, as columns, and for each row its index among them, an unsigned integer.

    ``parts`` returns the columns of some of the ``length`` rows, the values of each in 0 .. size - 1. Distinct rows come in
    ascending order.
    """
    if math.prod(sizes) >= 1 << 62:
        return _by_sorting(length, parts, len(sizes))
    # Four bytes for each row where they do: they are written once and read twice.
    keys = np.empty(length, np.int32 if math.prod(sizes) < 1 << 31 else np.int64)
    for rows in blocks(length):
        first, *others = parts(rows)
        key = first.astype(keys.dtype)
        for column, size in zip(others, sizes[1:], strict=True):
            key *= size
            key += column.astype(keys.dtype, copy=False)
        keys[rows] = key
    distinct, index = _distinct(keys, math.prod(sizes))
    return tuple(np.unravel_index(distinct, tuple(sizes))), index


def _distinct(keys: Column, size: int) -> tuple[Column, Column]:
    if size > _DENSE_LIMIT:
        found, inverse = np.unique(keys, return_inverse=True)
        return found, inverse.reshape(-1).astype(narrowest(len(found)), copy=False)
    return marked_numbers(keys, size)


def _by_sorting(length: int, parts: Parts, columns: int) -> tuple[tuple[Codes, ...], Column]:
    stacked = [np.stack([part.astype(np.int64) for part in parts(rows)]) for rows in blocks(length)]
    whole = np.concatenate(stacked, axis=1) if stacked else np.zeros((columns, 0), np.int64)
    found, inverse = np.unique(whole, axis=1, return_inverse=True)
    return tuple(found), inverse.reshape(-1).astype(narrowest(found.shape[1]), copy=False)
