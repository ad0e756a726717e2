"""The report as text."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest

from auditor.model import Severity
from auditor.report.interface import RenderOptions
from auditor.report.registry import render
from auditor.text import cells
from tests.report_samples import capture, finding, hostile_report, report, session


def text(made: object, **options: object) -> str:
    return render(made, "text", RenderOptions(**options)).decode()  # type: ignore[arg-type]


def headings(shown: str) -> list[str]:
    return [line.split("  ")[0] for line in shown.splitlines() if line and line[0] != " "]


def test_the_order_of_the_sections() -> None:
    summary = report().summary
    assert headings(text(report())) == ["VIOLATIONS", "What this cannot say", "Findings", "Judged", summary]
    assert headings(text(report(), verbosity=1)) == [
        "VIOLATIONS", "What this cannot say", "Findings", "Sessions", "Capacity", "Services", "Hosts", "Controls", "Captures",
        "Policy", summary,
    ]  # fmt: skip


def test_the_first_lines_and_the_last_say_the_same() -> None:
    summary = report().summary
    first, _, _ = text(report()).partition("\n\n")
    assert " ".join(first.split()) == " ".join(summary.replace("VIOLATIONS:", "VIOLATIONS").split())
    assert text(report()).splitlines()[-1] == summary


def screen_lines(shown: str, width: int) -> int:
    """Lines that a text takes on a terminal, which breaks those that are too long for it."""
    return sum(max(-(-cells(line) // width), 1) for line in shown.splitlines())


@pytest.mark.parametrize("height", [24, 40, 60])
@pytest.mark.parametrize("of", [1, 2, 5, 12, 40])
def test_many_findings_keep_to_a_screen(height: int, of: int) -> None:
    findings = tuple(finding(port) for port in range(1, of + 1))
    kinds = tuple(finding(code=f"BX{n}", severity=Severity.INFO) for n in range(401, 405))
    shown = text(report(findings=findings + kinds), height=height)
    assert screen_lines(shown, 80) <= height
    assert all(f"  BX{n}  " in shown for n in (301, 401, 402, 403, 404))
    assert "packets 30, 34" in shown
    assert ("remedy  Set the dynamic port range" in shown) is (height > 24 or of == 1)


def test_a_taller_screen_tells_more() -> None:
    made = report(findings=tuple(finding(port) for port in range(1, 13)))
    told = [text(made, height=height).count("listened for backup data") for height in (24, 40, 80)]
    assert told == [1, 3, 12]


def test_what_counts_is_told_before_what_does_not() -> None:
    """Notes are told in a line each as long as there is more to tell of a finding that counts."""
    notes = tuple(finding(code=f"BX{n}", severity=Severity.INFO) for n in range(401, 404))
    shown = text(report(findings=(*(finding(port) for port in range(1, 4)), *notes)), height=34)
    assert shown.count("port 1,") + shown.count("port 2,") + shown.count("port 3,") == 3
    assert [line.split()[1] for line in shown.splitlines() if line.startswith("  INFO ")] == ["BX401", "BX402", "BX403"]


@pytest.mark.parametrize("width", [60, 80, 110])
@pytest.mark.parametrize("verbosity", [0, 1, 2])
def test_lines_fit_the_terminal(width: int, verbosity: int) -> None:
    lines = text(report(), width=width, verbosity=verbosity).splitlines()
    assert [line for line in lines[:-1] if cells(line) > width] == []


def test_a_finding_with_its_evidence() -> None:
    shown = text(report(findings=(finding(),)))
    assert (
        "  MEDIUM    BX301  Data port outside the declared range\n"
        "    10.77.0.21 listened for backup data on port 40011, outside 50100-50124.\n"
        "      packets 30, 34 · 10.77.0.10:36576 > 10.77.0.21:40011 tcp\n"
        "    effect  A firewall that opens only the declared range blocks this backup.\n"
        "    remedy  Set the dynamic port range of the agent to 50100-50124.\n"
    ) in shown


def test_findings_of_one_rule_share_their_remedy() -> None:
    shown = text(report())
    assert shown.count("BX301") == 1
    assert shown.count("remedy") == 1
    shown = text(report(findings=(finding(), finding(40015, remedy="Something else."))))
    assert shown.count("remedy") == 2
    assert shown.count("effect") == 1


def test_severity_is_a_word_and_waived_is_said() -> None:
    shown = text(report(findings=(finding(severity=Severity.CRITICAL, waived=True),)))
    assert "CRITICAL" in shown
    assert "(waived)" in shown
    assert "1 waived" in shown


def test_long_lists_are_cut_and_say_so() -> None:
    many = report(
        sessions=tuple(session() for _ in range(25)),
        findings=tuple(finding(port) for port in range(1, 21)),
        captures=tuple(capture(f"{n}.pcap") for n in range(9)),
        limits=tuple(f"The {n}. thing." for n in range(1, 8)),
    )
    shown = text(many, height=100)
    assert "25 control connections with 25 data connections: -v lists them" in " ".join(shown.split())
    assert "… and 8 more findings of BX301; -v shows all" in shown
    assert "and 6 more files" in shown
    assert "… and 3 more limits; -v shows all" in shown
    everything = text(many, verbosity=1)
    assert "more" not in everything
    assert everything.count("listened for backup data") == 20
    assert everything.count("  control  ") == 25
    assert all(f"The {n}. thing." in everything and f"{n}.pcap" in everything for n in range(1, 8))


def test_a_capture_that_was_not_read_is_never_cut() -> None:
    captures = [capture(f"{n}.pcap") for n in range(9)]
    captures[8] = replace(captures[8], status="unreadable", error="is empty")
    shown = text(report(captures=tuple(captures)))
    assert "8.pcap" in shown
    assert "unreadable  is empty" in shown


def test_the_capture_of_the_evidence_is_named_where_there_are_several() -> None:
    assert " tcp · site.pcap" in text(report(captures=(capture(), capture("b.pcap"))))
    assert " tcp · site.pcap" not in text(report())


@pytest.mark.parametrize("verbosity", [0, 1, 2])
@pytest.mark.parametrize("plain", [False, True])
def test_nothing_hostile_reaches_the_terminal(verbosity: int, plain: bool) -> None:
    shown = text(hostile_report(), verbosity=verbosity, plain=plain, colour=False)
    harmful = {c for c in shown if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}} - {"\n"}
    assert harmful == set()
    assert "\\x1b[2J" in shown


def test_hostile_text_adds_no_lines() -> None:
    calm = hostile_report()
    lines = text(calm, width=110).splitlines()
    assert lines[-1].startswith("VIOLATIONS: a\\x1b[2J")


def test_colours_are_only_ours() -> None:
    import re

    shown = text(hostile_report(), colour=True)
    assert set(re.findall(r"\x1b[^m]*m", shown)) <= {
        f"\x1b[{code}m" for code in ("0", "1", "2", "1;31", "1;33", "33", "36", "1;32")
    }


def test_plain_uses_ascii_signs() -> None:
    assert text(report(), plain=True, verbosity=2).isascii()


def test_an_empty_report() -> None:
    nothing = report(hosts=(), services=(), sessions=(), findings=(), limits=())
    shown = text(nothing)
    assert "Sessions" not in shown
    assert "Findings" in shown
    assert "none" in shown
