"""JSON Lines: one object a line, its ``type`` first. The objects are those of the JSON report."""

from __future__ import annotations

from auditor.model import Report
from auditor.report.interface import RenderOptions
from auditor.report.json_ import json_bytes, plain

_LISTS = {
    "capture": "captures",
    "host": "hosts",
    "service": "services",
    "term": "terms",
    "rule": "rules",
    "session": "sessions",
    "undecided": "undecided",
    "finding": "findings",
}
"""Type of a line -> the field of the report that such lines come from."""


def render(report: Report, options: RenderOptions) -> bytes:  # noqa: ARG001 - the interface of all formats
    """Return the head of the report as one line, then a line for each member of its lists."""
    head = {
        name: plain(getattr(report, name))
        for name in ("schema", "version", "verdict", "summary", "limits", "policy", "totals")
    }
    lines = [json_bytes({"type": "report", **head})]
    for kind, name in _LISTS.items():
        lines += [json_bytes({"type": kind, **plain(one)}) for one in getattr(report, name)]
    return b"".join(lines)
