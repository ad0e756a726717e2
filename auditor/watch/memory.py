"""How many flows a watch keeps unless told otherwise: as many as fit the memory that it allows itself."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

MOST = 200_000_000
"""Bytes that a watch takes at most, resident, all of Python and of the audits included; the ring of an interface besides."""
_ITSELF, _EACH = 95_000_000, 640
"""Bytes without a flow, and for each flow with its share of an audit: measured by bench/churn.py --watch."""
_LEAST = 4096


def default_flows(memory: int | None = None) -> int:
    """Return how many flows fit ``MOST``, or a quarter of the memory that there is, whichever is less."""
    there = memory if memory is not None else available()
    budget = MOST if there is None else min(MOST, there // 4)
    return max(_LEAST, (budget - _ITSELF) // _EACH)


def available(limits: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Return the bytes of this machine, or of its container, whichever has less; None where nobody tells."""
    told = []
    with contextlib.suppress(AttributeError, ValueError, OSError):
        told.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    # In a container its own limit stands at the root of what it sees.
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        try:
            told.append(int((limits / name).read_text()))
        except (OSError, ValueError):
            continue
    return min(told, default=None)
