"""OCSF events (schema.ocsf.io, 1.5.0): one for each finding, as an array. What both classes of event share.

The time of an event is that of the last packet that was captured, for there is no clock in a report.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any

from auditor.community_id import community_id
from auditor.model import Evidence, Finding, Report, Severity
from auditor.report.acceptance import acceptance, acceptance_fields
from auditor.report.packet_places import Places
from auditor.report.places import first_and_last, split_end
from auditor.text import escape

VERSION = "1.5.0"

_SEVERITIES = {
    Severity.INFO: (1, "Informational"),
    Severity.LOW: (2, "Low"),
    Severity.MEDIUM: (3, "Medium"),
    Severity.HIGH: (4, "High"),
    Severity.CRITICAL: (5, "Critical"),
}
_CREATE, _NEW, _SUPPRESSED, _RULE, _IP_ADDRESS = 1, 1, 3, 1, 2
_PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "icmp6": 58}


def events(report: Report, class_uid: int, class_name: str) -> Iterator[tuple[Finding, dict[str, Any]]]:
    """Yield the findings, each with what every event of a finding has."""
    places = Places(report)
    for finding in report.findings:
        yield finding, _event(report, finding, places, (class_uid, class_name))


def _event(report: Report, finding: Finding, places: Places, classed: tuple[int, str]) -> dict[str, Any]:
    class_uid, class_name = classed
    number, word = _SEVERITIES[finding.severity]
    hosts = _addresses(finding)
    made = {
        "class_uid": class_uid,
        "class_name": class_name,
        "category_uid": class_uid // 1000,
        "category_name": "Findings",
        "activity_id": _CREATE,
        "activity_name": "Create",
        "type_uid": class_uid * 100 + _CREATE,
        "type_name": f"{class_name}: Create",
        "severity_id": number,
        "severity": word,
        "status_id": _SUPPRESSED if finding.waived else _NEW,
        "status": "Suppressed" if finding.waived else "New",
        "time": last_moment(report),
        "message": escape(finding.message),
        "metadata": {
            "version": VERSION,
            "event_code": escape(finding.code),
            "product": {"name": "auditor", "version": escape(report.version)},
        },
        "finding_info": _finding_info(report, finding),
        "remediation": {"desc": escape(finding.remedy)},
        "resources": [{"type": "host", "name": address, "ip": address} for address in hosts],
        "observables": [
            {"name": "resources.ip", "type_id": _IP_ADDRESS, "type": "IP Address", "value": address}
            for address in hosts
        ],
        "evidences": [_evidence(one, places) for one in finding.evidence],
        "unmapped": {
            "key": escape(finding.key),
            "flows": finding.flows,
            "term": escape(finding.term),
            "nearest_term": escape(finding.nearest),
            "baseline_state": finding.baseline_state,
            "waiver": acceptance_fields(finding),
            "subject": {escape(name): escape(value) for name, value in finding.subject.items()},
        },
    }
    if finding.waiver is not None:
        made["comment"] = acceptance(finding)
    return {name: value for name, value in made.items() if value != []}


def _finding_info(report: Report, finding: Finding) -> dict[str, Any]:
    rule = next((one for one in report.rules if one.code == finding.code), None)
    return {
        "uid": sha256(finding.key.encode("utf-8", "backslashreplace")).hexdigest(),
        "title": escape(finding.title or finding.name),
        "desc": escape(f"{finding.message} {finding.consequence}".strip()),
        "types": [escape(finding.name)],
        "data_sources": [escape(capture.path) for capture in report.captures],
        "analytic": {
            "uid": escape(finding.code),
            "name": escape(finding.name),
            "type_id": _RULE,
            "type": "Rule",
            "desc": escape(rule.why if rule else ""),
        },
    }


def last_moment(report: Report) -> int:
    """Return the time of the last packet in milliseconds since 1970, 0 where nothing was read."""
    try:
        return int(datetime.fromisoformat(first_and_last(report)[1] or "").timestamp() * 1000)
    except ValueError:
        return 0


def _addresses(finding: Finding) -> list[str]:
    """Return the addresses that a finding is about, else those of its first proof."""
    named = [split_end(f"[{value}]:0") for value in finding.subject.values()]
    found = list(dict.fromkeys(end[0] for end in named if end))
    if not found and finding.evidence:
        flow = finding.evidence[0].flow
        ends = [split_end(end) for end in (flow.originator, flow.responder)]
        found = list(dict.fromkeys(end[0] for end in ends if end))
    return found


def _evidence(evidence: Evidence, places: Places) -> dict[str, Any]:
    flow = evidence.flow
    in_files = places.in_files([evidence]) if places.several else {}
    connection: dict[str, Any] = {"direction_id": 0, "protocol_name": escape(flow.transport)}
    if flow.transport in _PROTOCOLS:
        connection["protocol_num"] = _PROTOCOLS[flow.transport]
    identity = community_id(flow.transport, flow.originator, flow.responder)
    if identity:
        connection["community_uid"] = identity
    return {
        "src_endpoint": _endpoint(flow.originator),
        "dst_endpoint": _endpoint(flow.responder),
        "connection_info": connection,
        "data": {
            "capture": escape(evidence.capture),
            "packets": list(evidence.packets),
            "note": escape(evidence.note),
            **({"in_files": {escape(path): numbers for path, numbers in in_files.items()}} if in_files else {}),
        },
    }


def _endpoint(end: str) -> dict[str, Any]:
    known = split_end(end)
    return {"name": escape(end)} if known is None else {"ip": known[0], "port": known[1]}
