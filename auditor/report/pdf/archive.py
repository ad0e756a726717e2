"""PDF for the archive: PDF/A-2a, which holds all that it needs and is tagged throughout."""

from __future__ import annotations

from auditor.model import Report
from auditor.report.interface import RenderOptions
from auditor.report.pdf import pdf


def render(report: Report, options: RenderOptions) -> bytes:  # noqa: ARG001 - the interface of all formats
    """Return the report as PDF/A-2a. Raises MissingExtra without typst."""
    return pdf(report, ["a-2a"])
