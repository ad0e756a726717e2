"""SARIF 2.1.0 (OASIS): findings for code scanning. A finding stands at the line of the policy that decided.

Evidence is told in related locations; the fingerprint is the finding's key, so that the same finding of another run is
known again; a waived finding is suppressed, with who accepted it and why as the justification. What a baseline had and
this report has not is counted, but is no result: readers of SARIF take every result for a present one.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from auditor.community_id import community_id
from auditor.model import Evidence, Finding, Report, RuleSummary, Severity
from auditor.report.acceptance import acceptance, acceptance_fields
from auditor.report.interface import RenderOptions
from auditor.report.json_ import dump
from auditor.report.packet_places import Places
from auditor.report.places import place_of, proof_line, uri
from auditor.text import escape

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
_BANDS = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "2.0",
    Severity.INFO: "0.0",
}
"""``security-severity`` as GitHub reads it. The number names the band; it was not computed."""


def render(report: Report, options: RenderOptions) -> bytes:  # noqa: ARG001 - the interface of all formats
    """Return a log of one run."""
    rules = [*report.rules, *_others(report)]
    index = {rule.code: number for number, rule in enumerate(rules)}
    places = Places(report)
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "auditor",
                "version": escape(report.version),
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "invocations": [
            {
                "executionSuccessful": all(capture.status == "read" for capture in report.captures),
                "toolExecutionNotifications": [
                    {"level": "warning", "message": {"text": message(limit)}} for limit in report.limits
                ],
            }
        ],
        # Each file once: the schema asks for it.
        "artifacts": list({one.path: _capture(one.path, one.sha256) for one in report.captures}.values()),
        "results": [_result(report, finding, index[finding.code], places) for finding in report.findings],
        "columnKind": "unicodeCodePoints",
        "properties": _properties(report),
    }
    return dump({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def message(text: str) -> str:
    """Return text as a SARIF message: no link, no placeholder, nothing that a terminal would obey."""
    return escape(text).replace("{", "{{").replace("}", "}}").replace("](", "] (")


def _others(report: Report) -> list[RuleSummary]:
    """Return rules that only findings tell of: a report of an older version has no list of rules."""
    known = {rule.code for rule in report.rules}
    found = {one.code: one for one in reversed(report.findings) if one.code not in known}
    return [RuleSummary(one.code, one.name, one.title, one.severity, 0) for one in found.values()]


def _rule(rule: RuleSummary) -> dict[str, Any]:
    described = {
        "id": escape(rule.code),
        "name": escape(rule.name),
        "shortDescription": {"text": message(rule.title or rule.name)},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {
            "security-severity": _BANDS[rule.severity],
            "tags": ["backup-exec", "security", *(f"nist-800-53/{escape(control)}" for control in rule.controls)],
        },
    }
    return described | ({"fullDescription": {"text": message(rule.why)}} if rule.why else {})


def _capture(path: str, sha256_text: str | None) -> dict[str, Any]:
    location = {"location": {"uri": uri(path)}}
    return location | ({"hashes": {"sha-256": sha256_text}} if sha256_text else {})


def _result(report: Report, finding: Finding, rule: int, places: Places) -> dict[str, Any]:
    path, line = place_of(report, finding)
    result: dict[str, Any] = {
        "ruleId": escape(finding.code),
        "ruleIndex": rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": message(f"{finding.message} {finding.consequence} {finding.remedy}".strip())},
        "locations": [_location(path, line, finding)] if path else [],
        "partialFingerprints": {"auditorKey/v1": sha256(finding.key.encode("utf-8", "backslashreplace")).hexdigest()},
        "relatedLocations": [_proof(number, one, places) for number, one in enumerate(finding.evidence)],
        "rank": float(int(finding.severity) * 25),
        "properties": {
            "key": escape(finding.key),
            "severity": finding.severity.word,
            "flows": finding.flows,
            "term": escape(finding.term),
            "nearestTerm": escape(finding.nearest),
            "subject": {escape(name): escape(value) for name, value in finding.subject.items()},
        },
    }
    if finding.waived:
        result["suppressions"] = [_suppression(finding)]
    if finding.baseline_state:
        result["baselineState"] = finding.baseline_state
    return result


def _suppression(finding: Finding) -> dict[str, Any]:
    said = {"kind": "external", "status": "accepted"}
    if finding.waiver is None:
        return said
    return said | {"justification": acceptance(finding), "properties": acceptance_fields(finding)}


def _properties(report: Report) -> dict[str, Any]:
    told: dict[str, Any] = {"verdict": report.verdict.value, "summary": escape(report.summary)}
    old = report.baseline
    if old is None:
        return told
    counts = {"new": old.new, "updated": old.updated, "unchanged": old.unchanged, "gone": len(old.gone)}
    return told | {"baseline": {"path": escape(old.path), "sha256": old.sha256, **counts}}


def _location(path: str, line: int, finding: Finding) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": uri(path)}}
    if line:
        physical["region"] = {"startLine": line}
    names = [{"name": escape(name), "kind": "term"} for name in (finding.term or finding.nearest,) if name]
    return {"physicalLocation": physical} | ({"logicalLocations": names} if names else {})


def _proof(number: int, evidence: Evidence, places: Places) -> dict[str, Any]:
    flow = evidence.flow
    location: dict[str, Any] = {
        "id": number,
        "message": {"text": message(proof_line(evidence, places))},
        "properties": {
            "packets": list(evidence.packets),
            "communityId": community_id(flow.transport, flow.originator, flow.responder),
        },
    }
    if evidence.capture:
        location["physicalLocation"] = {"artifactLocation": {"uri": uri(evidence.capture)}}
    return location
