"""The findings as lines of text, those of one rule together, worst first.

A screen is shared out: every rule that found something has its line, and what the verdict rests on is told at greater
length as far as it fits, the worst first; then what was waived, and what else was found. With -v all is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from auditor.model import Evidence, Finding, Report
from auditor.records import record
from auditor.report.advice import advice
from auditor.report.interface import RenderOptions
from auditor.report.layout import Page, Span
from auditor.report.packet_places import Places
from auditor.report.session_lines import show_more
from auditor.report.waiver_lines import show_finding_marks
from auditor.text import counted, number, packet_list
from auditor.verdict import counts

_ALL = 1 << 30


@record
class _Length:
    """How much is told of the findings of one rule: so many of them, so many flows of each, effect, remedy, and of packet
    numbers not more than ``packets`` a flow. Without findings there is their number alone."""

    findings: int
    flows: int = 0
    effect: bool = False
    remedy: bool = False
    packets: int = 6


_LENGTHS = (
    _Length(0),
    _Length(1, flows=1),
    _Length(1, flows=1, remedy=True),
    _Length(3, flows=1, effect=True, remedy=True),
    _Length(12, flows=2, effect=True, remedy=True),
)
"""What is tried on a screen: each for all rules, the worst first, before the next."""

_EVERY = _Length(_ALL, flows=_ALL, effect=True, remedy=True)
_EVERY_PACKET = _Length(_ALL, flows=_ALL, effect=True, remedy=True, packets=10_000)


def findings_page(report: Report, options: RenderOptions, room: int) -> Page:
    """Return the findings in the order of the report; without -v in about ``room`` lines."""
    page = Page(options)
    page.heading("Findings", _severities(report.findings) if report.findings else "none")
    alike: dict[tuple[object, ...], list[Finding]] = {}
    for finding in report.findings:
        alike.setdefault((finding.waived, finding.code, finding.severity), []).append(finding)
    groups = list(alike.values())
    places = Places(report)
    if options.verbosity:
        length = _EVERY_PACKET if options.verbosity > 1 else _EVERY
        parts = [_alike(group, length, options, places) for group in groups]
    else:
        parts = _fitting(groups, options, room - page.height, places)
    for n, part in enumerate(parts):
        if _apart(parts, n):
            page.blank()
        page.extend(part)
    return page


def _apart(parts: Sequence[Page], n: int) -> bool:
    """Return whether a part has an empty line above it: what is told in one line stands together."""
    return n > 0 and (parts[n].height > 1 or parts[n - 1].height > 1)


def _fitting(groups: Sequence[list[Finding]], options: RenderOptions, room: int, places: Places) -> list[Page]:
    """Return the findings of each rule at the greatest length at which all of them fit a screen.

    The worst is told with a finding and its proof however small the screen.
    """
    parts = [_alike(group, _LENGTHS[0], options, places) for group in groups]
    height = sum(part.height for part in parts)
    # What the verdict rests on is told at length before what somebody accepted, and that before all else.
    ranks = [0 if counts(group[0]) else 1 if group[0].waived else 2 for group in groups]
    for rank, length in product(range(3), _LENGTHS[1:]):
        for n in (n for n in range(len(groups)) if ranks[n] == rank):
            if height >= room and height > len(parts):
                return parts
            shorter, longer = parts[n], _alike(groups[n], length, options, places)
            before = _around(parts, n)
            parts[n] = longer
            grown = height + _around(parts, n) - before
            if grown <= room or height == len(parts):
                height = grown
            else:
                parts[n] = shorter
    return parts


def _around(parts: Sequence[Page], n: int) -> int:
    """Return the lines of a part, with the empty ones above and below it."""
    return parts[n].height + _apart(parts, n) + (n + 1 < len(parts) and _apart(parts, n + 1))


def _alike(findings: Sequence[Finding], length: _Length, options: RenderOptions, places: Places) -> Page:
    """Return findings of one rule: each with its evidence, what they lead to, and the remedy once."""
    page = Page(options)
    first = findings[0]
    word = first.severity.word
    waived = " (waived)" if first.waived else ""
    spans = (
        Span(f"{word.upper():<8}", word),
        Span(f"  {first.code}  ", "dim"),
        Span(f"{first.title or first.name}{waived}", "strong"),
    )
    page.line(*spans, indent=2, aside=number(len(findings)) if len(findings) > 1 or not length.findings else "")
    shown = findings[: length.findings]
    every = options.verbosity > 0
    for finding in shown:
        page.paragraph(finding.message, indent=4)
        if finding.inconclusive:
            page.paragraph(finding.inconclusive, indent=6, label="inconclusive", style="dim")
        show_finding_marks(page, finding)
        for line in _evidence_lines(finding, length, every, places):
            page.paragraph(line, indent=6, style="dim", hang=2)
    if shown:
        show_more(page, len(findings) - len(shown), "finding", indent=4, suffix=f" of {first.code}")
    told = (("effect", length.effect), ("remedy", length.remedy))
    for label in (label for label, wanted in told if wanted):
        texts = [(finding, finding.consequence if label == "effect" else finding.remedy) for finding in shown]
        # What differs only in whom it names is said once, for the first.
        for text in advice(texts, every=every):
            page.paragraph(text, indent=4, label=label, hang=8)
    return page


def _evidence_lines(finding: Finding, length: _Length, every: bool, places: Places) -> list[str]:
    """Return the evidence of a finding, one line for each flow."""
    shown = finding.evidence[: length.flows]
    lines = [_evidence_line(evidence, length.packets, every, places) for evidence in shown]
    more = max(finding.flows, len(finding.evidence)) - len(shown)
    if more > 0 and len(shown) == 1 and not every:
        lines[0] += f" (+{counted(more, 'flow')})"
    elif more > 0:
        hint = "" if every else "; -v shows more"
        lines.append(f"… and {counted(more, 'more flow', 'more flows')}{hint}")
    return lines


def _evidence_line(evidence: Evidence, packets: int, every: bool, places: Places) -> str:
    flow = evidence.flow
    parts = [
        packet_list(evidence.packets, limit=packets),
        f"{flow.originator} > {flow.responder} {flow.transport}",
        places.text(evidence, limit=packets),
        evidence.note if every else "",
    ]
    return " · ".join(part for part in parts if part)


def _severities(findings: Sequence[Finding]) -> str:
    """Return how many findings there are of each severity: ``1 high, 2 medium``."""
    found: dict[str, int] = {}
    for finding in findings:
        word = "waived" if finding.waived else finding.severity.word
        found[word] = found.get(word, 0) + 1
    return ", ".join(f"{number(count)} {word}" for word, count in found.items())
