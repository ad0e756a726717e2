"""What was judged, as lines of text: captures and policy, in a few lines or file by file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from auditor.model import CaptureSummary, PolicySummary, Report
from auditor.model.quality import UNKNOWN_VANTAGE
from auditor.report.interface import RenderOptions
from auditor.report.layout import Column, Page
from auditor.report.packet_places import numbered_text
from auditor.report.quality_lines import quality_facts, vantage_text
from auditor.text import byte_count, counted, data_connections, duration, number, period

_CAPTURES = 3
"""Captures named where all that was judged is told in a few lines; those that were not read well always are."""

_HANG = 10

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


def judged(report: Report, options: RenderOptions) -> Page:
    """Return in a few lines what was judged, and against what; file by file it is told with -v."""
    page = Page(options)
    captures = report.captures
    page.heading("Judged", _total(captures) if len(captures) > 1 else "")
    bad = [capture for capture in captures if capture.status != "read"]
    shown = [capture for n, capture in enumerate(captures) if n < _CAPTURES or capture in bad]
    for capture in shown:
        facts = f"{capture.path} · {_facts(capture, short=True)}"
        page.paragraph(facts, indent=2, label="capture", hang=_HANG)
        if capture.error:
            page.paragraph(capture.error, indent=4, label=capture.status)
        _problems(page, _amiss(capture))
    if len(captures) > len(shown):
        page.paragraph(f"and {counted(len(captures) - len(shown), 'more file')}", indent=2 + _HANG)
    if told := quality_facts(report.quality.total):
        page.paragraph("; ".join(told), indent=2, label="quality", hang=_HANG)
    if report.quality.vantage != UNKNOWN_VANTAGE:
        where = vantage_text(report.quality).partition(": ")[0]
        page.paragraph(where, indent=2, label="vantage", hang=_HANG)
    page.paragraph(f"{_against(report.policy)}{_ranges(report.policy)}", indent=2, label="against", hang=_HANG)
    page.paragraph(_seen(report), indent=2, label="seen", hang=_HANG)
    return page


def _seen(report: Report) -> str:
    """Return how much there was of what -v lists."""
    grades = [link.grade == "proved" for session in report.sessions for link in session.data]
    data = data_connections(sum(grades), len(grades) - sum(grades))
    told = [counted(len(report.hosts), "host"), counted(len({one.service for one in report.services}), "service")]
    if report.sessions:
        told.append(f"{counted(len(report.sessions), 'control connection')} with {data}")
    else:
        told.append("no control connection")
    if report.undecided:
        told.append(f"{counted(len(report.undecided), 'data connection')} not tied to any")
    return f"{', '.join(told)}: -v lists them"


def show_captures(page: Page, captures: Sequence[CaptureSummary]) -> None:
    """Say what was read, file by file."""
    page.heading("Captures", _total(captures) if len(captures) > 1 else "")
    for capture in captures:
        page.paragraph(capture.path, indent=2, style="strong")
        page.paragraph(_facts(capture), indent=4)
        if capture.error:
            page.paragraph(capture.error, indent=4, label=capture.status)
        _problems(page, capture.problems)
        if capture.drops:
            page.paragraph(f"the capturing program dropped {counted(capture.drops, 'packet')}", indent=4)
        if capture.sha256:
            page.paragraph(capture.sha256, indent=4, label="sha256")


def _total(captures: Sequence[CaptureSummary]) -> str:
    """Return how many files were read how well, where not all were read to their ends, and how much they hold."""
    packets, size = sum(c.packets for c in captures), sum(c.bytes for c in captures)
    counts = Counter(capture.status for capture in captures)
    told = [f"{number(counts[status])} {status}" for status in ("read", "partial", "unreadable") if counts[status]]
    statuses = "" if counts["read"] == len(captures) else f" ({', '.join(told)})"
    return f"{counted(len(captures), 'file')}{statuses}, {counted(packets, 'packet')}, {byte_count(size)}"


def _amiss(capture: CaptureSummary) -> dict[str, int]:
    return {name: count for name, count in capture.problems.items() if name != NOT_IP}


def _problems(page: Page, problems: Mapping[str, int]) -> None:
    """Say what could not be decoded. Frames without IP are counted too, but nothing is wrong with them."""
    counts = dict(problems)
    without_ip = counts.pop(NOT_IP, 0)
    if counts:
        told = (f"{name} {number(count)}" for name, count in counts.items())
        page.paragraph(", ".join(told), indent=4, label="problems")
    if without_ip:
        page.paragraph(f"{counted(without_ip, 'frame')} without IP (ARP and the like)", indent=4, label="aside")


def _facts(capture: CaptureSummary, *, short: bool = False) -> str:
    """Return format, link types, counts and period of a capture in one line; in short the counts alone."""
    links = [_LINK_TYPES.get(name, name) for name in capture.link_types]
    facts = [] if short else [capture.format, *links]
    facts += [counted(capture.packets, "packet"), "" if short else numbered_text(capture), byte_count(capture.bytes)]
    when = period(capture.first, capture.last)
    if when and not short:
        facts.append(f"{when} ({duration(capture.first, capture.last)})")
    return " · ".join(fact for fact in facts if fact)


def show_policy(page: Page, policy: PolicySummary) -> None:
    """Say what the traffic was held against, zone by zone."""
    page.heading("Policy")
    page.paragraph(_against(policy), indent=2)
    ranges = {name: ports for name, ports in policy.dynamic_ports.items() if ports}
    rows = [(name, ", ".join(hosts), ranges.get(name, "")) for name, hosts in policy.zones.items()]
    rows += [("", name, ports) for name, ports in ranges.items() if name not in policy.zones]
    page.table([Column("Zone"), Column("Hosts", flex=True), Column("Dynamic ports", flex=True)], rows, indent=4)


def _against(policy: PolicySummary) -> str:
    facts = f"generation {policy.generation} · NDMP port {policy.ndmp_port}"
    if policy.inferred:
        return f"no policy given: roles inferred from the traffic, {facts}"
    return f"{policy.path or 'the declared policy'} · {facts}"


def _ranges(policy: PolicySummary) -> str:
    ranges = [f"{name} {ports}" for name, ports in policy.dynamic_ports.items() if ports]
    return f" · dynamic ports of {', '.join(ranges)}" if ranges else ""
