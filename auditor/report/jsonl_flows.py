"""JSON Lines of the flows, one object each, with every column of docs/formats.md; times in whole nanoseconds."""

from __future__ import annotations

from auditor.model import Report
from auditor.report.interface import RenderOptions
from auditor.report.json_ import json_bytes


def render(report: Report, options: RenderOptions) -> bytes:  # noqa: ARG001 - the interface of all formats
    """Return the flows; nothing where the report has none (the registry refuses that before)."""
    if report.flows is None:
        return b""
    names = [field.name for field in report.flows.fields]
    return b"".join(json_bytes(dict(zip(names, row, strict=True))) for row in report.flows.rows())
