"""Who accepted a finding, until when and why; what became of it since the baseline. One wording for all formats of data."""

from __future__ import annotations

from auditor.model import Finding
from auditor.text import escape


def acceptance(finding: Finding) -> str:
    """Return one line, ``accepted by …, until 2026-12-31: … (CHG-1)``; empty where no waiver covers the finding."""
    waiver = finding.waiver
    if waiver is None:
        return ""
    ticket = f" ({waiver.ticket})" if waiver.ticket else ""
    return escape(f"accepted by {waiver.owner}, until {waiver.expires}: {waiver.reason}{ticket}")


def acceptance_fields(finding: Finding) -> dict[str, str]:
    """Return the waiver of a finding as named values, harmless as text; none where none covers it."""
    waiver = finding.waiver
    if waiver is None:
        return {}
    told = {
        "owner": waiver.owner, "reason": waiver.reason, "expires": waiver.expires, "place": waiver.place,
        "ticket": waiver.ticket,
    }  # fmt: skip
    return {name: escape(value) for name, value in told.items() if value}
