"""Spans of time and sizes as people write them."""

from __future__ import annotations

import re

from auditor.errors import UsageError

_SECONDS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_BYTES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def seconds_of(text: str, option: str) -> float:
    """Return ``90``, ``1.5s``, ``5m``, ``2h`` or ``1d`` in seconds. Raises UsageError for anything else, and for nothing."""
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)\s*([a-z]*)", text.strip().lower())
    if found is None or found[2] not in _SECONDS or float(found[1]) == 0:
        raise UsageError(f'{option} "{text}" is no span of time', fix="write 30s, 5m, 2h or 1d")
    return float(found[1]) * _SECONDS[found[2]]


def bytes_of(text: str, option: str) -> int:
    """Return ``1000``, ``64K``, ``100M`` or ``2G`` in bytes. Raises UsageError for anything else, and for nothing."""
    found = re.fullmatch(r"(\d{1,12})\s*([kmg]?)(?:i?b)?", text.strip().lower())
    if found is None or int(found[1]) == 0:
        raise UsageError(f'{option} "{text}" is no size', fix="write 64K, 100M or 2G")
    return int(found[1]) * _BYTES[found[2]]
