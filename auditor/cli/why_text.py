"""A finding explained: what it says, what proves it, why the rule thinks so, and how to see it in Wireshark."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.evidence.filters import comment_filter, flow_filter, packet_filter
from auditor.evidence.find import handle
from auditor.evidence.flows import sessions_of
from auditor.model import Evidence, Finding, Report, TermSummary
from auditor.packs.model import Condition, Rule
from auditor.report.interface import RenderOptions
from auditor.report.layout import Page, Span
from auditor.report.packet_places import Places
from auditor.text import counted, number, packet_list

_MOST_PACKETS = 24
"""Packets of one flow that are named."""


def why_text(report: Report, place: int, rule: Rule | None, options: RenderOptions) -> str:
    """Return the explanation of a finding; ``rule`` is None where this version of auditor has it no more."""
    finding = report.findings[place]
    page = Page(options)
    page.line(Span(f"{handle(report, place)}  {finding.title or finding.name}", "heading"))
    waived = " · waived" if finding.waived else ""
    page.line(Span(finding.severity.word, finding.severity.word), Span(f" · {finding.name}{waived}"))
    page.paragraph(finding.key, style="dim")
    page.blank()
    page.paragraph(finding.message)
    if finding.inconclusive:
        page.paragraph(f"Not certain: {finding.inconclusive}")
    _evidence(page, report, finding)
    _term(page, report, finding)
    _reasoning(page, finding, rule)
    page.heading("What to do")
    page.paragraph(finding.consequence, indent=2)
    page.paragraph(finding.remedy, indent=2)
    _filters(page, report, finding)
    return page.text()


def _evidence(page: Page, report: Report, finding: Finding) -> None:
    count = f"{counted(finding.flows, 'flow')} in all" if finding.flows > len(finding.evidence) else ""
    page.heading("Packets", count)
    if not finding.evidence:
        page.paragraph("None: it rests on what is not in the captures, or on something other than packets.", indent=2)
    places = Places(report)
    for capture in dict.fromkeys(one.capture for one in finding.evidence):
        page.paragraph(capture or "no capture", indent=2, style="strong")
        for one in finding.evidence:
            if one.capture == capture:
                _proof(page, one, places)
    for session in sessions_of(report, finding):
        page.paragraph(session.story or session.control.originator, indent=2, label="session")


def _proof(page: Page, one: Evidence, places: Places) -> None:
    flow = f"{one.flow.originator} > {one.flow.responder} {one.flow.transport}"
    packets = packet_list(one.packets, limit=_MOST_PACKETS)
    page.paragraph(f"{packets} · {flow}" if packets else flow, indent=4, hang=2)
    where = places.text(one, limit=_MOST_PACKETS)
    if where and where != one.capture:
        page.paragraph(where, indent=6)
    if one.note:
        page.paragraph(one.note, indent=6, style="dim")


def _term(page: Page, report: Report, finding: Finding) -> None:
    name = finding.term or finding.nearest
    page.heading("Term of the policy")
    if not name:
        page.paragraph("No term decided it, and none comes near: the rule alone says so.", indent=2)
        return
    term = next((one for one in report.terms if one.name == name), None)
    page.paragraph(f"{name}, {'which decided' if finding.term else 'the nearest; it does not match'}", indent=2)
    if term is not None:
        page.paragraph(term.text, indent=4)
        page.paragraph(_place(term), indent=4, style="dim")


def _place(term: TermSummary) -> str:
    origin = "the vendor's" if term.origin == "vendor" else "the site's"
    where = f"{term.path}:{term.line}" if term.line else "not written in a policy file"
    return f"{origin} · {where} · decided {counted(term.flows, 'flow')}"


def _reasoning(page: Page, finding: Finding, rule: Rule | None) -> None:
    page.heading("Why it is a finding")
    if rule is None:
        page.paragraph(f"This version of auditor has no rule {finding.code}; what the report says is above.", indent=2)
        return
    page.paragraph(_flat(rule.why), indent=2)
    if rule.select:
        page.paragraph(f"What held, for each row of the table {rule.table}:", indent=2)
        for condition in rule.select:
            page.paragraph(condition_text(condition), indent=4, label="–")
    if finding.severity != rule.severity:
        raised = [one for one in rule.escalate if one.severity == finding.severity]
        held = "; ".join(" and ".join(map(condition_text, one.select)) for one in raised)
        changed = "raised" if finding.severity > rule.severity else "lowered"
        page.paragraph(
            f"{changed} from {rule.severity.word} to {finding.severity.word}{f': {held}' if held else ''}",
            indent=4, label="–",
        )  # fmt: skip
    for title, texts in (("It would be a false alarm where", rule.false_alarms), ("Sources", rule.sources)):
        if texts:
            page.paragraph(f"{title}:", indent=2)
        for text in texts:
            page.paragraph(_flat(text), indent=4, label="–")
    if rule.controls:
        page.paragraph(f"NIST SP 800-53: {', '.join(rule.controls)}", indent=2)


def _filters(page: Page, report: Report, finding: Finding) -> None:
    page.heading("In Wireshark")
    connections = flow_filter(one.flow for one in finding.evidence)
    if connections:
        page.line(Span("The connections, in any capture:", "dim"), indent=2)
        page.line(Span(connections), indent=4)
    for capture, numbers in Places(report).in_files(finding.evidence).items():
        packets = packet_filter(numbers)
        if packets:
            page.line(Span(f"These packets, in {capture}:", "dim"), indent=2)
            page.line(Span(packets), indent=4)
    comments = comment_filter(finding)
    if comments and any(one.packets for one in finding.evidence):
        page.line(Span("These packets, in what --pcap writes:", "dim"), indent=2)
        page.line(Span(comments), indent=4)


def condition_text(condition: Condition) -> str:
    """Return a line of ``select`` as a sentence: ``outcome is established or uncertain``."""
    values = [number(value) if isinstance(value, int) else value for value in condition.values]
    if condition.operator in ("in", "not in"):
        return f"{condition.column} is {'not ' if condition.operator == 'not in' else ''}{_alternatives(values)}"
    words = {"<": "below", "<=": "at most", ">": "above", ">=": "at least", "!=": "not"}
    return f"{condition.column} is {words[condition.operator]} {_alternatives(values)}"


def _alternatives(values: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(values[:-1]), values[-1])))


def _flat(text: str) -> str:
    return " ".join(text.split())
