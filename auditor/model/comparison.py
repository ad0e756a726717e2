"""How two reports differ. Frozen, plain types only; renderers read nothing else."""

from __future__ import annotations

from auditor.records import record

COMPARISON_SCHEMA = "auditor.comparison/1"


@record
class ComparedReport:
    """One of the two: which file it is, and what it was about. ``first`` and ``last`` are the period of its captures."""

    path: str
    sha256: str
    verdict: str
    summary: str
    version: str
    generation: str
    policy: str
    captures: tuple[str, ...]
    first: str | None
    last: str | None


@record
class Change:
    """One difference. ``state`` is ``new``, ``gone`` or ``changed``; ``what`` names the subject, ``before`` and ``after``
    say what it was and is, empty where there was or is nothing. ``severity`` is that of a finding, else empty."""

    state: str
    what: str
    before: str
    after: str
    severity: str = ""


@record
class Count:
    """A number of both reports, for example of sessions. Told, but no drift: it depends on how long was captured."""

    what: str
    before: int
    after: int


@record
class Comparison:
    """The difference of two reports. ``drift`` is whether there is any; ``unchanged`` counts what is the same, by kind."""

    old: ComparedReport
    new: ComparedReport
    drift: bool
    summary: str
    caveats: tuple[str, ...]
    findings: tuple[Change, ...]
    hosts: tuple[Change, ...]
    services: tuple[Change, ...]
    terms: tuple[Change, ...]
    counts: tuple[Count, ...]
    unchanged: dict[str, int]
    schema: str = COMPARISON_SCHEMA
