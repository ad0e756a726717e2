"""GitHub annotations: workflow commands on standard output, which a step of GitHub Actions turns into annotations.

One line a finding, at the line of the policy that decided; GitHub shows ten errors and ten warnings of a step.
"""

from __future__ import annotations

from auditor.model import Finding, Report, Severity
from auditor.report.interface import RenderOptions
from auditor.report.packet_places import Places
from auditor.report.places import place_of, proof_line
from auditor.text import escape

_COMMANDS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "notice",
    Severity.INFO: "notice",
}


def render(report: Report, options: RenderOptions) -> bytes:  # noqa: ARG001 - the interface of all formats
    """Return a line for each finding that is not waived, and one for the verdict."""
    places = Places(report)
    lines = [_line(report, finding, places) for finding in report.findings if not finding.waived]
    verdict = "notice" if report.verdict.value == "conforms" else "error"
    lines.append(f"::{verdict} title=auditor%3A {report.verdict.value}::{_data(report.summary)}")
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")


def _line(report: Report, finding: Finding, places: Places) -> str:
    path, line = place_of(report, finding)
    properties = [f"file={_property(path)}"] if path else []
    properties += [f"line={line}"] if line else []
    state = f" ({finding.baseline_state})" if finding.baseline_state else ""
    properties.append(f"title={_property(f'{finding.code} {finding.title}{state}')}")
    lines = (finding.message, finding.remedy, *(proof_line(one, places) for one in finding.evidence[:2]))
    return f"::{_COMMANDS[finding.severity]} {','.join(properties)}::{_data(*filter(None, lines))}"


def _data(*lines: str) -> str:
    """Return a message: one line, whose breaks GitHub makes anew."""
    return "%0A".join(escape(line).replace("%", "%25") for line in lines)


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
