"""Waivers and the baseline as text: what was accepted by whom, and what is new."""

from __future__ import annotations

from auditor.model import BaselineSummary, Finding, Report
from auditor.report.layout import Column, Page
from auditor.report.session_lines import show_more
from auditor.text import number

_GONE = 12
"""Findings of the baseline that are shown as gone at verbosity 0."""

STATES = {"in-force": "in force", "expired": "expired", "pending": "not yet", "undated": "no day known"}
"""States of a waiver as a person reads them."""


def show_finding_marks(page: Page, finding: Finding) -> None:
    """Say of a finding who accepted it and until when, and whether it is new."""
    waiver = finding.waiver
    if waiver is not None:
        ticket = f" ({waiver.ticket})" if waiver.ticket else ""
        text = f"by {waiver.owner} until {waiver.expires}: {waiver.reason}{ticket} · {waiver.place}"
        page.paragraph(text, indent=6, label="waived", hang=8)
    if finding.baseline_state in ("new", "updated"):
        what = (
            "not in the baseline" if finding.baseline_state == "new" else "graver than in the baseline, or waived there"
        )
        page.paragraph(what, indent=6, label=finding.baseline_state, hang=8)


def show_waivers(page: Page, report: Report) -> None:
    """List every waiver: a permission that a report does not show is one that nobody looks at again."""
    if not report.waivers:
        return
    page.heading("Waivers", f"as of {report.as_of}" if report.as_of else "no packet tells the day")
    rows = [
        (
            waiver.code,
            waiver.covers,
            waiver.owner,
            f"{waiver.since}–{waiver.expires}" if waiver.since else waiver.expires,
            STATES.get(waiver.state, waiver.state),
            number(waiver.findings),
        )
        for waiver in report.waivers
    ]
    columns = [
        Column("Code"),
        Column("Covers", flex=True, least=15),
        Column("Owner", flex=True, least=10),
        Column("Last day", flex=True, least=10),
        Column("State"),
        Column("Findings", right=True),
    ]
    page.table(columns, rows)


def show_baseline(page: Page, baseline: BaselineSummary | None, verbosity: int) -> None:
    """Say what became of the findings of the baseline."""
    if baseline is None:
        return
    page.heading("Baseline", f"{number(len(baseline.gone))} gone")
    counts = f"{number(baseline.new)} new, {number(baseline.updated)} updated, {number(baseline.unchanged)} unchanged"
    page.paragraph(f"{baseline.path} · {counts}", indent=2)
    for caveat in baseline.caveats:
        page.paragraph(caveat, indent=4, label="note")
    shown = baseline.gone if verbosity else baseline.gone[:_GONE]
    for gone in shown:
        page.paragraph(f"{gone.severity.word}  {gone.code}  {gone.message}", indent=4, label="gone", hang=8)
    show_more(page, len(baseline.gone) - len(shown), "gone finding", indent=4)
