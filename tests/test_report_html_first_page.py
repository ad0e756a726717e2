"""Page one and the picture of capacity: what stands there, worked out by hand from the sample."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import html5lib

from auditor.model import CapacityPoint, CaptureQuality, PolicySummary, Quality, Report, RulePackSummary, ServiceSummary
from auditor.report.html import render
from auditor.report.html.capacity import BAR_RIGHT, LEFT, RIGHT, peaks
from auditor.report.interface import RenderOptions
from tests.report_samples import capacity, capture, finding, report

XHTML = "{http://www.w3.org/1999/xhtml}"


def parsed(made: Report) -> ET.Element:
    root: ET.Element = html5lib.parse(render(made, RenderOptions()).decode())
    return root


def words(element: ET.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def facts(made: Report) -> dict[str, str]:
    """Return the facts of page one by their heads."""
    listed = next(e for e in parsed(made).iter(f"{XHTML}dl") if e.get("class") == "facts")
    return {words(row[0]): words(row[1]) for row in listed}


def test_page_one_says_what_was_judged() -> None:
    lost = CaptureQuality(drops=3, missed_bytes=2048, cut=7, gaps=1, one_sided=2)
    told = facts(
        report(
            captures=(capture(sha256="ab" * 32),),
            policy=PolicySummary("site.yaml", False, "11d-12", {}, 10000, {"agents": "50100-50124"}, "cd" * 32),
            rule_pack=RulePackSummary(73, "ef" * 32),
            quality=Quality("firewall-outside", "stated", "", lost),
        )
    )
    assert told["Judged"] == f"site.pcap SHA-256 {'ab' * 32}"
    assert told["Period"].startswith("2026-11-22 15:42:15–15:42:23 UTC")
    assert told["Vantage"] == "before the firewall, as stated"
    assert told["Losses"] == "3 packets dropped, 2.00 KiB of TCP missing, 7 frames cut, 1 gap, 2 one-sided connections"
    assert told["Held against"].startswith("policy site.yaml, generation 11d-12, NDMP port 10000")
    assert "cd" * 32 in told["Held against"]
    assert told["Rules"].startswith("73 rules of auditor 0.1.0")
    assert "ef" * 32 in told["Rules"]


def test_that_nothing_is_known_of_losses_is_said() -> None:
    assert facts(report())["Losses"] == "the captures do not say how many packets were dropped"
    clean = replace(report(), quality=Quality(total=CaptureQuality(drops=0)))
    assert facts(clean)["Losses"] == "none told by the captures, none seen in the traffic"
    assert facts(clean)["Vantage"].startswith("at an unknown place")


def test_three_findings_are_named_where_one_rule_found_all() -> None:
    made = report(findings=tuple(finding(port) for port in range(40_001, 40_006)))
    steps = next(parsed(made).iter(f"{XHTML}ol"))
    assert re.findall(r"port (\d+)", words(steps)) == ["40001", "40002", "40003"]
    assert "And 2 more of BX301" in words(steps)
    assert words(steps).count("Set the dynamic port range") == 1


def test_contents_lead_to_every_section() -> None:
    root = parsed(report())
    listed = next(root.iter(f"{XHTML}nav"))
    targets = [link.get("href") for link in listed.iter(f"{XHTML}a")]
    heads = [f"#{head.get('id')}" for head in next(root.iter(f"{XHTML}main")).iter(f"{XHTML}h2")]
    assert targets == heads


def test_bars_are_shares_of_the_hosts_own_range() -> None:
    at = "2026-11-22T15:42:{:02d}.000000000Z".format
    half = capacity(host="10.0.0.1", limit=40, peak_open=10, peak_held=20, full_at=None)
    over = capacity(host="10.0.0.2", limit=10, peak_open=5, peak_held=15, curve=(
        CapacityPoint(at(15), 1, 5, 0), CapacityPoint(at(19), 1, 0, 15), CapacityPoint(at(59), 0, 0, 0),
    ))  # fmt: skip
    made = peaks(report(capacity=(half, over), captures=(capture(first=at(15), last=at(23)),)))
    assert made is not None
    first, second = made.rows
    # The longest bar, 150 percent of its range, takes the whole width: the range itself two thirds of it.
    assert (first.host, first.limit_x, first.open_x, first.held_x) == ("10.0.0.2", 220, 110, BAR_RIGHT)
    assert (second.host, second.limit_x, second.open_x, second.held_x) == ("10.0.0.1", 220, 55, 110)
    assert first.over
    assert not second.over
    # Half of the eight seconds until the last packet is half of the width; what would be after it is not drawn.
    assert f"H{(LEFT + RIGHT) // 2}V" in first.held_path
    assert [int(x) for x in re.findall(r"H(\d+)", first.held_path)] == [LEFT, (LEFT + RIGHT) // 2, RIGHT]
    assert "1 of them with no port free" in made.description


def test_a_host_without_any_limit_has_a_curve_and_no_bar() -> None:
    made = peaks(report(capacity=(capacity(limit=0, declared="", advised=0, full_at=None),)))
    assert made is not None
    assert (made.rows[0].limit_x, made.rows[0].held_x) == (None, 0)
    assert "no range declared" in made.rows[0].words


def test_no_picture_where_no_port_was_held() -> None:
    assert peaks(report(capacity=(capacity(peak_held=0),))) is None


def test_services_stand_under_their_process() -> None:
    def row(service: str, process: str) -> ServiceSummary:
        return ServiceSummary(service, process, "tcp", "1", "a → b", 1, 1, 1, "permit")

    made = report(services=(row("one", "beremote.exe"), row("two", ""), row("three", "beremote.exe")))
    table = next(
        e for e in parsed(made).iter(f"{XHTML}table") if "by the process" in words(next(e.iter(f"{XHTML}caption")))
    )
    told = [words(next(line.iter(f"{XHTML}th"))) for body in table.iter(f"{XHTML}tbody") for line in body]
    assert told == ["beremote.exe", "one", "three", "no process of the vendor's tables", "two"]
