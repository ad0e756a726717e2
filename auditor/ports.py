"""Sets of transport ports, as policies and service catalogues write them. Imports no NumPy before it is asked to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from auditor.records import record

HIGHEST_PORT = 65535
_RANGE = r"\s*([0-9]{1,7})\s*(?:[-\u2013]\s*([0-9]{1,7})\s*)?"


class PortError(ValueError):
    """A port or range that cannot be used: ``message`` says why, ``fix`` what to write instead."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


@record
class PortSet:
    """Ports as sorted, disjoint, non-adjacent ranges with both ends included.

    Build one with ``PortSet.of`` or ``parse_ports``, which bring ranges into that form.
    """

    ranges: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, ranges: Iterable[tuple[int, int] | int]) -> PortSet:
        """Return the set of all ports in ``ranges``, whose parts may overlap and come in any order."""
        pairs = sorted((part, part) if isinstance(part, int) else part for part in ranges)
        merged: list[tuple[int, int]] = []
        for low, high in pairs:
            if merged and low <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
            else:
                merged.append((low, high))
        return cls(tuple(merged))

    @property
    def size(self) -> int:
        """How many ports the set holds."""
        return sum(high - low + 1 for low, high in self.ranges)

    def __contains__(self, port: object) -> bool:
        """Whether one port is in the set."""
        return isinstance(port, int) and any(low <= port <= high for low, high in self.ranges)

    def contains(self, ports: Any) -> Any:
        """Return, for an integer NumPy array of any shape, which elements are ports of the set (bool, same shape)."""
        # The command line lists services and policies without waiting for NumPy.
        import numpy as np

        inside = np.zeros(ports.shape, dtype=np.bool_)
        for low, high in self.ranges:
            inside |= ports == low if low == high else (ports >= low) & (ports <= high)
        return inside

    def overlaps(self, other: PortSet) -> bool:
        """Whether any port is in both sets."""
        return any(
            low <= other_high and other_low <= high
            for low, high in self.ranges
            for other_low, other_high in other.ranges
        )

    def without(self, other: PortSet) -> PortSet:
        """Return the ports that are not in the other set; the result may be empty."""
        left = list(self.ranges)
        for taken_low, taken_high in other.ranges:
            pieces = ((low, min(high, taken_low - 1), max(low, taken_high + 1), high) for low, high in left)
            left = [pair for a, b, c, d in pieces for pair in ((a, b), (c, d)) if pair[0] <= pair[1]]
        return PortSet(tuple(left))

    def __str__(self) -> str:
        """Return the form that ``parse_ports`` reads: ``50100-50124, 50200``."""
        return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in self.ranges)


DYNAMIC = PortSet(((1024, HIGHEST_PORT),))
"""Where an operating system may take a port from when no range is set: every default is inside."""


def parse_ports(text: str) -> PortSet:
    """Read ``25``, ``50100-50124`` or several of these with commas between.

    Raises
    ------
    PortError
        Not a number, port 0 or above 65535, or a range that runs backwards.
    """
    return PortSet.of(_parse_range(part) for part in text.split(","))


def _parse_range(text: str) -> tuple[int, int]:
    match = re.fullmatch(_RANGE, text, re.ASCII)
    if match is None:
        raise PortError(f"{text.strip()[:40]!r} is neither a port nor a range of ports", "write 10000 or 50100-50124")
    low = int(match[1])
    high = low if match[2] is None else int(match[2])
    for port in (low, high):
        if not 1 <= port <= HIGHEST_PORT:
            raise PortError(f"port {port} does not exist", f"ports run from 1 to {HIGHEST_PORT}")
    if high < low:
        raise PortError(f"range {low}-{high} runs backwards", f"write {high}-{low}")
    return low, high
