"""Follows rules that were renamed since a report was saved, so that a new name is no drift."""

from __future__ import annotations

from collections.abc import Mapping

from auditor.model import Finding, Report
from auditor.records import replace


def with_present_codes(report: Report, renames: Mapping[str, str]) -> Report:
    """Return the report with each finding under the present code of its rule; ``renames`` leads there from former ones."""
    if not any(finding.code in renames for finding in report.findings):
        return report
    return replace(report, findings=tuple(_renamed(finding, renames) for finding in report.findings))


def _renamed(finding: Finding, renames: Mapping[str, str]) -> Finding:
    present = renames.get(finding.code)
    if present is None:
        return finding
    # A key is the code, then the subject.
    return replace(finding, code=present, key=present + finding.key.removeprefix(finding.code))
