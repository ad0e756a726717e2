"""The answer of a report: verdict, the sentence that says it, what it cannot say, and the exit code. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from auditor import exit_codes
from auditor.model import BaselineSummary, CaptureSummary, Finding, PolicySummary, Report, ReportVerdict, Severity
from auditor.records import record
from auditor.text import counted, data_connections, number, period

_MOST_LIMITS = 10
"""Findings that are repeated among the limits; all of them stand among the findings too."""


@record
class Coverage:
    """How much there was to judge.

    Of the traffic in scope: ``judged`` flows of services of the catalogue, ``control`` and ``data`` connections among
    them, ``inferred`` of the data connections (all but the proved), ``hosts`` at their ends, ``flows`` of TCP, and how many
    of these came without a handshake (``guessed``).
    ``packets`` are those of all captures.
    """

    judged: int = 0
    control: int = 0
    data: int = 0
    inferred: int = 0
    hosts: int = 0
    packets: int = 0
    flows: int = 0
    guessed: int = 0


def report_verdict(
    captures: Sequence[CaptureSummary], findings: Sequence[Finding], coverage: Coverage
) -> ReportVerdict:
    """Return the verdict.

    An input that could not be read to its end beats everything, since the answer may lie in the rest; so does having
    judged nothing. A finding that undermines the verdict only matters where no violation was found: a violation that was
    seen stays seen.
    """
    if not captures or any(capture.status != "read" for capture in captures) or not _anything(coverage):
        return ReportVerdict.INCONCLUSIVE
    if any(counts(finding) for finding in findings):
        return ReportVerdict.VIOLATIONS
    # Nobody can accept away that a capture does not show what it would have to show.
    if any(finding.undermines or (finding.inconclusive and not finding.waived) for finding in findings):
        return ReportVerdict.INCONCLUSIVE
    return ReportVerdict.CONFORMS


def counts(finding: Finding, threshold: Severity = Severity.LOW) -> bool:
    """Return whether a finding counts: not waived, not inconclusive, and at least of severity ``threshold``."""
    return not finding.waived and not finding.inconclusive and finding.severity >= threshold


def exit_code(
    report: Report, *, fail_on: Severity = Severity.LOW, exit_zero: bool = False, only_new: bool = False
) -> int:
    """Return the exit code for a report: 3 inconclusive, 1 with a finding that counts from ``fail_on`` on, else 0.

    ``exit_zero`` turns 1 into 0, never 3: an answer that could not be given is no answer. ``only_new`` lets only findings
    count that the baseline lacks, or that became graver or lost their waiver since.
    """
    if report.verdict is ReportVerdict.INCONCLUSIVE:
        return exit_codes.INCONCLUSIVE
    told = (one for one in report.findings if not (only_new and one.baseline_state == "unchanged"))
    if any(counts(finding, fail_on) for finding in told) and not exit_zero:
        return exit_codes.FINDINGS
    return exit_codes.CONFORMS


def summary_sentence(
    verdict: ReportVerdict,
    captures: Sequence[CaptureSummary],
    findings: Sequence[Finding],
    coverage: Coverage,
    policy: PolicySummary,
) -> str:
    """Return the verdict in one sentence with what it covers.

    ``VIOLATIONS: 3 findings (3 medium) in 4 control and 4 data connections of 4 hosts, 1 252 packets,
    2026-11-22 15:42:15–15:42:23 UTC, against policy site.yaml``.
    """
    parts = [f"{_found(verdict, captures, findings, coverage)} in {_extent(coverage)}"]
    parts.append(counted(coverage.packets, "packet"))
    when = _period(captures)
    if when:
        parts.append(when)
    if policy.inferred:
        parts.append("against the vendor's advice, roles inferred from the traffic")
    else:
        parts.append(f"against policy {policy.path or 'as declared'}")
    return f"{verdict.value.upper()}: {', '.join(parts)}"


def baseline_counts(baseline: BaselineSummary) -> str:
    """Return what became of a baseline: ``1 new, 2 gone, 3 unchanged``."""
    counts = {"new": baseline.new, "updated": baseline.updated, "gone": len(baseline.gone)}
    counts["unchanged"] = baseline.unchanged
    return ", ".join(f"{number(count)} {word}" for word, count in counts.items() if count or word != "updated")


def limits(
    captures: Sequence[CaptureSummary],
    findings: Sequence[Finding],
    coverage: Coverage,
    policy: PolicySummary,
    *,
    unreadable_sessions: int = 0,
) -> tuple[str, ...]:
    """Return what the report cannot say, one sentence each; empty where nothing stands in the way."""
    undermining = [finding.message for finding in findings if finding.undermines]
    said = undermining[:_MOST_LIMITS] or _missing(captures, coverage)
    if policy.inferred:
        said.append(
            "No policy was given: which host is what was read from the traffic itself, and no dynamic port range is"
            " known. A policy file makes the answer yours."
        )
    if unreadable_sessions:
        said.append(
            f"{counted(unreadable_sessions, 'control connection')} could not be read in full (TLS, begun before the"
            " capture, or cut): data connections are tied there by circumstance, not by proof."
        )
    if coverage.guessed:
        said.append(
            f"{number(coverage.guessed)} of {counted(coverage.flows, 'TCP flow')} came without a handshake: who opened"
            " them is less certain."
        )
    return tuple(dict.fromkeys(said))


def _missing(captures: Sequence[CaptureSummary], coverage: Coverage) -> list[str]:
    """Return why there is no verdict where no rule says it."""
    said = [
        f"{capture.path} was not read to its end: what it holds beyond is not known."
        for capture in captures
        if capture.status != "read"
    ]
    if not _anything(coverage):
        said.append("No Backup Exec traffic was seen: nothing was judged, and nothing passed.")
    return said[:_MOST_LIMITS]


def _anything(coverage: Coverage) -> bool:
    return bool(coverage.judged or coverage.control or coverage.data)


def _found(
    verdict: ReportVerdict, captures: Sequence[CaptureSummary], findings: Sequence[Finding], coverage: Coverage
) -> str:
    """Return what was found, or why that cannot be said, then what was found all the same."""
    violations = [finding for finding in findings if counts(finding)]
    found = f"{counted(len(violations), 'finding')} ({_by_severity(violations)})" if violations else "no findings"
    waived = [finding for finding in findings if finding.waived]
    if waived:
        found += f" and {number(len(waived))} waived ({_by_severity(waived)})"
    if verdict is not ReportVerdict.INCONCLUSIVE:
        return found
    unreadable = sum(capture.status != "read" for capture in captures)
    if unreadable:
        reason = f"{number(unreadable)} of {counted(len(captures), 'capture')} not read to the end"
    elif not _anything(coverage):
        reason = "nothing of Backup Exec seen to judge"
    else:
        reason = "the capture cannot support a verdict"
    return f"{reason}; {found}"


def _by_severity(findings: Sequence[Finding]) -> str:
    """Return ``1 high, 2 medium``, the worst first."""
    parts = []
    for severity in sorted(Severity, reverse=True):
        count = sum(finding.severity is severity for finding in findings)
        if count:
            parts.append(f"{number(count)} {severity.word}")
    return ", ".join(parts)


def _extent(coverage: Coverage) -> str:
    """Return the connections and hosts that the verdict covers."""
    if coverage.control or coverage.data:
        data = data_connections(coverage.data - coverage.inferred, coverage.inferred)
        mixed = 0 < coverage.inferred < coverage.data
        connections = f"{number(coverage.control)} control{',' if mixed else ' and'} {data}"
        others = coverage.judged - coverage.control - coverage.data
        if others > 0:
            connections += f" and {counted(others, 'other flow')}"
    else:
        connections = counted(coverage.judged, "flow")
    return f"{connections} of {counted(coverage.hosts, 'host')}"


def _period(captures: Sequence[CaptureSummary]) -> str:
    """Return the period from the earliest packet of all captures to the latest."""
    first = min((capture.first for capture in captures if capture.first), default=None)
    last = max((capture.last for capture in captures if capture.last), default=None)
    return period(first, last)
