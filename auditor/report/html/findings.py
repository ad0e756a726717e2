"""Findings made ready for the page: grouped by rule, each with an anchor that stays the same from run to run."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import groupby

from auditor.model import Evidence, Finding, Report, Severity
from auditor.records import record
from auditor.report.advice import advice
from auditor.report.packet_places import Places
from auditor.text import packet_list

MOST_EVIDENCE = 4
"""Flows shown of one finding; the JSON report has all that were kept."""

FIRST_STEPS = 3


@record
class ShownEvidence:
    """One flow behind a finding."""

    packets: str
    flow: str
    transport: str
    place: str
    note: str


@record
class ShownFinding:
    """One finding with its anchor."""

    anchor: str
    finding: Finding
    evidence: tuple[ShownEvidence, ...]
    more: int


@record
class FindingGroup:
    """The findings of one rule and severity, with what they lead to and what to do, said once where it is the same."""

    code: str
    title: str
    severity: str
    waived: bool
    findings: tuple[ShownFinding, ...]
    consequences: tuple[str, ...]
    remedies: tuple[str, ...]

    @property
    def anchor(self) -> str:
        """Where the first of them stands."""
        return self.findings[0].anchor


def group_findings(report: Report, in_full: int | None = None) -> tuple[FindingGroup, ...]:
    """Return the findings in groups, in the order of the report: worst first.

    Those after the first ``in_full``, where that is given, are shown with one flow and without its note.
    """
    places = Places(report)
    taken: set[str] = set()
    left = len(report.findings) if in_full is None else in_full
    groups = []
    for _, alike in groupby(report.findings, key=lambda one: (one.waived, one.code, one.severity)):
        findings = list(alike)
        first = findings[0]
        groups.append(
            FindingGroup(
                code=first.code,
                title=first.title or first.name,
                severity=first.severity.word,
                waived=first.waived,
                findings=tuple(
                    _shown(finding, _anchor(finding, taken), places, in_full=place < left)
                    for place, finding in enumerate(findings)
                ),
                consequences=advice([(finding, finding.consequence) for finding in findings]),
                remedies=advice([(finding, finding.remedy) for finding in findings]),
            )
        )
        left -= len(findings)
    return tuple(groups)


def first_steps(groups: Sequence[FindingGroup]) -> tuple[tuple[FindingGroup, int], ...]:
    """Return the groups to act on first, each with how many findings beside its first are named: three in all.

    A remedy serves all findings of its rule, so that other rules come before further findings of the same one. What is
    only told, or accepted by a waiver, asks for nothing.
    """
    steps = []
    chosen = [group for group in groups if group.severity != "info" and not group.waived][:FIRST_STEPS]
    free = FIRST_STEPS - len(chosen)
    for group in chosen:
        also = min(free, len(group.findings) - 1)
        free -= also
        steps.append((group, also))
    return tuple(steps)


def severity_counts(report: Report) -> tuple[tuple[str, int], ...]:
    """Return how many findings there are of each severity, the worst first; waived ones do not count."""
    return tuple(
        (severity.word, sum(one.severity is severity and not one.waived for one in report.findings))
        for severity in sorted(Severity, reverse=True)
    )


def links_of(groups: Sequence[FindingGroup]) -> dict[tuple[str, str], str]:
    """Return the anchor of the first finding that rests on a flow, by the flow's ends."""
    links: dict[tuple[str, str], str] = {}
    for group in groups:
        for shown in group.findings:
            for evidence in shown.finding.evidence[:1]:
                links.setdefault((evidence.flow.originator, evidence.flow.responder), shown.anchor)
    return links


def _anchor(finding: Finding, taken: set[str]) -> str:
    """Return a name for a finding on the page, made of its key: a link to it outlives the next run."""
    digest = hashlib.sha256(finding.key.encode("utf-8", "surrogatepass")).hexdigest()
    anchor = next(
        f"f-{digest[:length]}" for length in range(8, 65) if f"f-{digest[:length]}" not in taken or length == 64
    )
    if anchor in taken:
        anchor = f"{anchor}-{len(taken)}"
    taken.add(anchor)
    return anchor


def _shown(finding: Finding, anchor: str, places: Places, *, in_full: bool) -> ShownFinding:
    most = MOST_EVIDENCE if in_full else 1
    evidence = tuple(_evidence(one, places, with_note=in_full) for one in finding.evidence[:most])
    return ShownFinding(anchor, finding, evidence, max(finding.flows, len(finding.evidence)) - len(evidence))


def _evidence(evidence: Evidence, places: Places, *, with_note: bool) -> ShownEvidence:
    return ShownEvidence(
        packets=packet_list(evidence.packets),
        flow=f"{evidence.flow.originator} → {evidence.flow.responder}",
        transport=evidence.flow.transport,
        place=places.text(evidence),
        note=evidence.note if with_note else "",
    )
