"""Every table of a report as CSV files in one ZIP archive."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from auditor.model import Report
from auditor.report.csv_ import table_pieces
from auditor.report.csv_flows import flow_pieces
from auditor.report.interface import RenderOptions
from auditor.report.tables import Table, tables

_NO_CLOCK = (1980, 1, 1, 0, 0, 0)
"""The time of every member: the same report gives the same bytes."""


def render(report: Report, options: RenderOptions) -> bytes:  # noqa: ARG001 - the interface of all formats
    """Return the archive: ``findings.csv``, ``sessions.csv`` and so on."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for table in tables(report):
            info = zipfile.ZipInfo(f"{table.name}.csv", _NO_CLOCK)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            info.create_system = 3
            with archive.open(info, "w", force_zip64=True) as member:
                for piece in _pieces(report, table):
                    member.write(piece)
    return buffer.getvalue()


def _pieces(report: Report, table: Table) -> Iterator[bytes]:
    return flow_pieces(report.flows) if table.name == "flows" and report.flows is not None else table_pieces(table)
