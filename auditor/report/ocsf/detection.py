"""OCSF 2004, Detection Finding: what a SIEM takes in by default."""

from __future__ import annotations

from auditor.model import Report, Severity
from auditor.report.interface import RenderOptions
from auditor.report.json_ import dump
from auditor.report.ocsf import events


def render(report: Report, options: RenderOptions) -> bytes:  # noqa: ARG001 - the interface of all formats
    """Return an array with an event for each finding."""
    made = [
        event | {"is_alert": finding.severity > Severity.INFO and not finding.waived}
        for finding, event in events(report, 2004, "Detection Finding")
    ]
    return dump(made)
