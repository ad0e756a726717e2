"""JSON: the whole report, and with it the flows that it was made of: a saved report that can be judged again.

The document is that of the format ``json`` with one member more, ``flows``, its last: an object for each flow, with every
column of docs/formats.md. Each stands on a line of its own, so that it can be read without holding them all.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.model import Report
from auditor.model.flow_rows import FLOWS_CLOSE, FLOWS_OPEN
from auditor.report import json_, jsonl_flows
from auditor.report.interface import RenderOptions


def render(report: Report, options: RenderOptions) -> bytes:
    """Return the report with its flows; with none where the report has none (the registry refuses that before)."""
    return b"".join(pieces(report, options))


def pieces(report: Report, options: RenderOptions) -> Iterator[bytes]:
    """Yield the same piece by piece."""
    yield json_.render(report, options).removesuffix(b"\n}\n") + b",\n" + FLOWS_OPEN
    first = True
    for piece in jsonl_flows.pieces(report, options):
        lines = b",\n".join(piece.splitlines())
        yield (b"\n" if first else b",\n") + lines
        first = False
    yield b"\n" + FLOWS_CLOSE + b"\n}\n"
