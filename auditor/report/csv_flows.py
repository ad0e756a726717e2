"""CSV of the flows, one row each, with every column of docs/formats.md."""

from __future__ import annotations

from auditor.model import Report
from auditor.report.csv_ import table_pieces
from auditor.report.interface import RenderOptions
from auditor.report.tables import flows_table


def render(report: Report, options: RenderOptions) -> bytes:  # noqa: ARG001 - the interface of all formats
    """Return the flows; nothing where the report has none (the registry refuses that before)."""
    table = flows_table(report)
    return b"" if table is None else b"".join(table_pieces(table))
