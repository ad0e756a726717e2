"""The report as text: captures, hosts, services, sessions, findings, limits, and the verdict as the last line.

At verbosity 0 it keeps to what fits a screen or two: long lists are cut, and say so. 1 shows every row, 2 also every
reason, byte count and packet number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby

from auditor.model import CaptureSummary, Evidence, Finding, HostSummary, PolicySummary, Report
from auditor.report.advice import advice
from auditor.report.capacity_lines import show_capacity
from auditor.report.control_lines import show_controls
from auditor.report.interface import RenderOptions
from auditor.report.layout import Column, Page, Span
from auditor.report.packet_places import Places, numbered_text
from auditor.report.quality_lines import show_quality
from auditor.report.seen_lines import name_lines
from auditor.report.session_lines import show_more, show_sessions, show_undecided
from auditor.report.waiver_lines import show_baseline, show_finding_marks, show_waivers
from auditor.text import byte_count, counted, duration, joined, number, packet_list, period

_CAPTURES, _HOSTS, _REASONS, _SERVICES, _ALIKE, _EVIDENCE = 6, 12, 6, 24, 12, 2
"""Rows shown of each kind at verbosity 0: ``_REASONS`` of one host, ``_ALIKE`` findings of one rule, ``_EVIDENCE`` of one."""

NOT_IP = "not-ip"
"""The core's name for frames that carry no IP: counted like problems, but nobody's fault."""

_LINK_TYPES = {
    "EN10MB": "Ethernet",
    "LINUX_SLL": "Linux cooked",
    "LINUX_SLL2": "Linux cooked 2",
    "RAW": "raw IP",
    "NULL": "loopback",
    "LOOP": "loopback",
}
"""Names of link types that say more than those of libpcap."""


def render(report: Report, options: RenderOptions) -> bytes:
    """Return the report as UTF-8 text."""
    page = Page(options)
    verbosity = options.verbosity
    _captures(page, report.captures, verbosity)
    show_quality(page, report.quality, verbosity)
    _policy(page, report.policy, verbosity)
    _hosts(page, report.hosts, verbosity, Places(report))
    _services(page, report, verbosity)
    show_sessions(page, report.sessions, verbosity)
    show_undecided(page, report.undecided, verbosity)
    show_capacity(page, report.capacity, verbosity)
    _findings(page, report, verbosity)
    show_controls(page, report.controls, verbosity)
    show_waivers(page, report, verbosity)
    show_baseline(page, report.baseline, verbosity)
    _limits(page, report.limits)
    _verdict(page, report)
    return page.text().encode("utf-8", "backslashreplace")


def _captures(page: Page, captures: Sequence[CaptureSummary], verbosity: int) -> None:
    """Say what was read, file by file; files that were not read well are always shown."""
    packets, size = sum(c.packets for c in captures), sum(c.bytes for c in captures)
    total = f"{counted(len(captures), 'file')}{_statuses(captures)}, {counted(packets, 'packet')}, {byte_count(size)}"
    page.heading("Captures", total if len(captures) > 1 else "")
    shown = [
        capture
        for position, capture in enumerate(captures)
        if verbosity or position < _CAPTURES or capture.status != "read"
    ]
    for capture in shown:
        page.paragraph(capture.path, indent=2, style="strong")
        page.paragraph(_capture_facts(capture), indent=4)
        if capture.error:
            page.paragraph(capture.error, indent=4, label=capture.status)
        _problems(page, capture.problems)
        if capture.drops:
            page.paragraph(f"the capturing program dropped {counted(capture.drops, 'packet')}", indent=4)
        if verbosity and capture.sha256:
            page.paragraph(capture.sha256, indent=4, label="sha256")
    show_more(page, len(captures) - len(shown), "file")


def _statuses(captures: Sequence[CaptureSummary]) -> str:
    """Return how many files were read how well, where not all were read to their ends."""
    counts = Counter(capture.status for capture in captures)
    told = [f"{number(counts[status])} {status}" for status in ("read", "partial", "unreadable") if counts[status]]
    return "" if counts["read"] == len(captures) else f" ({', '.join(told)})"


def _problems(page: Page, problems: Mapping[str, int]) -> None:
    """Say what could not be decoded. Frames without IP are counted too, but nothing is wrong with them."""
    counts = dict(problems)
    without_ip = counts.pop(NOT_IP, 0)
    if counts:
        told = (f"{name} {number(count)}" for name, count in counts.items())
        page.paragraph(", ".join(told), indent=4, label="problems")
    if without_ip:
        page.paragraph(f"{counted(without_ip, 'frame')} without IP (ARP and the like)", indent=4, label="aside")


def _capture_facts(capture: CaptureSummary) -> str:
    """Return format, link types, counts and period of a capture in one line."""
    links = [_LINK_TYPES.get(name, name) for name in capture.link_types]
    facts = [
        capture.format,
        *links,
        counted(capture.packets, "packet"),
        numbered_text(capture),
        byte_count(capture.bytes),
    ]
    when = period(capture.first, capture.last)
    if when:
        facts.append(f"{when} ({duration(capture.first, capture.last)})")
    return " · ".join(fact for fact in facts if fact)


def _policy(page: Page, policy: PolicySummary, verbosity: int) -> None:
    """Say what the traffic was held against."""
    page.heading("Policy")
    facts = f"generation {policy.generation} · NDMP port {policy.ndmp_port}"
    if policy.inferred:
        page.paragraph(f"none given: roles inferred from the traffic, {facts}", indent=2)
    else:
        page.paragraph(f"{policy.path or 'declared'} · {facts}", indent=2)
    ranges = {name: ports for name, ports in policy.dynamic_ports.items() if ports}
    if verbosity:
        rows = [(name, ", ".join(hosts), ranges.get(name, "")) for name, hosts in policy.zones.items()]
        rows += [("", name, ports) for name, ports in ranges.items() if name not in policy.zones]
        page.table([Column("Zone"), Column("Hosts", flex=True), Column("Dynamic ports", flex=True)], rows, indent=4)
    elif ranges:
        page.paragraph("dynamic ports " + " · ".join(f"{name} {ports}" for name, ports in ranges.items()), indent=2)


def _hosts(page: Page, hosts: Sequence[HostSummary], verbosity: int, places: Places) -> None:
    """List the hosts, each with its zone and the reason for each process role."""
    if not hosts:
        return
    page.heading("Hosts", number(len(hosts)))
    shown = hosts if verbosity else hosts[:_HOSTS]
    rows = [
        (
            [text for text in (host.address, host.name, *name_lines(host, verbosity)) if text],
            host.zone,
            [places.told(reason) for reason in _reasons(host, verbosity)] or joined(host.process_roles),
        )
        for host in shown
    ]
    columns = [
        Column("Address", flex=True, least=15),
        Column("Zone", flex=True, least=10),
        Column("Process role, inferred from traffic unless proved", flex=True, least=24),
    ]
    page.table(columns, rows)
    show_more(page, len(hosts) - len(shown), "host")


def _reasons(host: HostSummary, verbosity: int) -> list[str]:
    """Return why a host is believed to run what it runs; at verbosity 0 not all of a long list."""
    reasons = list(host.because)
    if verbosity or len(reasons) <= _REASONS + 1:
        return reasons
    return [*reasons[:_REASONS], f"… and {number(len(reasons) - _REASONS)} more reasons"]


def _services(page: Page, report: Report, verbosity: int) -> None:
    """List the services by the vendor's names, with direction, amounts and the policy's verdict."""
    if not report.services:
        return
    page.heading("Services", number(len(report.services)))
    shown = report.services if verbosity else report.services[:_SERVICES]
    rows: list[Sequence[str] | str] = []
    for (name, process), group in groupby(shown, key=lambda service: (service.service, service.process)):
        rows.append(f"{name}, {process}" if process else name)
        rows += [
            (
                f"{service.transport} {service.port}",
                service.direction,
                number(service.flows),
                number(service.packets),
                byte_count(service.bytes),
                service.verdict,
            )
            for service in group
        ]
    columns = [
        Column("Port", flex=True, least=9),
        Column("Direction", flex=True, least=15),
        Column("Flows", right=True),
        Column("Packets", right=True),
        Column("Bytes", right=True),
        Column("Policy"),
    ]
    page.table(columns, rows)
    if verbosity > 1:
        for note in dict.fromkeys(service.note for service in shown if service.note):
            page.paragraph(note, indent=4, label="note")
    show_more(page, len(report.services) - len(shown), "row")


def _findings(page: Page, report: Report, verbosity: int) -> None:
    """List the findings, those of one rule together, in the order of the report: worst first."""
    page.heading("Findings", _severities(report.findings) if report.findings else "none")
    places = Places(report)
    for _, group in groupby(report.findings, key=lambda finding: (finding.waived, finding.code, finding.severity)):
        _alike(page, list(group), verbosity, places)


def _alike(page: Page, findings: Sequence[Finding], verbosity: int, places: Places) -> None:
    """Show findings of one rule: each with its evidence, what they lead to, and the remedy once."""
    first = findings[0]
    word = first.severity.word
    waived = " (waived)" if first.waived else ""
    page.blank()
    page.line(
        Span(f"{word.upper():<8}", word),
        Span(f"  {first.code}  ", "dim"),
        Span(f"{first.title or first.name}{waived}", "strong"),
        indent=2,
    )
    shown = findings if verbosity else findings[:_ALIKE]
    for finding in shown:
        page.paragraph(finding.message, indent=4)
        if finding.inconclusive:
            page.paragraph(finding.inconclusive, indent=6, label="inconclusive", style="dim")
        show_finding_marks(page, finding)
        for line in _evidence_lines(finding, verbosity, places):
            page.paragraph(line, indent=6, style="dim", hang=2)
    show_more(page, len(findings) - len(shown), "finding", indent=4, suffix=f" of {first.code}")
    _advice(page, "effect", [(finding, finding.consequence) for finding in shown], verbosity)
    _advice(page, "remedy", [(finding, finding.remedy) for finding in shown], verbosity)


def _advice(page: Page, label: str, texts: Sequence[tuple[Finding, str]], verbosity: int) -> None:
    """Show consequences or remedies of one rule: what differs only in whom it names is said once, for the first."""
    for text in advice(texts, every=verbosity > 0):
        page.paragraph(text, indent=4, label=label, hang=8)


def _evidence_lines(finding: Finding, verbosity: int, places: Places) -> list[str]:
    """Return the evidence of a finding, one line for each flow."""
    shown = finding.evidence if verbosity else finding.evidence[:_EVIDENCE]
    lines = [_evidence_line(evidence, verbosity, places) for evidence in shown]
    more = max(finding.flows, len(finding.evidence)) - len(shown)
    if more > 0:
        hint = "" if verbosity else "; -v shows more"
        lines.append(f"… and {counted(more, 'more flow', 'more flows')}{hint}")
    return lines


def _evidence_line(evidence: Evidence, verbosity: int, places: Places) -> str:
    flow, limit = evidence.flow, 10_000 if verbosity > 1 else 6
    parts = [
        packet_list(evidence.packets, limit=limit),
        f"{flow.originator} > {flow.responder} {flow.transport}",
        places.text(evidence, limit=limit),
        evidence.note if verbosity else "",
    ]
    return " · ".join(part for part in parts if part)


def _severities(findings: Sequence[Finding]) -> str:
    """Return how many findings there are of each severity: ``1 high, 2 medium``."""
    counts: dict[str, int] = {}
    for finding in findings:
        word = "waived" if finding.waived else finding.severity.word
        counts[word] = counts.get(word, 0) + 1
    return ", ".join(f"{number(count)} {word}" for word, count in counts.items())


def _limits(page: Page, limits: Sequence[str]) -> None:
    """Say what the report cannot say."""
    if not limits:
        return
    page.heading("Limits")
    for limit in limits:
        page.paragraph(limit, indent=2, label="–")


def _verdict(page: Page, report: Report) -> None:
    """End with the verdict and what it covers, on one line however narrow the terminal, so that tail -1 shows it."""
    word, separator, rest = report.summary.partition(":")
    page.blank()
    page.line(Span(word, report.verdict.value), Span(f"{separator}{rest}"))
