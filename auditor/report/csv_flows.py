"""CSV of the flows, one row each, with every column of docs/formats.md."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.model import FlowRows, Report
from auditor.report.csv_ import cell, time_text
from auditor.report.flow_lines import flow_lines
from auditor.report.interface import RenderOptions
from auditor.report.tables import TEXT


def render(report: Report, options: RenderOptions) -> bytes:
    """Return the flows; nothing where the report has none (the registry refuses that before)."""
    return b"".join(pieces(report, options))


def pieces(report: Report, options: RenderOptions) -> Iterator[bytes]:  # noqa: ARG001 - the interface of all formats
    """Yield the flows piece by piece."""
    if report.flows is not None:
        yield from flow_pieces(report.flows)


def flow_pieces(flows: FlowRows) -> Iterator[bytes]:
    """Yield the row of names, then a row for each flow."""
    yield (",".join(field.name for field in flows.fields) + "\r\n").encode()
    yield from flow_lines(flows, ",".join(["%s"] * len(flows.fields)) + "\r\n", _quoted, time_text, "")


def _quoted(text: str) -> str:
    """Return text as a cell, quoted where RFC 4180 asks for it."""
    value = cell(text, TEXT)
    return f'"{value.replace(chr(34), chr(34) * 2)}"' if any(sign in value for sign in ',"\r\n') else value
