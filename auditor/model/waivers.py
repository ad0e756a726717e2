"""Waivers: accepted findings, each with who answers for it, why, and until when."""

from __future__ import annotations

from auditor.records import record


@record
class WaiverReference:
    """The waiver that covers a finding. ``expires`` is the last day (UTC, ``2026-12-31``) on which it holds;
    ``place`` is file and line."""

    owner: str
    reason: str
    expires: str
    place: str
    ticket: str = ""


@record
class WaiverSummary:
    """A waiver as read, and what it did. ``state`` is ``in-force``, ``expired``, ``pending`` (its first day is to come)
    or ``undated`` (no packet tells the day); ``findings`` is how many findings it covers, or would if it were in force.
    """

    code: str
    name: str
    covers: str
    owner: str
    reason: str
    expires: str
    place: str
    state: str
    findings: int
    since: str = ""
    ticket: str = ""
