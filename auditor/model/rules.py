"""The rules that a report was made with: what was looked for, found or not."""

from __future__ import annotations

from auditor.model.findings import Severity
from auditor.records import record


@record
class RuleSummary:
    """A rule that was evaluated, and how many findings it raised; none means: looked for, not found.

    ``severity`` is that of the rule; a finding may be graver. ``controls`` are identifiers of NIST SP 800-53.
    """

    code: str
    name: str
    title: str
    severity: Severity
    findings: int
    why: str = ""
    controls: tuple[str, ...] = ()
