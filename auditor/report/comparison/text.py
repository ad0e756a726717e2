"""The comparison as text: what came, changed and went, of each kind, and the answer as the last line."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.model.comparison import Change, ComparedReport, Comparison
from auditor.report.interface import RenderOptions
from auditor.report.layout import Column, Page, Span
from auditor.text import counted, number, period

_MOST = 20
"""Changes shown of one kind at verbosity 0."""

_SIGNS = {"new": "+", "changed": "~", "gone": "-"}


def render(comparison: Comparison, options: RenderOptions) -> bytes:
    """Return the comparison as UTF-8 text."""
    page = Page(options)
    page.heading("Compared")
    _report(page, "old", comparison.old)
    _report(page, "new", comparison.new)
    for caveat in comparison.caveats:
        page.paragraph(caveat, indent=2, label="note")
    for title, changes in (
        ("Findings", comparison.findings),
        ("Hosts", comparison.hosts),
        ("Services", comparison.services),
        ("Terms", comparison.terms),
    ):
        _changes(page, title, changes, comparison.unchanged[title.lower()], options.verbosity)
    _counts(page, comparison)
    word, separator, rest = comparison.summary.partition(":")
    page.blank()
    page.line(Span(word, "violations" if comparison.drift else "conforms"), Span(f"{separator}{rest}"))
    return page.text().encode("utf-8", "backslashreplace")


def _report(page: Page, label: str, report: ComparedReport) -> None:
    page.paragraph(report.path, indent=2, label=label, style="strong", hang=5)
    facts = [counted(len(report.captures), "capture"), period(report.first, report.last), f"policy {report.policy}"]
    facts += [f"generation {report.generation}", report.verdict]
    page.paragraph(" · ".join(fact for fact in facts if fact), indent=7)


def _changes(page: Page, title: str, changes: Sequence[Change], unchanged: int, verbosity: int) -> None:
    page.heading(title, f"{number(len(changes))} differ, {number(unchanged)} as before")
    shown = changes if verbosity else changes[:_MOST]
    for change in shown:
        page.paragraph(
            f"{change.what} ({told(change)})", indent=2, label=f"{_SIGNS[change.state]} {change.state}", hang=11
        )
    if len(changes) > len(shown):
        page.line(Span(f"… and {number(len(changes) - len(shown))} more; -v shows all", "dim"), indent=2)


def told(change: Change) -> str:
    """Return what a change was and is: ``low, now high``."""
    if change.state == "changed":
        return f"{change.before}, now {change.after}"
    return change.after or change.before


def _counts(page: Page, comparison: Comparison) -> None:
    page.heading("Amounts", "told, but no drift")
    rows = [(count.what, number(count.before), number(count.after)) for count in comparison.counts]
    page.table([Column("What"), Column("Old", right=True), Column("New", right=True)], rows)
