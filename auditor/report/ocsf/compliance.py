"""OCSF 2003, Compliance Finding: the same findings, with the controls that they speak against.

A control that no event names was not found violated; that it is met, traffic cannot tell, so that no event says so.
"""

from __future__ import annotations

from typing import Any

from auditor.model import Finding, Report, Severity
from auditor.report.interface import RenderOptions
from auditor.report.json_ import dump
from auditor.report.ocsf import events
from auditor.text import escape

_WARNING, _FAIL = (2, "Warning"), (3, "Fail")


def render(report: Report, options: RenderOptions) -> bytes:  # noqa: ARG001 - the interface of all formats
    """Return an array with an event for each finding."""
    controls = {rule.code: rule.controls for rule in report.rules}
    made = [
        event | {"compliance": _compliance(report, finding, controls.get(finding.code, ()))}
        for finding, event in events(report, 2003, "Compliance Finding")
    ]
    return dump(made)


def _compliance(report: Report, finding: Finding, controls: tuple[str, ...]) -> dict[str, Any]:
    number, word = _FAIL if finding.severity > Severity.INFO else _WARNING
    policy = escape(report.policy.path or f"the vendor's advice for {report.policy.generation}")
    made: dict[str, Any] = {
        "control": escape(finding.title or finding.name),
        "desc": escape(finding.message),
        "standards": [f"firewall policy {policy}"],
        "status_id": number,
        "status": word,
        "status_details": [escape(finding.consequence)],
    }
    if controls:
        made["standards"].append("NIST SP 800-53")
        made["requirements"] = [escape(control) for control in controls]
    return made
