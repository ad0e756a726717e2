"""JSON Lines of the flows, one object each, with every column of docs/formats.md; times in whole nanoseconds."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.model import Report
from auditor.report.flow_lines import flow_lines
from auditor.report.interface import RenderOptions
from auditor.report.json_ import json_bytes


def render(report: Report, options: RenderOptions) -> bytes:
    """Return the flows; nothing where the report has none (the registry refuses that before)."""
    return b"".join(pieces(report, options))


def pieces(report: Report, options: RenderOptions) -> Iterator[bytes]:  # noqa: ARG001 - the interface of all formats
    """Yield the flows piece by piece."""
    if report.flows is not None:
        members = ", ".join(f'"{field.name}": %s' for field in report.flows.fields)
        yield from flow_lines(report.flows, f"{{{members}}}\n", _word, str, "null")


def _word(text: str) -> str:
    return json_bytes(text).decode().rstrip("\n")
