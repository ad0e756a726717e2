"""A page of five hundred findings is light, however long the rest of the report is, and says what it leaves out."""

from __future__ import annotations

import re

import html5lib
import pytest

from auditor.model import DataEnd, DataSummary, Evidence, Finding, FlowReference, HostSummary, Report, SessionSummary
from auditor.report.html import render
from auditor.report.html.detail import FULL, LEAST
from auditor.report.interface import RenderOptions
from tests.report_samples import finding, report, session

RANGE = "50100-50124"


def flow(number: int) -> FlowReference:
    return FlowReference("tcp", f"10.77.0.10:{30_000 + number}", f"10.78.{number // 250}.{number % 250 + 1}:40011")


def found(number: int) -> Finding:
    note = "proved: DATA_LISTEN reply in packet 28 names 10.77.0.21:40011"
    return finding(
        message=f"10.78.{number // 250}.{number % 250 + 1} listens for data on port 40011, outside its declared range {RANGE}; "
        "tie to the control connection: proved.",
        key=f"BX301 host={number}",
        evidence=tuple(Evidence(flow(number), (part, part + 9, part + 99), "site.pcap", note) for part in (1, 2, 3, 4)),
        flows=4,
    )


def connection(host: int, number: int) -> DataSummary:
    end = f"10.78.{host // 250}.{host % 250 + 1}"
    return DataSummary(
        f"10.77.0.10:{30_000 + number}", f"{end}:{40_000 + number}", 30, "proved",
        ("DATA_LISTEN reply in packet 28 names it", "DATA_GET_STATE reply in packet 35 names it"), 110, "site.pcap", 0, 1024,
        "SF", "2026-11-22T15:42:15.516522000Z", "2026-11-22T15:42:15.574803000Z",
        (DataEnd(end, 40_000 + number, "listens", RANGE, False),),
    )  # fmt: skip


def sessions(count: int, connections: int) -> tuple[SessionSummary, ...]:
    return tuple(session(data=tuple(connection(n, part) for part in range(connections))) for n in range(count))


def hosts(count: int) -> tuple[HostSummary, ...]:
    reason = "beremote.exe: answered 1 NDMP control connection on port 10000 (packet 1)"
    return tuple(
        HostSummary(f"10.78.{n // 250}.{n % 250 + 1}", "agents", ("beremote.exe",), (reason,), f"agent{n}")
        for n in range(count)
    )


def long_report(findings: int, of_sessions: tuple[int, int], of_hosts: int) -> Report:
    return report(
        findings=tuple(found(n) for n in range(findings)), sessions=sessions(*of_sessions), hosts=hosts(of_hosts)
    )


def page(made: Report) -> str:
    return render(made, RenderOptions()).decode()


@pytest.mark.parametrize("of_sessions", [(500, 1), (100, 5), (12, 300), (250, 40)])
def test_five_hundred_findings_are_light_beside_long_tables(of_sessions: tuple[int, int]) -> None:
    text = page(long_report(500, of_sessions, 500))
    assert len(text.encode()) < 300_000
    tree = html5lib.parse(text, namespaceHTMLElements=False)
    assert sum((item.get("id") or "").startswith("f-") for item in tree.iter("li")) == 500


def test_what_is_left_out_is_counted() -> None:
    text = page(long_report(500, (100, 30), 500))
    left = {
        what.strip(): int(count.replace("\u202f", ""))
        for count, what in re.findall(r"… and ([\d\u202f]+) more ([^;<]*)", text)
    }
    assert left["hosts"] == 500 - LEAST.rows
    assert left["control connections"] == 100 - LEAST.sessions
    assert left["data connections, not drawn"] == 30 - LEAST.strokes
    # Four flows were kept of each finding: one of them is shown where not all are.
    assert text.count("… and 3 more flows") == 500 - LEAST.in_full
    assert f"{100 - LEAST.lanes} later control connections" in text
    assert f"{LEAST.lanes * (30 - LEAST.bars)} data connections are not drawn" in text


def test_a_page_that_is_light_leaves_nothing_out() -> None:
    text = page(long_report(20, (30, 5), 40))
    assert len(text.encode()) < 300_000
    assert "… and" not in text
    assert text.count("<i>proved: DATA_LISTEN") == 20 * 4


def test_more_findings_than_that_are_all_on_the_page_all_the_same() -> None:
    text = page(long_report(700, (1, 1), 10))
    assert text.count('<li id="f-') == 700
    assert FULL.in_full == 500
