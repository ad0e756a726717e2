"""Goes through long columns in blocks that stay in the caches of a processor.

Of a million rows at once NumPy fetches fresh pages for each step, and makes indices of eight bytes of codes of fewer: both
take longer than the look-up or the arithmetic itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from auditor.arrays import NDArray

BLOCK = 1 << 15
"""Rows of a block: what is made of one on the way, a number of eight bytes each, takes a quarter of a megabyte."""

Column = NDArray[Any]


def blocks(length: int) -> Iterator[slice]:
    """Yield the slices that rows 0 .. ``length`` - 1 are gone through by; none where there are no rows."""
    for start in range(0, length, BLOCK):
        yield slice(start, min(start + BLOCK, length))


def picking(mask: NDArray[np.bool_]) -> NDArray[np.intp] | slice:
    """Return what picks the rows of a mask from a column: their numbers, or all as a slice, which copies nothing."""
    return slice(None) if mask.all() else np.flatnonzero(mask)


def look_up(values: Column, codes: Column) -> Column:
    """Return ``values[codes]`` for codes of one dimension, none of which is negative."""
    return look_up_all((values,), codes)[0]


def look_up_all(tables: Sequence[Column], codes: Column) -> list[Column]:
    """Return ``values[codes]`` for the values of each table."""
    found = [np.empty(len(codes), values.dtype) for values in tables]
    varied = []
    for values, column in zip(tables, found, strict=True):
        if len(values) and (values == values[0]).all():
            column.fill(values[0])
        else:
            varied.append((values, column))
    for rows in blocks(len(codes)) if varied else ():
        places = codes[rows].astype(np.intp, copy=False)
        for values, column in varied:
            column[rows] = values[places]
    return found


def parted(values: Column, places: Iterable[int]) -> list[Column]:
    """Return an array of one dimension cut at these places, in ascending order: what ``np.split`` returns."""
    return [values[start:end] for start, end in pairwise((0, *places, len(values)))]


def occurring(codes: Column, size: int) -> NDArray[np.bool_]:
    """Return which of the numbers 0 .. ``size`` - 1 are among the codes."""
    found = np.zeros(size, np.bool_)
    for rows in blocks(len(codes)):
        part = codes[rows]
        # Of a scan the originator is the same for long, and often the host.
        found[part[0] if (part == part[0]).all() else part.astype(np.intp, copy=False)] = True
    return found
