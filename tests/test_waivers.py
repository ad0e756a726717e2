"""Waivers: what is read, what is covered, on which day, and what the report says of it.

The ports outside the range are those of captures/out-of-range/truth.json, which no packet was consulted for.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from auditor.cli.days import read_day
from auditor.errors import UsageError, WaiverError
from auditor.model import Evidence, Finding, FlowReference, ReportVerdict, Severity
from auditor.model.parts import Part
from auditor.packs.load import load_pack
from auditor.pipeline import AuditOptions, audit
from auditor.policy.load import load_policy
from auditor.report.registry import FORMATS, render
from auditor.services.folder import rules_folder
from auditor.waivers.apply import apply_waivers, covers
from auditor.waivers.load import load_waivers
from auditor.waivers.model import Waiver
from tests.report_samples import finding
from tests.support import CAPTURES, ROOT, run_auditor

FOLDER = CAPTURES / "out-of-range"
CAPTURE, POLICY = FOLDER / "out-of-range.pcap", FOLDER / "policy.yaml"
PACK = load_pack([rules_folder() / "checks"])
SCHEMA = json.loads((ROOT / "auditor" / "schemas" / "waivers.schema.json").read_text())
WHOLE = {
    "code": "BX301", "hosts": ["10.77.0.21", "10.77.0.23"], "owner": "backup team", "reason": "next window",
    "expires": "2026-11-22",
}  # fmt: skip
"""Covers all that the capture has wrong; its last packet is of 2026-11-22."""


def written(tmp_path: Path, *waivers: dict[str, object], **head: object) -> Path:
    path = tmp_path / "waivers.yaml"
    path.write_text(yaml.safe_dump({**head, "waivers": list(waivers)}, sort_keys=False))
    return path


def read(tmp_path: Path, *waivers: dict[str, object]) -> tuple[Waiver, ...]:
    return load_waivers([written(tmp_path, *waivers)], PACK, load_policy(POLICY))


def audited(path: Path, day: str | None = None, capture: Path = CAPTURE, policy: Path = POLICY):  # noqa: ANN201
    options = AuditOptions(waivers=(str(path),), as_of=None if day is None else dt.date.fromisoformat(day))
    return audit([capture], policy_path=policy, options=options)


def about(**subject: str):  # noqa: ANN201
    return finding(subject=subject, evidence=(), flows=9)


def spoken_of(waiver: Waiver, found: Finding) -> bool:
    """Whether a waiver covers a finding that stands for what it names."""
    return covers(waiver, found, (Part(found.subject, found.term),))


class TestCoverage:
    @pytest.mark.parametrize(
        ("hosts", "subject", "expected"),
        [
            ("10.0.0.5", {"host": "10.0.0.5"}, True),
            ("10.0.0.5", {"host": "10.0.0.6"}, False),
            ("10.0.0.0/24", {"host": "10.0.0.6"}, True),
            ("10.0.0.5", {"host": "::ffff:10.0.0.5"}, True),
            ("2001:db8::/64", {"host": "2001:db8::9"}, True),
            # A stranger who turns up at a host with a waiver is not waived.
            ("10.0.0.5", {"originator": "203.0.113.9", "responder": "10.0.0.5"}, False),
            (["10.0.0.5", "203.0.113.9"], {"originator": "203.0.113.9", "responder": "10.0.0.5"}, True),
            ("agents", {"originator": "203.0.113.9", "responder": "10.77.0.21"}, False),
            ("agents", {"host": "10.77.0.22"}, True),
            ("agents", {"host": "10.77.0.10"}, False),
            ("agents", {"zone": "agents"}, True),
            ("agents", {"zone": "filers"}, False),
            ("10.77.0.0/24", {"zone": "agents"}, False),
            ("10.77.0.0/24", {}, False),
            ("10.77.0.0/24", {"others": "all"}, False),
            ("any", {}, True),
            ("any", {"host": "203.0.113.9"}, True),
        ],
    )
    def test_every_host_of_a_finding_must_be_named(
        self, tmp_path: Path, hosts: object, subject: dict[str, str], expected: bool
    ) -> None:
        (waiver,) = read(tmp_path, {**WHOLE, "hosts": hosts})
        assert spoken_of(waiver, about(**subject)) is expected

    @pytest.mark.parametrize(
        ("port", "expected"), [("40010", True), ("40020", True), ("40021", False), ("none", False)]
    )
    def test_ports_of_the_subject(self, tmp_path: Path, port: str, expected: bool) -> None:
        (waiver,) = read(tmp_path, {**WHOLE, "hosts": "any", "ports": "40010-40020"})
        assert spoken_of(waiver, about(host="10.0.0.5", port=port)) is expected

    @pytest.mark.parametrize(
        ("flows", "ports", "expected"), [(2, (1, 2), True), (2, (1, 3), False), (3, (1, 2), False)]
    )
    def test_ports_of_all_flows_where_the_subject_has_none(
        self, tmp_path: Path, flows: int, ports: tuple[int, ...], expected: bool
    ) -> None:
        (waiver,) = read(tmp_path, {**WHOLE, "hosts": "any", "ports": "1-2"})
        evidence = tuple(Evidence(FlowReference("tcp", "10.0.0.1:9", f"[2001:db8::1]:{port}"), (1,)) for port in ports)
        assert spoken_of(waiver, finding(subject={"host": "10.0.0.5"}, evidence=evidence, flows=flows)) is expected

    def test_terms(self, tmp_path: Path) -> None:
        (waiver,) = read(tmp_path, {**WHOLE, "hosts": "any", "terms": ["no-telnet"]})
        assert spoken_of(waiver, about(term="no-telnet"))
        assert not spoken_of(waiver, about(term="no-ssh"))
        assert spoken_of(waiver, dataclasses.replace(about(host="10.0.0.5"), term="no-telnet"))
        assert not spoken_of(waiver, about(host="10.0.0.5"))

    def test_what_the_capture_cannot_show_is_never_covered(self, tmp_path: Path) -> None:
        waivers = read(tmp_path, {**WHOLE, "hosts": "any"})
        blind = finding(undermines=True)
        ((judged,), (use,)) = apply_waivers(waivers, [blind], dt.date(2026, 1, 1))
        assert (judged.waived, use.findings) == (False, 0)

    def test_the_first_in_force_is_named_and_all_are_counted(self, tmp_path: Path) -> None:
        base = {**WHOLE, "hosts": "any"}
        waivers = read(
            tmp_path,
            {**base, "owner": "late", "since": "2026-06-01", "expires": "2026-12-31"},
            {**base, "owner": "first", "expires": "2026-03-31"},
            {**base, "owner": "second", "expires": "2026-12-31"},
        )
        (judged,), uses = apply_waivers(waivers, [finding()], dt.date(2026, 3, 31))
        assert judged.waiver is not None
        assert (judged.waived, judged.waiver.owner) == (True, "first")
        assert [(use.state, use.findings) for use in uses] == [("pending", 1), ("in-force", 1), ("in-force", 1)]


class TestTheDay:
    @pytest.mark.parametrize(
        ("day", "verdict", "state"),
        [
            (None, ReportVerdict.CONFORMS, "in-force"),
            ("2026-11-22", ReportVerdict.CONFORMS, "in-force"),
            ("2026-11-23", ReportVerdict.VIOLATIONS, "expired"),
            ("2026-10-31", ReportVerdict.VIOLATIONS, "pending"),
            ("2026-11-01", ReportVerdict.CONFORMS, "in-force"),
        ],
    )
    def test_both_ends_are_included(self, tmp_path: Path, day: str | None, verdict: ReportVerdict, state: str) -> None:
        report = audited(written(tmp_path, {**WHOLE, "since": "2026-11-01"}), day)
        assert (report.verdict, report.waivers[0].state) == (verdict, state)
        assert report.as_of == (day or "2026-11-22")
        assert report.waivers[0].findings == 3

    def test_an_expired_waiver_is_a_finding(self, tmp_path: Path) -> None:
        report = audited(written(tmp_path, WHOLE), "2026-11-23")
        (told,) = [one for one in report.findings if one.code == "BX951"]
        assert told.severity is Severity.LOW
        assert "waivers.yaml:2, owner backup team" in told.message
        assert sum(one.code == "BX301" and not one.waived for one in report.findings) == 3

    def test_an_expired_one_that_would_cover_nothing_is_a_note(self, tmp_path: Path) -> None:
        report = audited(written(tmp_path, {**WHOLE, "code": "BX205"}), "2027-01-01")
        assert [one.severity for one in report.findings if one.code == "BX951"] == [Severity.INFO]

    @pytest.mark.parametrize(("head", "expected"), [({}, True), ({"warn_days": 19}, False), ({"warn_days": 20}, True)])
    def test_the_warning_before_the_end(self, tmp_path: Path, head: dict[str, object], expected: bool) -> None:
        # From the second of November to the 22nd are twenty days.
        report = audited(written(tmp_path, WHOLE, **head), "2026-11-02")
        assert ("BX953" in {one.code for one in report.findings}) is expected
        assert report.verdict is ReportVerdict.CONFORMS

    def test_an_unused_waiver_is_a_note(self, tmp_path: Path) -> None:
        report = audited(written(tmp_path, WHOLE, {**WHOLE, "code": "BX205", "hosts": "agents"}))
        assert [one.severity for one in report.findings if one.code == "BX952"] == [Severity.INFO]
        assert [waiver.findings for waiver in report.waivers] == [3, 0]

    def test_no_packet_no_day_no_waiver(self, tmp_path: Path) -> None:
        empty = tmp_path / "empty.pcap"
        empty.write_bytes(CAPTURE.read_bytes()[:24])
        report = audited(written(tmp_path, WHOLE), capture=empty)
        assert (report.as_of, report.waivers[0].state) == ("", "undated")
        assert report.verdict is ReportVerdict.INCONCLUSIVE

    def test_today_is_that_of_the_epoch_where_one_is_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # 1767225599 is the last second of 2025, by `date -u -d 2025-12-31T23:59:59 +%s`.
        monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225599")
        assert read_day("today") == dt.date(2025, 12, 31)
        monkeypatch.setenv("SOURCE_DATE_EPOCH", "soon")
        with pytest.raises(UsageError, match="SOURCE_DATE_EPOCH"):
            read_day("today")

    @pytest.mark.parametrize("text", ["2026-02-30", "20261231", "tomorrow", ""])
    def test_what_is_no_day(self, text: str) -> None:
        with pytest.raises(UsageError, match="is no day"):
            read_day(text)


class TestTheFile:
    @pytest.mark.parametrize(
        ("change", "line", "said", "fix"),
        [
            ({"code": "BX31"}, 2, "'BX31' is no rule", "did you mean 'BX301'?"),
            ({"code": "data-port-outside-rnge"}, 2, "is no rule", "did you mean 'data-port-outside-range'?"),
            ({"code": "BX902"}, 2, "cannot support a verdict", "capture again"),
            ({"code": "waiver-expired"}, 2, "about waivers", "renew or remove"),
            ({"hosts": "agent"}, 3, "neither an address nor a zone", "did you mean 'agents'?"),
            ({"hosts": "10.77.0.300"}, 3, "is not an IP address", "write an address"),
            ({"hosts": "10.77.0.1/24"}, 3, "bits set beyond its prefix", "10.77.0.0/24"),
            ({"hosts": []}, 3, "the list is empty", ""),
            ({"ports": "70000"}, 7, "port 70000 does not exist", ""),
            ({"expires": "2026-02-30"}, 6, "is no date", "year-month-day"),
            ({"expires": "next year"}, 6, "is no date", "year-month-day"),
            ({"since": "2027-01-01"}, 7, "after its last day 2026-11-22", ""),
            ({"ownr": "me"}, 7, "unknown key 'ownr'", "did you mean 'owner'?"),
            ({"owner": " "}, 4, "the value is missing", ""),
        ],
    )  # fmt: skip
    def test_mistakes_are_told_with_their_place(
        self, tmp_path: Path, change: dict[str, object], line: int, said: str, fix: str
    ) -> None:
        with pytest.raises(WaiverError) as told:
            read(tmp_path, {**WHOLE, **change, "hosts": change.get("hosts", "10.77.0.21")})
        (problem,) = told.value.problems
        assert problem.line == line
        assert said in problem.message
        assert fix in problem.fix

    def test_all_mistakes_of_all_files_at_once_before_a_packet_is_read(self, tmp_path: Path) -> None:
        one = written(tmp_path, {"code": "BX1"}, {**WHOLE, "expires": "never"})
        two = tmp_path / "two.yaml"
        two.write_text("waivers: 3\nmore: x\n")
        done = run_auditor("audit", tmp_path / "nothing.pcap", "--waivers", one, "--waivers", two)
        assert done.code == 2
        # Of the first: a code that is none, four keys missing, a date that is none; of the second: no list, unknown key.
        assert done.err.count("error: ") == 6 + 2
        assert "Traceback" not in done.err

    def test_without_a_policy_there_are_no_zones(self, tmp_path: Path) -> None:
        with pytest.raises(WaiverError, match="without a policy there are no zones"):
            load_waivers([written(tmp_path, {**WHOLE, "hosts": "agents"})], PACK, None)

    def test_the_policy_names_files_from_its_own_folder(self, tmp_path: Path) -> None:
        written(tmp_path, WHOLE)
        policy = tmp_path / "policy.yaml"
        policy.write_text(POLICY.read_text() + "waivers: waivers.yaml\n")
        assert audit([CAPTURE], policy_path=policy).verdict is ReportVerdict.CONFORMS
        policy.write_text(POLICY.read_text() + "waivers: [no.yaml]\n")
        done = run_auditor("audit", CAPTURE, "--policy", policy)
        assert (done.code, "'no.yaml' does not exist" in done.err) == (2, True)

    def test_the_schema_takes_what_the_reader_takes(self, tmp_path: Path) -> None:
        full = {**WHOLE, "ports": [40011, "40015-40020"], "terms": "a", "since": "2026-01-01", "ticket": "CHG-1"}
        jsonschema.validate({"warn_days": 0, "waivers": [full]}, SCHEMA)
        assert len(read(tmp_path, full)) == 1
        for key in ("code", "hosts", "owner", "reason", "expires"):
            less = {name: value for name, value in full.items() if name != key}
            with pytest.raises(jsonschema.ValidationError):
                jsonschema.validate({"waivers": [less]}, SCHEMA)
            with pytest.raises(WaiverError, match=f"'{key}' is missing"):
                read(tmp_path, less)


class TestTheReport:
    def test_what_is_waived_is_shown_and_does_not_count(self) -> None:
        arguments = ("audit", CAPTURE, "--policy", POLICY, "--waivers", FOLDER / "waivers.yaml")
        done = run_auditor(*arguments)
        assert done.code == 0
        assert done.out.splitlines()[-1].startswith("CONFORMS: no findings and 3 waived (3 high) in ")
        assert "by backup team until 2026-12-31: its range is set" in " ".join(done.out.split())
        assert run_auditor(*arguments, "--as-of", "2027-01-01").code == 1

    @pytest.mark.parametrize("name", FORMATS)
    def test_every_format_of_text_names_the_owner(self, name: str) -> None:
        report = audited(FOLDER / "waivers.yaml")
        data = render(report, name)
        told = (
            "text",
            "json",
            "html",
            "jsonl",
            "sarif",
            "junit",
            "csv",
            "ocsf",
            "ocsf-compliance",
            "oscal",
            "zeek-notice",
        )
        if name in told:
            assert b"backup team" in data
            assert b"2026-12-31" in data
            assert b"CHG-2041" in data

    def test_hostile_words_of_a_waiver_are_harmless(self, tmp_path: Path) -> None:
        evil = "<script>alert(1)</script>\x1b[2J\u202e"
        report = audited(written(tmp_path, {**WHOLE, "owner": evil, "reason": evil, "ticket": evil}))
        assert report.findings[-1].waived
        for name in ("text", "html"):
            text = render(report, name).decode()
            assert "\x1b" not in text
            assert "\u202e" not in text
        assert "<script>" not in render(report, "html").decode()
