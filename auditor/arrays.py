"""The type of a NumPy array by that of its elements, for annotations: what ``numpy.typing`` calls ``NDArray``.

Its own is not taken because ``numpy.typing`` defines two hundred other types before: 7 of 150 ms of a small audit.
"""

from __future__ import annotations

from typing import Any, TypeAlias, TypeVar

import numpy as np

Element = TypeVar("Element", bound=np.generic)

NDArray: TypeAlias = np.ndarray[Any, np.dtype[Element]]
