"""What people write where a policy has its own word: releases by their number, actions as other firewalls call them."""

from __future__ import annotations

import re

_RELEASE = re.compile(r"(?:backup exec|be)?\s*v?(\d+)(?:\.\d+|\.x|[a-z])?(?:\s*r\d)?(?:\s*sp\d)?", re.IGNORECASE)
_MARKETED = {2010: "2010", 2012: "2012-2016", 2014: "2012-2016"}
_NUMBERED = (
    (9, 9, "9.x"),
    (10, 10, "10.x"),
    (11, 12, "11d-12"),
    (13, 13, "2010"),  # 13.0 calls itself 2010, 14.0 calls itself 2012
    (14, 16, "2012-2016"),
    (20, 29, "20.x"),
)
_ACTIONS = {"allow": "permit", "accept": "permit", "pass": "permit", "block": "deny", "drop": "deny", "reject": "deny"}


def generation_meant(text: str) -> str | None:
    """Return the product generation that a release belongs to (``12.5``, ``2010 R3``, ``16``); None where none is meant."""
    match = _RELEASE.fullmatch(text.strip())
    if match is None:
        return None
    number = int(match[1])
    found = (name for first, last, name in _NUMBERED if first <= number <= last)
    return _MARKETED.get(number) or next(found, None)


def action_meant(text: str) -> str | None:
    """Return ``permit`` or ``deny`` for the words that other firewalls have for them."""
    return _ACTIONS.get(text.strip().lower())
