"""JUnit XML: what continuous integration shows as tests. A case for each rule, each line of the policy, each capture.

A rule fails where it has a finding that counts; a line of the policy where traffic that it decided is among such
findings, and is skipped where nothing exercised it; a capture that could not be read, and a report that is
inconclusive, are errors and never passed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from xml.etree.ElementTree import Element, SubElement, tostring

from auditor.model import Finding, Report, ReportVerdict, RuleSummary, Severity
from auditor.report.acceptance import acceptance
from auditor.report.interface import RenderOptions
from auditor.report.packet_places import Places
from auditor.report.places import place_of, proof_line
from auditor.text import escape

_OUTCOMES = ("failure", "error", "skipped")


def render(report: Report, options: RenderOptions) -> bytes:  # noqa: ARG001 - the interface of all formats
    """Return the document."""
    root = Element("testsuites", name="auditor")
    _audit(SubElement(root, "testsuite", name="audit"), report)
    _rules(SubElement(root, "testsuite", name="rules"), report)
    _terms(SubElement(root, "testsuite", name="terms"), report)
    for suite in root:
        _count(suite, suite.iter("testcase"))
    _count(root, root.iter("testcase"))
    body: bytes = tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + body + b"\n"


def _count(element: Element, cases: Iterable[Element]) -> None:
    """Write how many cases there are, and how many of each outcome; a report has no duration."""
    found = [next((child.tag for child in case if child.tag in _OUTCOMES), "") for case in cases]
    element.set("tests", str(len(found)))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(attribute, str(found.count(tag)))
    element.set("time", "0")


def _case(suite: Element, name: str, group: str) -> Element:
    return SubElement(suite, "testcase", classname=f"auditor.{group}", name=escape(name), time="0")


def _tell(case: Element, tag: str, message: str, lines: Iterable[str] = ()) -> None:
    told = SubElement(case, tag, message=escape(message))
    if tag != "skipped":
        told.set("type", tag)
    told.text = "\n".join(map(escape, lines)) or None


def _audit(suite: Element, report: Report) -> None:
    case = _case(suite, "the report is conclusive", "audit")
    if report.verdict is ReportVerdict.INCONCLUSIVE:
        _tell(case, "error", report.summary, report.limits)
    for capture in report.captures:
        case = _case(suite, f"{capture.path} was read", "captures")
        if capture.status != "read":
            _tell(case, "error", capture.error or capture.status)


def _rules(suite: Element, report: Report) -> None:
    places = Places(report)
    found: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in report.findings:
        found[finding.code].append(finding)
    known = {rule.code for rule in report.rules}
    rules = [*report.rules, *(_rule_of(many[0]) for code, many in found.items() if code not in known)]
    for rule in rules:
        case = _case(suite, f"{rule.code} {rule.title or rule.name}", "rules")
        _tell_findings(case, report, found[rule.code], places)


def _rule_of(finding: Finding) -> RuleSummary:
    return RuleSummary(finding.code, finding.name, finding.title, finding.severity, 0)


def _terms(suite: Element, report: Report) -> None:
    places = Places(report)
    found: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in report.findings:
        found[finding.term].append(finding)
    for term in report.terms:
        case = _case(suite, f"{term.name}: {term.text}", "terms")
        if term.path:
            case.set("file", escape(term.path))
            case.set("line", str(term.line))
        if not term.flows:
            _tell(case, "skipped", "not exercised in what was captured")
        else:
            _tell_findings(case, report, found[term.name], places)


def _tell_findings(case: Element, report: Report, findings: list[Finding], places: Places) -> None:
    """Fail a case whose findings count, skip one whose findings are all waived; what is only told stays told."""
    counting = [one for one in findings if not one.waived and one.severity > Severity.INFO]
    waived = [one for one in findings if one.waived]
    if counting:
        _tell(case, "failure", counting[0].message, (line for one in counting for line in _lines(report, one, places)))
    elif waived:
        _tell(
            case,
            "skipped",
            f"waived, {acceptance(waived[0])}: {waived[0].message}"
            if waived[0].waiver
            else f"waived: {waived[0].message}",
        )
    told = [one for one in findings if one.waived or one.severity <= Severity.INFO]
    if told:
        lines = (escape(line) for one in told for line in _lines(report, one, places))
        SubElement(case, "system-out").text = "\n".join(lines)


def _lines(report: Report, finding: Finding, places: Places) -> list[str]:
    path, line = place_of(report, finding)
    place = f"{path}:{line}" if line else path
    mark = ", ".join(filter(None, (finding.severity.word, "waived" if finding.waived else "", finding.baseline_state)))
    lines = [f"{finding.code} ({mark}) {finding.message}", f"  at {place}", f"  key {finding.key}"]
    lines += [f"  {acceptance(finding)}"] if finding.waiver else []
    return [*lines, *(f"  {proof_line(one, places)}" for one in finding.evidence)]
