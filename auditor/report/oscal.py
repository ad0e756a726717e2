"""OSCAL assessment results 1.1.2 (NIST): findings as observations, and the controls that they speak against.

Only "not satisfied" is ever said, and only where a finding counts against a control: that a control is satisfied is
more than traffic can tell. Identifiers are made of the report's content and no clock is asked, so that the same report
gives the same bytes; the document was last modified when the last packet was captured.
"""

from __future__ import annotations

from collections import defaultdict
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

from auditor.model import Evidence, Finding, Report, Severity
from auditor.report.acceptance import acceptance_fields
from auditor.report.interface import RenderOptions
from auditor.report.json_ import dump
from auditor.report.packet_places import Places
from auditor.report.places import first_and_last, proof_line, uri
from auditor.text import escape

VERSION = "1.1.2"

_NAMESPACE = UUID("6f0a7c0e-7a3c-5c1a-9d57-1d2f9f6f7a11")
"""Of all identifiers that auditor makes; drawn once."""

_ALWAYS = {"ac-4", "sc-7"}
"""Information flow enforcement and boundary protection: what traffic held against a firewall policy is about anyway."""

_NS = "urn:auditor:oscal"
_EPOCH = "1970-01-01T00:00:00.000000000Z"


def render(report: Report, options: RenderOptions) -> bytes:  # noqa: ARG001 - the interface of all formats
    """Return the document."""
    begun, ended = first_and_last(report)
    first = begun or _EPOCH
    last = ended or first
    seed = repr([report.summary, [(one.path, one.sha256, one.first) for one in report.captures]])
    identity = _Identity(sha256(seed.encode("utf-8", "backslashreplace")).hexdigest())
    places = Places(report)
    observations = {finding.key: _observation(finding, identity, last, places) for finding in report.findings}
    result: dict[str, Any] = {
        "uuid": identity.of("result"),
        "title": "Backup Exec traffic held against its firewall policy",
        "description": _prose(report.summary),
        "start": first,
        "end": last,
        "props": [{"name": "verdict", "ns": _NS, "value": report.verdict.value}],
        "reviewed-controls": _reviewed(report),
        "observations": list(observations.values()),
        "findings": _findings(report, identity, observations),
        "remarks": _prose(" ".join(report.limits) or "Only what was captured was judged."),
    }
    document = {
        "uuid": identity.of("document"),
        "metadata": {
            "title": "Assessment of Backup Exec traffic",
            "last-modified": last,
            "version": escape(report.version) or "0",
            "oscal-version": VERSION,
        },
        # A plan is what the schema asks for; the policy is what the assessment was planned by.
        "import-ap": {"href": uri(report.policy.path) if report.policy.path else "#"},
        "results": [{name: value for name, value in result.items() if value != []}],
    }
    return dump({"assessment-results": document})


class _Identity:
    """Makes identifiers that are the same for the same report."""

    def __init__(self, seed: str) -> None:
        self._seed = seed

    def of(self, *parts: str) -> str:
        text = "\x1f".join((self._seed, *parts)).encode("utf-8", "backslashreplace").decode()
        return str(uuid5(_NAMESPACE, text))


def _prose(text: str) -> str:
    return escape(text).strip() or "not told"


def _reviewed(report: Report) -> dict[str, Any]:
    controls = {_control(control) for rule in report.rules for control in rule.controls} or _ALWAYS
    return {
        "control-selections": [
            {
                "description": "Controls that the evaluated rules have to do with.",
                "include-controls": [{"control-id": control} for control in sorted(controls)],
            }
        ]
    }


def _control(name: str) -> str:
    """Return a control as the OSCAL catalogue of SP 800-53 names it: ``sc-7``, ``ac-17.2``."""
    return name.lower().replace("(", ".").replace(")", "")


def _observation(finding: Finding, identity: _Identity, collected: str, places: Places) -> dict[str, Any]:
    properties = {
        "key": finding.key,
        "rule": finding.code,
        "severity": finding.severity.word,
        "waived": str(finding.waived).lower(),
        "term": finding.term,
        "baseline-state": finding.baseline_state,
        **{f"waiver-{name}": value for name, value in acceptance_fields(finding).items()},
    }
    observed: dict[str, Any] = {
        "uuid": identity.of("observation", finding.key),
        "title": _prose(f"{finding.code} {finding.title}"),
        "description": _prose(f"{finding.message} {finding.consequence}"),
        "props": [
            {"name": name, "ns": _NS, "value": _prose(value)} for name, value in properties.items() if value.strip()
        ],
        "methods": ["TEST"],
        "types": ["finding"],
        "relevant-evidence": [_evidence(one, places) for one in finding.evidence],
        "collected": collected,
        "remarks": _prose(finding.remedy),
    }
    return {name: value for name, value in observed.items() if value != []}


def _evidence(evidence: Evidence, places: Places) -> dict[str, Any]:
    told: dict[str, Any] = {"description": _prose(proof_line(evidence, places))}
    return told | ({"href": uri(evidence.capture)} if evidence.capture else {})


def _findings(report: Report, identity: _Identity, observations: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    against: defaultdict[str, list[Finding]] = defaultdict(list)
    controls = {rule.code: rule.controls for rule in report.rules}
    for finding in report.findings:
        if not finding.waived and finding.severity > Severity.INFO:
            for control in controls.get(finding.code, ()):
                against[_control(control)].append(finding)
    return [
        {
            "uuid": identity.of("finding", control),
            "title": f"{control.upper()}: evidence against it",
            "description": _prose(" ".join(finding.message for finding in found)),
            "target": {
                "type": "objective-id",
                "target-id": f"{control}_obj",
                "status": {"state": "not-satisfied", "reason": "fail"},
            },
            "related-observations": [{"observation-uuid": observations[finding.key]["uuid"]} for finding in found],
        }
        for control, found in sorted(against.items())
    ]
