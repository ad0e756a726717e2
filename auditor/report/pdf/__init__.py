"""PDF: the report on paper, tagged, through typst. What is said goes in as data and is never read as markup.

The bytes depend on the report, on SOURCE_DATE_EPOCH and on the version of typst; fonts are those that typst brings.
"""

from __future__ import annotations

import json
import os
from importlib import import_module
from pathlib import Path
from typing import Any

from auditor.errors import MissingExtra
from auditor.model import Report
from auditor.model.quality import UNKNOWN_VANTAGE
from auditor.report.html.findings import first_steps, group_findings, severity_counts
from auditor.report.html.scale import nanoseconds
from auditor.report.interface import RenderOptions
from auditor.report.pdf.blocks import clean, line
from auditor.report.pdf.sections import sections
from auditor.report.places import first_and_last
from auditor.report.quality_lines import quality_facts, vantage_text
from auditor.text import counted, duration, number, period

TEMPLATE = Path(__file__).parent / "report.typ"

_MOST_CAPTURES, _MOST_LIMITS = 6, 6
_VERDICTS = {"violations": "Violations", "conforms": "Conforms", "inconclusive": "Inconclusive"}


def render(report: Report, options: RenderOptions) -> bytes:  # noqa: ARG001 - the interface of all formats
    """Return the report as PDF 1.7, tagged. Raises MissingExtra without typst."""
    return pdf(report, ["1.7"])


def pdf(report: Report, standards: list[str]) -> bytes:
    """Return the report as PDF of the standards that typst knows by these names. Raises MissingExtra without typst."""
    try:
        typst: Any = import_module("typst")
    except ImportError:
        raise MissingExtra("typst", "pdf") from None
    made = typst.compile(
        TEMPLATE,
        root=TEMPLATE.parent,
        format="pdf",
        ignore_system_fonts=True,
        sys_inputs={"report": json.dumps(document(report))},
        pdf_standards=standards,
        timestamp=moment(report),
    )
    assert isinstance(made, bytes)
    return made


def moment(report: Report) -> int:
    """Return the time that stands in the file, in s since 1970: SOURCE_DATE_EPOCH, or the last packet's."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    if given.isdecimal():
        return int(given)
    times = [time for capture in report.captures if (time := nanoseconds(capture.last)) is not None]
    return max(max(times, default=0) // 1_000_000_000, 0)


def document(report: Report) -> dict[str, Any]:
    """Return all that the template shows, as plain values."""
    groups = group_findings(report)
    verdict = _VERDICTS[report.verdict.value]
    lead = report.summary.partition(": ")[2] or report.summary
    return {
        "title": clean(f"{verdict}: audit of {report.captures[0].path if report.captures else 'nothing'}", limit=200),
        "verdict": report.verdict.value,
        "verdict_word": verdict,
        "lead": clean(f"{lead[:1].upper()}{lead[1:]}."),
        "made": clean(f"auditor {report.version}"),
        "cannot": [clean(limit) for limit in report.limits[:_MOST_LIMITS]],
        "counts": [
            *([word, number(count)] for word, count in severity_counts(report)),
            *([["waived", number(waived)]] if (waived := sum(one.waived for one in report.findings)) else []),
        ],
        "steps": [
            {
                "message": clean(group.findings[0].finding.message),
                "also": [clean(shown.finding.message) for shown in group.findings[1 : also + 1]],
                "more": f"And {number(len(group.findings) - also - 1)} more of {clean(group.code)}."
                if len(group.findings) > also + 1
                else "",
                "remedy": clean(group.remedies[0]) if group.remedies else "",
            }
            for group, also in first_steps(groups)
        ],
        "facts": _facts(report),
        "sections": sections(report, groups),
    }


def _facts(report: Report) -> list[dict[str, Any]]:
    policy = report.policy
    captures = []
    for capture in report.captures[:_MOST_CAPTURES]:
        captures.append(line(capture.path, "mono"))
        if capture.sha256:
            captures.append(line(f"SHA-256 {capture.sha256}", "quiet"))
    if len(report.captures) > _MOST_CAPTURES:
        captures.append(line(f"and {counted(len(report.captures) - _MOST_CAPTURES, 'more capture')}"))
    first, last = first_and_last(report)
    when = f"{period(first, last)} ({_length(first, last)})" if first and last else "no packet was read"
    held = [line(policy.path or "the vendor's advice; roles inferred from the traffic", "mono" if policy.path else "")]
    ranges = "".join(f", data ports of {name} {ports}" for name, ports in policy.dynamic_ports.items())
    held.append(line(f"generation {policy.generation}, NDMP port {policy.ndmp_port}{ranges}"))
    if policy.sha256:
        held.append(line(f"SHA-256 {policy.sha256}", "quiet"))
    facts = [("Captures", captures), ("Period", [line(when)]), ("Held against", held)]
    if report.rule_pack is not None:
        rules = [line(counted(report.rule_pack.count, "rule")), line(f"SHA-256 {report.rule_pack.sha256}", "quiet")]
        facts.append(("Rules", rules))
    quality = report.quality
    where = vantage_text(quality) if quality.vantage != UNKNOWN_VANTAGE else "unknown: nothing in the captures tells it"
    lost = quality_facts(quality.total) or ["nothing that the captures or their connections would show"]
    facts += [("Vantage", [line(where)]), ("Lost or doubled", [line(fact) for fact in lost])]
    facts.append(("Made by", [line(f"auditor {report.version}")]))
    return [{"label": label, "lines": lines} for label, lines in facts]


def _length(first: str, last: str) -> str:
    try:
        return duration(first, last)
    except ValueError:
        # A saved report is a file: its times need not be those that auditor wrote.
        return "length unknown"
