"""Holds findings against those of an earlier report: new, unchanged, updated, gone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from auditor.drift.caveats import caveats
from auditor.model import BaselineSummary, Finding, GoneFinding, Report
from auditor.records import replace
from auditor.text import path_text

NEW, UNCHANGED, UPDATED = "new", "unchanged", "updated"


def against_baseline(findings: Iterable[Finding], old: Report) -> tuple[Finding, ...]:
    """Return the findings with ``baseline_state`` set: by key, whatever packets prove them.

    ``updated`` are those that became graver or lost their waiver; what became lighter, or was waived since, is unchanged.
    """
    before = {finding.key: finding for finding in old.findings}
    return tuple(replace(finding, baseline_state=_state(before.get(finding.key), finding)) for finding in findings)


def summarise_baseline(report: Report, old: Report, path: str, data: bytes) -> BaselineSummary:
    """Return what became of a baseline. ``data`` is the file that ``old`` was read from, by the name ``path``."""
    counts = dict.fromkeys((NEW, UNCHANGED, UPDATED), 0)
    for finding in report.findings:
        counts[finding.baseline_state] += 1
    now = {finding.key for finding in report.findings}
    return BaselineSummary(
        path=path_text(path),
        sha256=hashlib.sha256(data).hexdigest(),
        new=counts[NEW],
        unchanged=counts[UNCHANGED],
        updated=counts[UPDATED],
        gone=tuple(
            GoneFinding(one.key, one.code, one.severity, one.message, one.waived)
            for one in old.findings
            if one.key not in now
        ),
        caveats=caveats(old, report),
    )


def _state(before: Finding | None, now: Finding) -> str:
    if before is None:
        return NEW
    worse = now.severity > before.severity or (before.waived and not now.waived)
    return UPDATED if worse else UNCHANGED
