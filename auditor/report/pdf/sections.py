"""The sections of the PDF, in the order of the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from auditor.model import Assessment, DataSummary, Report, SessionSummary
from auditor.model.quality import UNKNOWN_VANTAGE
from auditor.report.glossary import GLOSSARY
from auditor.report.html.findings import FindingGroup, ShownFinding
from auditor.report.packet_places import Places, numbered_text
from auditor.report.pdf import blocks
from auditor.report.pdf.blocks import MOST_ROWS, Block, Line, clean, left_out, line
from auditor.report.pdf.sections_drawn import band_blocks, capacity_blocks, talk_blocks, timeline_blocks
from auditor.report.quality_lines import quality_facts, vantage_text
from auditor.report.waiver_lines import STATES
from auditor.text import byte_count, counted, number, period

MOST_FINDINGS = 2000
"""Findings on paper; the JSON report has all of them."""

_METHOD = (
    "auditor read the packets, put them together into flows, found the NDMP control connections by what is said on them, "
    "and followed their announcements to the data connections. Every flow with a host of the policy, or with Backup Exec "
    "traffic, was held against the policy's terms; rules then compared what was intended with what was observed. A data "
    "connection is proved where address and port were read from NDMP, probable where part of that is missing, and possible "
    "where only hosts and time agree. Packet numbers count from 1 over all captures, in the order of their packets’ times."
)
_ALWAYS = (
    "A capture shows what passed its point. Behind a firewall, a blocked attempt is invisible.",
    "What did not happen was not judged: a weekly job does not show in an hour of traffic.",
    "A capture seldom tells where it was taken, and never what its recorder failed to see unless that was counted.",
)


def sections(report: Report, groups: Sequence[FindingGroup]) -> list[dict[str, object]]:
    """Return title and blocks of each section that has something to say."""
    made = (
        ("Data ports against the declared range", band_blocks(report, groups)),
        ("Control connections and their data", timeline_blocks(report)),
        ("Who talks to whom", talk_blocks(report)),
        ("Capacity", capacity_blocks(report)),
        ("Findings", _findings(groups)),
        ("Sessions", _sessions(report)),
        ("Data connections not tied", _undecided(report)),
        ("Services and terms", _services(report)),
        ("Hosts", _hosts(report)),
        ("Controls", _controls(report)),
        ("Waivers", _waivers(report)),
        ("Against the baseline", _baseline(report)),
        ("Captures and their quality", _quality(report)),
        ("Method and limits", _method(report)),
        ("Glossary", _glossary()),
    )
    return [{"title": title, "blocks": parts} for title, of in made if (parts := list(of))]


def _sessions(report: Report) -> Iterator[Block]:
    if not report.sessions:
        return
    columns = (
        ("Connection", 5, "left"),
        ("What was seen", 5, "left"),
        ("Packets", 0, "right"),
        ("Payload", 0, "right"),
    )
    rows = [row for session in report.sessions[:MOST_ROWS] for row in _session(session)]
    yield blocks.table("Control connections, each with the data connections that followed it", columns, rows)
    yield from left_out(len(report.sessions), "control connections")


def _session(session: SessionSummary) -> Iterator[Sequence[str | list[Line]]]:
    control = session.control
    version = f"NDMP {session.ndmp_version}" if session.ndmp_version else "NDMP version not seen"
    seen = [line(", ".join((version, *session.operations))), *([line(session.story, "quiet")] if session.story else [])]
    ends = [line(f"{control.originator} →", "mono"), line(control.responder, "mono")]
    yield ends, seen, f"{control.first_packet}–{control.last_packet}", ""
    for failed, data in [*((False, one) for one in session.data), *((True, one) for one in session.attempts)]:
        yield _data(data, failed=failed)


def _data(data: DataSummary, *, failed: bool) -> Sequence[str | list[Line]]:
    said = [line(f"{data.grade}{', not answered or refused' if failed else ''}")]
    said += [line(f"{end.port} outside {end.declared}", "bad") for end in data.ends if end.inside is False]
    said += [line(reason, "quiet") for reason in data.because[:2]]
    carried = "–" if failed else byte_count(data.originator_bytes + data.responder_bytes)
    ends = [line(f"   {data.originator} →", "mono"), line(f"   {data.responder}", "mono")]
    return ends, said, f"{data.first_packet}–{data.last_packet or data.first_packet}", carried


def _undecided(report: Report) -> Iterator[Block]:
    if not report.undecided:
        return
    columns = (("Connection", 5, "left"), ("Why, and candidates", 5, "left"), ("Packets", 0, "right"), ("Payload", 0, "right"))  # fmt: skip
    rows = (
        ([line(f"{one.originator} →", "mono"), line(one.responder, "mono")],
         [line(one.reason), *(line(f"of {of.originator} → {of.responder}?", "quiet") for of in one.controls[:3]),
          *([line(f"of one of {number(one.candidates - 3)} more?", "quiet")] if one.candidates > 3 else [])],
         f"{one.first_packet}–{one.last_packet}", byte_count(one.originator_bytes + one.responder_bytes))
        for one in report.undecided[:MOST_ROWS]
    )  # fmt: skip
    yield blocks.text(
        "Each could have been opened by one of the control connections named, and the evidence does not decide by which."
    )
    yield blocks.table("Data connections that are tied to no control connection", columns, rows)
    yield from left_out(len(report.undecided), "data connections")


def _findings(groups: Sequence[FindingGroup]) -> Iterator[Block]:
    if not groups:
        yield blocks.text("None.")
    left = MOST_FINDINGS
    for group in groups:
        if left <= 0:
            break
        shown = group.findings[:left]
        left -= len(shown)
        yield {
            "kind": "group",
            "severity": group.severity,
            "title": clean(f"{group.title}{' (waived)' if group.waived else ''}"),
            "code": clean(group.code),
            "effects": [clean(words) for words in group.consequences],
            "remedies": [clean(words) for words in group.remedies],
            "findings": [_finding(one) for one in shown],
        }
    total = sum(len(group.findings) for group in groups)
    if total > MOST_FINDINGS:
        yield blocks.quiet(f"… and {number(total - MOST_FINDINGS)} more findings; the JSON report has all of them.")


def _finding(shown: ShownFinding) -> dict[str, object]:
    finding, marks = shown.finding, []
    if finding.inconclusive:
        marks.append(f"Inconclusive: {finding.inconclusive}.")
    if finding.baseline_state in ("new", "updated"):
        marks.append(f"Against the baseline: {finding.baseline_state}.")
    if finding.waiver is not None:
        marks.append(f"Waived by {finding.waiver.owner} until {finding.waiver.expires}: {finding.waiver.reason}")
    if finding.term or finding.nearest:
        marks.append(f"Term: {finding.term}" if finding.term else f"Nearest term: {finding.nearest}")
    evidence = [
        {
            "flow": clean(" · ".join(filter(None, (one.packets, f"{one.flow} {one.transport}", one.place)))),
            "note": clean(one.note),
        }
        for one in shown.evidence
    ]
    if shown.more > 0:
        evidence.append({"flow": f"… and {counted(shown.more, 'more flow', 'more flows')}", "note": ""})
    return {
        "message": clean(finding.message),
        "key": clean(finding.key),
        "marks": [clean(mark) for mark in marks],
        "evidence": evidence,
    }


def _services(report: Report) -> Iterator[Block]:
    if not report.services:
        yield blocks.text("No traffic in scope was seen.")
    else:
        columns = (("Service", 6, "left"), ("Port", 0, "left"), ("Direction", 4, "left"), ("Policy", 3, "left"), ("Flows", 0, "right"), ("Bytes", 0, "right"))  # fmt: skip
        rows = (
            ([line(one.service), line(one.process, "quiet")], f"{one.transport} {one.port}", one.direction,
             [line(one.verdict), line(one.term, "quiet")], number(one.flows), byte_count(one.bytes))
            for one in report.services[:MOST_ROWS]
        )  # fmt: skip
        yield blocks.table("Services by the vendor's names, with what the policy intends", columns, rows)
        yield from left_out(len(report.services), "rows")
    if report.terms:
        exercised = sum(bool(term.flows) for term in report.terms)
        yield blocks.heading("Terms of the policy")
        yield blocks.text(
            f"{number(exercised)} of {counted(len(report.terms), 'term')} decided a flow. The others were not exercised in "
            "what was captured; that does not make them needless."
        )
        columns_ = (("Term", 4, "left"), ("Line", 7, "left"), ("From", 0, "left"), ("Flows", 0, "right"))
        ranked = sorted(report.terms, key=lambda term: not term.flows)
        terms = ((one.name, one.text, one.origin, number(one.flows)) for one in ranked[:MOST_ROWS])
        yield blocks.table("Terms, those that decided a flow first", columns_, terms)
        yield from left_out(len(report.terms), "terms")


def _hosts(report: Report) -> Iterator[Block]:
    if report.hosts:
        places = Places(report)
        columns = (("Host", 3, "left"), ("Zone", 2, "left"), ("Process role and reason", 6, "left"))
        rows = (
            ([line(one.address, "mono"), *([line(one.name)] if one.name else [])], one.zone,
             [line(places.told(reason)) for reason in one.because[:6]] or [line(", ".join(one.process_roles))])
            for one in report.hosts[:MOST_ROWS]
        )  # fmt: skip
        yield blocks.table("Hosts that are an end of traffic in scope, and what they do", columns, rows)
        yield from left_out(len(report.hosts), "hosts")


def _controls(report: Report) -> Iterator[Block]:
    if not report.controls:
        return
    yield blocks.text(
        "What this capture says for and against controls of common catalogues. Evidence is no proof of conformity: a "
        "capture shows one place for one time."
    )
    assessed = [one for one in report.controls if one.assessment is not Assessment.NOT_ASSESSABLE]
    if assessed:
        columns = (("Control", 3, "left"), ("Title", 5, "left"), ("Assessment", 3, "left"), ("Because", 6, "left"))
        rows = (
            ([line(one.id), line(one.framework, "quiet")], one.title, one.assessment.value, one.because)
            for one in assessed[:MOST_ROWS]
        )
        yield blocks.table("Controls of which the traffic says something", columns, rows)
    rest = [one for one in report.controls if one.assessment is Assessment.NOT_ASSESSABLE]
    for framework, group in groupby(rest, key=lambda one: one.framework):
        yield blocks.quiet(f"{framework}, not assessable from traffic: {', '.join(one.id for one in group)}.")


def _waivers(report: Report) -> Iterator[Block]:
    if not report.waivers:
        return
    yield blocks.text(f"Accepted deviations, as of {report.as_of or 'no known day'} (UTC, last day included).")
    columns = (("Rule", 2, "left"), ("Covers", 4, "left"), ("Owner and reason", 5, "left"), ("Last day", 0, "left"), ("State", 0, "left"), ("Findings", 0, "right"))  # fmt: skip
    rows = (
        ([line(one.code), line(one.place, "quiet")], one.covers, [line(one.owner), line(one.reason, "quiet")],
         one.expires, STATES.get(one.state, one.state), number(one.findings))
        for one in report.waivers[:MOST_ROWS]
    )  # fmt: skip
    yield blocks.table("Who accepted what, and until when", columns, rows)
    yield from left_out(len(report.waivers), "waivers")


def _baseline(report: Report) -> Iterator[Block]:
    baseline = report.baseline
    if baseline is None:
        return
    yield blocks.text(
        f"{baseline.path}: {number(baseline.new)} new, {number(baseline.updated)} updated, {number(len(baseline.gone))} gone, "
        f"{number(baseline.unchanged)} unchanged."
    )
    told = (*baseline.caveats, *(f"gone: {one.severity.word} {one.code} {one.message}" for one in baseline.gone))
    if told:
        yield blocks.listing(told[:MOST_ROWS])


def _quality(report: Report) -> Iterator[Block]:
    columns = (("Capture", 6, "left"), ("Read", 2, "left"), ("Period", 4, "left"), ("Packets", 0, "right"), ("Bytes", 0, "right"))  # fmt: skip
    rows = (
        ([line(one.path, "mono"), line(", ".join(filter(None, (one.format, *one.link_types, numbered_text(one)))), "quiet"),
          *([line(f"SHA-256 {one.sha256}", "quiet")] if one.sha256 else [])],
         [line("to its end" if one.status == "read" else one.status), *([line(one.error, "quiet")] if one.error else [])],
         period(one.first, one.last), number(one.packets), byte_count(one.bytes))
        for one in report.captures[:MOST_ROWS]
    )  # fmt: skip
    yield blocks.table("What was read. What a capture lost, nobody judged.", columns, rows)
    yield from left_out(len(report.captures), "captures")
    facts = quality_facts(report.quality.total)
    if report.quality.vantage != UNKNOWN_VANTAGE:
        facts.insert(0, f"Vantage: {vantage_text(report.quality)}.")
    if facts:
        yield blocks.listing(facts)


def _method(report: Report) -> Iterator[Block]:
    yield blocks.text(_METHOD)
    yield blocks.listing((*report.limits, *_ALWAYS))
    totals = " · ".join(f"{name.replace('_', ' ')} {number(value)}" for name, value in report.totals.items())
    yield blocks.quiet(totals)


def _glossary() -> Iterator[Block]:
    columns = (("Word", 2, "left"), ("Meaning", 7, "left"))
    yield blocks.table(
        "What words of this report mean", columns, (([line(word)], meaning) for word, meaning in GLOSSARY)
    )
