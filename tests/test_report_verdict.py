"""Verdict, exit code, sentence and limits: one case for each cell."""

from __future__ import annotations

import pytest

from auditor.model import Finding, PolicySummary, ReportVerdict, Severity
from auditor.text import THIN_SPACE
from auditor.verdict import Coverage, exit_code, limits, report_verdict, summary_sentence
from tests.report_samples import capture, finding, report

CONFORMS, VIOLATIONS, INCONCLUSIVE = ReportVerdict.CONFORMS, ReportVerdict.VIOLATIONS, ReportVerdict.INCONCLUSIVE
SEEN = Coverage(judged=8, control=4, data=4, hosts=4, packets=1252, flows=8)
NOTHING = Coverage(packets=1252)
NOTE = finding(severity=Severity.INFO)
LOW = finding(severity=Severity.LOW)
WAIVED = finding(waived=True)
BLIND = finding(severity=Severity.INFO, undermines=True, message="Only one direction was captured.")
BLIND_WAIVED = finding(severity=Severity.INFO, undermines=True, waived=True)
DECLARED = PolicySummary("site.yaml", False, "11d-12")
INFERRED = PolicySummary(None, True, "11d-12")


@pytest.mark.parametrize(
    ("status", "coverage", "findings", "expected"),
    [
        ("read", SEEN, (), CONFORMS),
        ("read", SEEN, (NOTE,), CONFORMS),
        ("read", SEEN, (WAIVED,), CONFORMS),
        ("read", SEEN, (LOW,), VIOLATIONS),
        ("read", SEEN, (WAIVED, LOW), VIOLATIONS),
        ("read", SEEN, (BLIND,), INCONCLUSIVE),
        ("read", SEEN, (BLIND_WAIVED,), INCONCLUSIVE),
        ("read", SEEN, (BLIND, LOW), VIOLATIONS),
        ("read", NOTHING, (), INCONCLUSIVE),
        ("read", NOTHING, (LOW,), INCONCLUSIVE),
        ("partial", SEEN, (), INCONCLUSIVE),
        ("partial", SEEN, (LOW,), INCONCLUSIVE),
        ("unreadable", SEEN, (LOW,), INCONCLUSIVE),
    ],
)
def test_verdict(status: str, coverage: Coverage, findings: tuple[Finding, ...], expected: ReportVerdict) -> None:
    assert report_verdict([capture(), capture(status=status)], findings, coverage) is expected


def test_no_capture_is_no_pass() -> None:
    assert report_verdict([], (), SEEN) is INCONCLUSIVE


@pytest.mark.parametrize(
    ("verdict", "severity", "fail_on", "expected", "with_exit_zero"),
    [
        (CONFORMS, None, Severity.LOW, 0, 0),
        (CONFORMS, Severity.INFO, Severity.LOW, 0, 0),
        (CONFORMS, Severity.INFO, Severity.INFO, 1, 0),
        (VIOLATIONS, Severity.LOW, Severity.LOW, 1, 0),
        (VIOLATIONS, Severity.LOW, Severity.MEDIUM, 0, 0),
        (VIOLATIONS, Severity.HIGH, Severity.MEDIUM, 1, 0),
        (VIOLATIONS, Severity.CRITICAL, Severity.CRITICAL, 1, 0),
        (INCONCLUSIVE, None, Severity.LOW, 3, 3),
        (INCONCLUSIVE, Severity.CRITICAL, Severity.LOW, 3, 3),
    ],
)
def test_exit_code(
    verdict: ReportVerdict, severity: Severity | None, fail_on: Severity, expected: int, with_exit_zero: int
) -> None:
    made = report(verdict=verdict, findings=() if severity is None else (finding(severity=severity),))
    assert exit_code(made, fail_on=fail_on) == expected
    assert exit_code(made, fail_on=fail_on, exit_zero=True) == with_exit_zero


def test_waived_findings_do_not_fail() -> None:
    assert exit_code(report(verdict=CONFORMS, findings=(WAIVED,)), fail_on=Severity.INFO) == 0


def sentence(*findings: Finding, coverage: Coverage = SEEN, policy: PolicySummary = DECLARED, **changes: object) -> str:
    captures = [capture(**changes)]
    verdict = report_verdict(captures, findings, coverage)
    return summary_sentence(verdict, captures, findings, coverage, policy)


def test_the_sentence_of_violations() -> None:
    high = finding(severity=Severity.HIGH)
    assert sentence(finding(), high, finding(), NOTE, WAIVED) == (
        "VIOLATIONS: 3 findings (1 high, 2 medium) and 1 waived (1 medium) in 4 control and 4 data connections of 4 hosts, "
        f"1{THIN_SPACE}252 packets, 2026-11-22 15:42:15–15:42:23 UTC, against policy site.yaml"
    )


def test_the_sentence_of_conformity() -> None:
    assert sentence(NOTE).startswith("CONFORMS: no findings in 4 control and 4 data connections of 4 hosts, ")


def test_the_sentence_without_sessions() -> None:
    assert "no findings in 3 flows of 2 hosts" in sentence(coverage=Coverage(judged=3, hosts=2, packets=9, flows=3))


def test_the_sentence_names_other_flows_too() -> None:
    more = Coverage(judged=9, control=4, data=4, hosts=4, packets=9)
    assert "4 control and 4 data connections and 1 other flow of 4 hosts" in sentence(coverage=more)


def test_the_sentence_of_inconclusive_answers() -> None:
    assert sentence(LOW, status="partial").startswith(
        "INCONCLUSIVE: 1 of 1 capture not read to the end; 1 finding (1 low) in "
    )
    assert sentence(coverage=NOTHING).startswith("INCONCLUSIVE: nothing of Backup Exec seen to judge; no findings in ")
    assert sentence(BLIND).startswith("INCONCLUSIVE: the capture cannot support a verdict; no findings in ")


def test_the_sentence_without_a_policy() -> None:
    assert sentence(policy=INFERRED).endswith(", against the vendor's advice, roles inferred from the traffic")


def test_the_sentence_of_an_empty_capture_has_no_period() -> None:
    empty = sentence(coverage=Coverage(), packets=0, first=None, last=None)
    assert empty.endswith("0 flows of 0 hosts, 0 packets, against policy site.yaml")


def test_nothing_in_the_way_is_no_limit() -> None:
    assert limits([capture()], (NOTE, LOW, WAIVED), SEEN, DECLARED) == ()


def test_limits_repeat_the_findings_that_undermine() -> None:
    unread = [capture(), capture("a.pcap", status="unreadable")]
    said = limits(unread, (BLIND, BLIND_WAIVED), Coverage(guessed=2, flows=9), INFERRED, unreadable_sessions=1)
    assert said[:2] == ("Only one direction was captured.", BLIND_WAIVED.message)
    assert [sentence.split(" ")[0] for sentence in said[2:]] == ["No", "1", "2"]


def test_limits_without_a_finding_that_says_so() -> None:
    said = limits([capture("a.pcap", status="partial")], (), NOTHING, DECLARED)
    assert said == (
        "a.pcap was not read to its end: what it holds beyond is not known.",
        "No Backup Exec traffic was seen: nothing was judged, and nothing passed.",
    )


@pytest.mark.parametrize(
    ("inferred", "told"),
    [
        (0, "4 control and 5 data connections of"),
        (1, "4 control, 4 proved and 1 inferred data connection of"),
        (2, "4 control, 3 proved and 2 inferred data connections of"),
        (5, "4 control and 5 inferred data connections of"),
    ],
)
def test_what_is_inferred_is_not_counted_as_proved(inferred: int, told: str) -> None:
    coverage = Coverage(judged=9, control=4, data=5, inferred=inferred, hosts=4, packets=1252, flows=9)
    assert told in sentence(coverage=coverage)
