"""Finds the distinct rows of several columns of small codes, without sorting where that can be helped."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from auditor.arrays import NDArray

_DENSE_LIMIT = 1 << 22
"""Up to this many possible rows, a table with an entry for each is faster than sorting (and stays below 40 MB)."""

Codes = NDArray[np.int64]


def distinct_rows(columns: Sequence[Codes], sizes: Sequence[int]) -> tuple[tuple[Codes, ...], Codes]:
    """Return the distinct rows of ``columns``, as columns, and for each row its index among them.

    ``columns`` have equal lengths; the values of each lie in 0 .. size - 1. Distinct rows come in ascending order.
    """
    if math.prod(sizes) >= 1 << 62:
        return _by_sorting(columns)
    keys = columns[0].astype(np.int64)
    for column, size in zip(columns[1:], sizes[1:], strict=True):
        keys *= size
        keys += column
    distinct, index = _distinct(keys, math.prod(sizes))
    return tuple(np.unravel_index(distinct, tuple(sizes))), index


def _distinct(keys: Codes, size: int) -> tuple[Codes, Codes]:
    if size > _DENSE_LIMIT:
        found, inverse = np.unique(keys, return_inverse=True)
        return found, inverse.reshape(-1)
    present = np.zeros(size, np.bool_)
    present[keys] = True
    distinct = np.flatnonzero(present)
    index = np.zeros(size, np.int64)
    index[distinct] = np.arange(len(distinct))
    return distinct, index[keys]


def _by_sorting(columns: Sequence[Codes]) -> tuple[tuple[Codes, ...], Codes]:
    found, inverse = np.unique(np.stack(columns), axis=1, return_inverse=True)
    return tuple(found), inverse.reshape(-1)
