"""The different values of an array, and which are among others: without what NumPy loads for that."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_FEW = 8
"""Values up to which each is compared by itself."""


def distinct(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the different values of an array of one dimension, sorted.

    What ``np.unique`` returns, but that loads masked arrays to ask whether these are such, an eighth of what an audit of
    a small capture takes; and where nearly all values differ, it takes many times as long.
    """
    ordered = np.sort(values)
    first = np.ones(len(ordered), np.bool_)
    first[1:] = ordered[1:] != ordered[:-1]
    found: npt.NDArray[Any] = ordered[first]
    return found


def among(values: npt.NDArray[Any], chosen: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Return which values are among the chosen, as ``np.isin`` does: that asks ``np.unique``."""
    wanted = distinct(np.ravel(chosen))
    if values.dtype == np.uint64 and wanted.dtype.kind == "i":
        # NumPy would bring the two together as floating point.
        wanted = wanted[wanted >= 0].astype(np.uint64)
    found: npt.NDArray[np.bool_]
    if len(wanted) <= _FEW:
        # A comparison takes a tenth of the time of a search, and a few values are the usual case.
        found = np.zeros(values.shape, np.bool_)
        for one in wanted:
            found |= values == one
        return found
    place = np.minimum(np.searchsorted(wanted, values), len(wanted) - 1)
    found = wanted[place] == values
    return found
