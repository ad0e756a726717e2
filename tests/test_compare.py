"""Two reports held against each other: a baseline while auditing, and ``auditor compare``.

Which hosts, services and ports differ between captures is taken from their truths and stories, not from reports.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import html5lib
import jsonschema
import pytest

from auditor.drift.baseline import against_baseline, summarise_baseline
from auditor.drift.compare import compare_reports
from auditor.model import Report, ServiceSummary, Severity, TermSummary
from auditor.model.comparison import Change, Comparison
from auditor.report.comparison import FORMATS, render_comparison
from auditor.report.interface import RenderOptions
from auditor.verdict import exit_code
from tests.report_samples import HOSTILE, capture, finding, hostile_report, report
from tests.support import CAPTURES, ROOT, run_auditor

SCHEMA = json.loads((ROOT / "auditor" / "schemas" / "comparison-1.schema.json").read_text())
FILES = (("old.json", b"old"), ("new.json", b"new"))


def compared(old: Report, new: Report) -> Comparison:
    return compare_reports(old, new, FILES)


def states(changes: tuple[Change, ...]) -> list[tuple[str, str]]:
    return [(change.state, change.what) for change in changes]


def service(port: str = "25", **changes: object) -> ServiceSummary:
    made = ServiceSummary("SMTP", "", "tcp", port, "media-servers → mail-relays", 1, 1, 1, "permit", "smtp", "")
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("saved")
    made = {}
    for name in ("compliant", "out-of-range"):
        made[name] = folder / f"{name}.json"
        # One policy for both, so that only the traffic differs.
        run_auditor(
            "audit", CAPTURES / name / f"{name}.pcap", "--policy", CAPTURES / "out-of-range" / "policy.yaml",
            "--format", "json", "--output", made[name],
        )  # fmt: skip
    return made


class TestBaseline:
    @pytest.mark.parametrize(
        ("before", "now", "expected"),
        [
            ((), finding(), "new"),
            ((finding(),), finding(), "unchanged"),
            ((finding(2),), finding(), "new"),
            ((finding(severity=Severity.LOW),), finding(severity=Severity.HIGH), "updated"),
            ((finding(severity=Severity.HIGH),), finding(severity=Severity.LOW), "unchanged"),
            ((finding(waived=True),), finding(), "updated"),
            ((finding(),), finding(waived=True), "unchanged"),
            ((finding(evidence=()),), finding(flows=99), "unchanged"),
        ],
    )
    def test_states(self, before: tuple, now, expected: str) -> None:  # noqa: ANN001
        (judged,) = against_baseline([now], report(findings=before))
        assert judged.baseline_state == expected

    def test_counts_and_what_is_gone(self) -> None:
        old = report(findings=(finding(1), finding(2), finding(3, severity=Severity.LOW)))
        new = report(findings=against_baseline([finding(2), finding(3), finding(4)], old))
        summary = summarise_baseline(new, old, "old.json", b"abc")
        assert (summary.new, summary.unchanged, summary.updated) == (1, 1, 1)
        assert [gone.key for gone in summary.gone] == ["BX301 host=10.77.0.21 port=1"]
        # FIPS 180-2, appendix B.1: the digest of "abc".
        assert summary.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

    @pytest.mark.parametrize(("state", "expected"), [("new", 1), ("updated", 1), ("unchanged", 0)])
    def test_only_what_is_new_fails(self, state: str, expected: int) -> None:
        made = report(findings=(finding(baseline_state=state),))
        assert exit_code(made, only_new=True) == expected
        assert exit_code(made) == 1

    def test_on_the_command_line(self, saved: dict[str, Path]) -> None:
        arguments = (
            "audit", CAPTURES / "out-of-range" / "out-of-range.pcap",
            "--policy", CAPTURES / "out-of-range" / "policy.yaml", "--fail-on-new",
        )  # fmt: skip
        assert run_auditor(*arguments).code == 2
        same = run_auditor(*arguments, "--baseline", saved["out-of-range"])
        assert same.code == 0
        assert "against the baseline 0 new, 0 gone, 6 unchanged" in same.out.splitlines()[-1]
        other = run_auditor(*arguments, "--baseline", saved["compliant"])
        assert other.code == 1
        # New: three ports outside, the login with a password at another agent. Gone: traps, the login there, an agent that
        # is seen here. Two hosts are seen in neither.
        assert "against the baseline 4 new, 3 gone, 2 unchanged" in other.out.splitlines()[-1]
        wrong = run_auditor(*arguments, "--baseline", CAPTURES / "out-of-range" / "truth.json")
        assert (wrong.code, "not a report" in wrong.err) == (2, True)

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"generation": "20.x"}, "different product generations (11d-12, then 20.x)"),
            ({"inferred": True}, "without a policy"),
            ({"sha256": "b"}, "different policies"),
        ],
    )
    def test_reports_of_another_kind_say_so(self, change: dict[str, object], said: str) -> None:
        old = report(policy=replace(report().policy, sha256="a"))
        new = replace(old, policy=replace(old.policy, **change))  # type: ignore[arg-type]
        judged = replace(new, findings=against_baseline(new.findings, old))
        assert said in summarise_baseline(judged, old, "old.json", b"").caveats[0]
        assert any(said in caveat for caveat in compared(old, new).caveats)
        assert compared(old, old).caveats == ()

    def test_an_unread_capture_is_told(self) -> None:
        partial = report(captures=(capture(status="partial"),))
        assert "older" in compared(partial, report()).caveats[0]


class TestDrift:
    def test_the_same_is_no_drift(self) -> None:
        comparison = compared(report(), report())
        assert not comparison.drift
        assert comparison.summary.startswith("NO DRIFT: ")
        assert comparison.unchanged == {"findings": 2, "hosts": 2, "services": 2, "terms": 0}

    def test_more_of_the_same_is_no_drift(self) -> None:
        many = report(
            services=tuple(replace(row, flows=row.flows * 9, bytes=1) for row in report().services),
            sessions=report().sessions * 3,
        )
        comparison = compared(report(), many)
        assert not comparison.drift
        assert {(count.what, count.before, count.after) for count in comparison.counts} >= {
            ("control connections", 1, 3), ("data connections", 1, 3),
        }  # fmt: skip

    def test_findings(self) -> None:
        old = report(findings=(finding(1), finding(2), finding(3)))
        new = report(findings=(finding(2, waived=True), finding(3, severity=Severity.CRITICAL), finding(4)))
        found = compared(old, new).findings
        assert [(change.state, change.before, change.after) for change in found] == [
            ("new", "", "medium"),
            ("changed", "medium", "critical"),
            ("changed", "medium", "medium, waived"),
            ("gone", "medium", ""),
        ]

    def test_hosts(self) -> None:
        media, agent = report().hosts
        moved = replace(agent, zone="undeclared")
        found = compared(
            report(hosts=(media, agent)), report(hosts=(moved, replace(media, address="10.77.0.99")))
        ).hosts
        assert states(found) == [("new", "10.77.0.99"), ("changed", "10.77.0.21"), ("gone", "10.77.0.10")]

    def test_services_by_port_and_verdict(self) -> None:
        old = report(services=(service(), service("162")))
        new = report(services=(service(verdict="unstated"), service("587")))
        found = compared(old, new).services
        assert [(change.state, change.what.split(", ")[1], change.after) for change in found] == [
            ("new", "tcp 587", "permit"), ("changed", "tcp 25", "unstated"), ("gone", "tcp 162", ""),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("old", "new"),
        [("50100-50124", "50101-50103"), ("40011", "50100-50124")],
        ids=["ranges", "a single data port"],
    )
    def test_ports_of_data_connections_are_not_told_apart(self, old: str, new: str) -> None:
        # 40011 is the port of the data connection of the sample.
        assert not compared(report(services=(service(old),)), report(services=(service(new),))).drift

    def test_terms(self) -> None:
        term = TermSummary("a", "permit tcp any > any: 1", "permit", "site", 0)
        old, new = report(terms=(term,)), report(terms=(replace(term, flows=2),))
        (change,) = compared(old, new).terms
        assert (change.state, change.before, change.after) == ("changed", "not exercised", "exercised")

    def test_between_two_captures(self, saved: dict[str, Path]) -> None:
        done = run_auditor("compare", saved["compliant"], saved["out-of-range"], "--format", "json")
        document = json.loads(done.out)
        jsonschema.validate(document, SCHEMA)
        assert (done.code, document["drift"]) == (1, True)
        assert document["old"]["sha256"] == hashlib.sha256(saved["compliant"].read_bytes()).hexdigest()
        hosts = {
            name: _hosts(json.loads((CAPTURES / name / "truth.json").read_text()))
            for name in ("compliant", "out-of-range")
        }
        told = {(change["state"], change["what"]) for change in document["hosts"] if change["state"] != "changed"}
        assert told == {("new", host) for host in hosts["out-of-range"] - hosts["compliant"]} | {
            ("gone", host) for host in hosts["compliant"] - hosts["out-of-range"]
        }
        ports = {
            port for change in document["findings"] for port in ("40011", "40015", "33034") if port in change["what"]
        }
        assert ports == {"40011", "40015", "33034"}

    def test_exit_codes(self, saved: dict[str, Path], tmp_path: Path) -> None:
        same = run_auditor("compare", saved["compliant"], saved["compliant"])
        assert (same.code, same.out.splitlines()[-1].partition(":")[0]) == (0, "NO DRIFT")
        no_report = tmp_path / "x.json"
        no_report.write_text("{}")
        for wrong in (no_report, tmp_path / "missing.json"):
            done = run_auditor("compare", saved["compliant"], wrong)
            assert (done.code, "Traceback" in done.err) == (2, False)
        assert run_auditor("compare", saved["compliant"], saved["compliant"], "-o", saved["compliant"]).code == 2


def _hosts(truth: dict[str, list[dict[str, str]]]) -> set[str]:
    """Return the ends of all connections that a truth has on the wire."""
    lists = ("control_sessions", "data_connections", "other_tcp", "udp")
    found = [one for name in lists for one in truth[name] if one.get("on_wire", True)]
    return {one[end] for one in found for end in ("client", "server")}


class TestFormats:
    @pytest.mark.parametrize("name", FORMATS)
    def test_hostile_text_is_harmless(self, name: str) -> None:
        comparison = compare_reports(report(), hostile_report(), (("a", b""), (HOSTILE, b"")))
        shown = render_comparison(comparison, name).decode()
        assert not {"\x1b", "\x07", "\u202e", "\x9b", "\u2028", "\x00"} & set(shown)
        assert render_comparison(comparison, name) == shown.encode()

    def test_the_page_is_sound_and_needs_nothing(self) -> None:
        evil = "<script>alert(1)</script>"
        comparison = compared(report(), report(findings=(finding(message=evil, severity=Severity.HIGH),), summary=evil))
        data = render_comparison(comparison, "html")
        tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(data)
        assert tree.findall(".//script") == []
        assert "default-src 'none'" in data.decode()
        assert all(table.find("caption") is not None for table in tree.iter("table"))
        assert {th.get("scope") for th in tree.iter("th")} <= {"col", "row"}
        assert [element.get("src") for element in tree.iter() if element.get("src")] == []

    def test_a_narrow_terminal(self) -> None:
        shown = render_comparison(compared(report(), report(findings=())), "text", RenderOptions(width=60)).decode()
        assert all(len(line) <= 60 for line in shown.splitlines()[:-1])
