"""What a watch tells: one piece of news for each thing that happened, numbered by the journal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SCHEMA = "auditor.watch/1"

KINDS = {
    "watch-began": "watch began",
    "watch-resumed": "watch resumed",
    "watch-ended": "watch ended",
    "session-opened": "session opened",
    "session-ended": "session ended",
    "session-interrupted": "session interrupted",
    "data-tied": "data connection",
    "job-ended": "job ended",
    "finding-opened": "finding",
    "finding-repeated": "finding repeated",
    "finding-closed": "finding closed",
    "role-learnt": "role learnt",
    "role-changed": "role changed",
    "loss": "packets lost",
    "source": "source",
    "policy-reloaded": "policy reloaded",
    "policy-kept": "policy kept",
    "report-written": "report written",
    "trouble": "trouble",
}
"""Kind of news -> the words that a line begins with."""


@dataclass(frozen=True, slots=True)
class News:
    """One thing to tell.

    ``time`` is RFC 3339 in UTC with nanoseconds, ``key`` names what it is about and is stable between runs, ``text`` is
    one sentence, ``severity`` a word for findings and empty otherwise, ``facts`` plain values of JSON. ``number`` is given
    by the journal, from 1 without gaps; ``again`` marks what a receiver may have had before an interruption. All text may
    come from a capture and is escaped where it is shown.
    """

    kind: str
    key: str
    text: str
    time: str
    severity: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    number: int = 0
    again: bool = False


Change = tuple[str, str, dict[str, Any] | None]
"""Kind and key of something remembered, and what it has become; None to forget it."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is written to the journal at once: a piece of news, or none, and what is remembered because of it."""

    news: News | None
    changes: tuple[Change, ...] = ()
