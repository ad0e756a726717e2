"""What a watch tells: the same as an audit of the same packets, each thing once, and nothing before its time."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from auditor.cli.schema import schema_text
from auditor.cli.watch_files import dated
from auditor.errors import PolicyError, UsageError
from auditor.model import Evidence, Finding, FlowReference, Report, ReportVerdict, Severity
from auditor.pipeline import AuditOptions, audit
from auditor.pipeline.yardstick import prepare
from auditor.watch.found import FindingTeller
from auditor.watch.journal import Journal, Memory
from auditor.watch.lines import json_line_of, line_of, number_of
from auditor.watch.loop import Limits, Watcher
from auditor.watch.moment import Moment
from auditor.watch.news import KINDS, News
from auditor.watch.settings import Settings
from auditor.watch.spans import bytes_of, seconds_of
from tests.helpers.journals import opened
from tests.helpers.live_fake import FakeLive
from tests.report_samples import report as sample_report
from tests.support import CAPTURES, committed_cases

DAY = 86_400
QUICK = Settings(interval=0.01, observe=0.0)


class Heard:
    """An outlet that keeps what it is given."""

    name, trouble = "heard", ""

    def __init__(self) -> None:
        self.news: list[News] = []

    def begin(self, last: int) -> int | None:
        del last
        return None

    def room(self) -> int:
        return 7

    def offer(self, news: Any) -> int:
        self.news += news
        return len(news)

    def delivered(self) -> int | None:
        return self.news[-1].number if self.news else None

    def close(self) -> None:
        pass

    def keys(self, kind: str) -> list[str]:
        return [one.key for one in self.news if one.kind == kind]


def watched(name: str, journal: Journal | None = None, **more: Any) -> tuple[Heard, Report, Watcher]:
    heard, folder = Heard(), CAPTURES / name
    live = more.pop("live", None) or FakeLive(next(folder.glob("*.pcap")), per_pump=50)
    yardstick = prepare(folder / "policy.yaml")
    more = {"settings": QUICK, "again": True, **more}
    watcher = Watcher(live, yardstick, journal or opened(":memory:"), [heard], source="lab", **more)
    return heard, watcher.run(), watcher


CASES = [case.name for case in committed_cases() if case.capture.suffix == ".pcap"]


@pytest.mark.parametrize("name", CASES)
def test_a_watch_tells_what_an_audit_of_the_same_packets_reports(name: str) -> None:
    live = FakeLive(CAPTURES / name / f"{name}.pcap", per_pump=50)
    heard, report, _ = watched(name, live=live)
    audited = audit([CAPTURES / name / f"{name}.pcap"], policy_path=CAPTURES / name / "policy.yaml")
    assert [one.key for one in report.findings] == [one.key for one in audited.findings]
    assert repr(report.sessions).replace(live.path, audited.captures[0].path) == repr(audited.sessions)
    # Of what was told, that which did not end is what an audit finds; and all sessions, data connections and ends.
    open_ = set(heard.keys("finding-opened")) - set(heard.keys("finding-closed"))
    assert open_ == {one.key for one in audited.findings if not one.waived}
    assert len(heard.keys("session-opened")) == len(set(heard.keys("session-opened"))) == len(audited.sessions)
    # A tie by circumstance may move to another session while packets come: the connections are the same, whenever one looks.
    tied = {one.partition(" | ")[2] for one in heard.keys("data-tied")}
    assert len(tied) == len(
        {(data.originator, data.responder, data.first) for one in audited.sessions for data in one.data}
    )
    over = sum(one.ended not in ("open", "silent") for one in audited.sessions)
    assert len(heard.keys("session-ended")) == over
    assert [one.number for one in heard.news] == list(range(1, len(heard.news) + 1))
    assert (heard.news[0].kind, heard.news[-1].kind) == ("watch-began", "watch-ended")


def test_sessions_that_are_open_at_an_interruption_are_marked_and_findings_are_not_told_again(tmp_path: Path) -> None:
    path = str(tmp_path / "journal")
    capture = CAPTURES / "out-of-range" / "out-of-range.pcap"
    journal = opened(path)
    # Packet 344 is in the midst of the third of four sessions (truth.json).
    more = {"again": False, "settings": Settings(interval=0.01)}
    first, _, _ = watched("out-of-range", journal, live=FakeLive(capture), limits=Limits(packets=700), **more)
    journal.close(clean=False)
    assert len(first.keys("finding-opened")) >= 2
    journal = opened(path)
    second, _, _ = watched("out-of-range", journal, live=FakeLive(capture), **more)
    assert second.news[0].kind == "watch-resumed"
    still_open = set(first.keys("session-opened")) - set(first.keys("session-ended"))
    assert set(second.keys("session-interrupted")) == still_open
    assert not set(first.keys("finding-opened")) & set(second.keys("finding-opened"))
    assert not set(first.keys("role-learnt")) & set(second.keys("role-learnt"))


def test_lost_packets_are_told_and_make_what_was_not_seen_inconclusive() -> None:
    capture = CAPTURES / "blocked" / "blocked.pcap"
    live = FakeLive(capture)
    live.counted = {"kernel_drops": 3, "own_drops": 2}
    heard, report, watcher = watched("blocked", live=live)
    (loss,) = (one for one in heard.news if one.kind == "loss")
    assert (loss.facts["lost"], watcher.lost) == (5, 5)
    unanswered = [one for one in report.findings if one.absence]
    assert unanswered
    assert all("5 packets were lost" in one.inconclusive for one in unanswered)


def test_policy_is_read_anew_and_a_wrong_one_leaves_the_old() -> None:
    heard = Heard()
    folder = CAPTURES / "out-of-range"
    wanted = [PolicyError([]), None]

    def reload() -> Any:
        problem = wanted.pop(0)
        watcher.asked.reload = bool(wanted)
        if problem is not None:
            raise problem
        return prepare(CAPTURES / "compliant" / "policy.yaml")

    live = FakeLive(folder / "out-of-range.pcap")
    journal = opened(":memory:")
    watcher = Watcher(
        live, prepare(folder / "policy.yaml"), journal, [heard], source="lab", settings=QUICK, reload=reload
    )
    watcher.asked.reload = True
    report = watcher.run()
    kinds = [one.kind for one in heard.news]
    assert kinds.index("policy-kept") < kinds.index("policy-reloaded")
    assert report.policy.path == str(CAPTURES / "compliant" / "policy.yaml")


def test_reports_are_written_on_a_signal_and_at_the_end_and_failure_does_not_end_the_watch() -> None:
    asked: list[str] = []

    def write(report: Report, why: str) -> list[str]:
        asked.append(why)
        if why == "signal":
            raise UsageError("disk full")
        return ["site.html"]

    live = FakeLive(CAPTURES / "out-of-range" / "out-of-range.pcap")
    heard, folder = Heard(), CAPTURES / "out-of-range"
    watcher = Watcher(
        live,
        prepare(folder / "policy.yaml"),
        opened(":memory:"),
        [heard],
        source="lab",
        settings=QUICK,
        on_report=write,
    )
    watcher.asked.report = True
    watcher.run()
    assert asked == ["signal", "end"]
    assert any("disk full" in one.text for one in heard.news if one.kind == "trouble")
    assert heard.keys("report-written")


# --- findings over time: each moment is (seconds, findings); what is told is read off by hand ------------------------


def finding(key: str = "BX301 a", *, flows: int = 1, **more: Any) -> Finding:
    evidence = (Evidence(FlowReference("tcp", "10.0.0.1:1", "10.0.0.2:2"), (1,)),)
    fields = {"severity": Severity.HIGH, "subject": {}, "consequence": "", "remedy": "", "evidence": evidence, **more}
    return Finding(key.split(maxsplit=1)[0], "name", message=key, key=key, flows=flows, **fields)


def told(
    *moments: tuple[float, list[Finding]], settings: Settings | None = None, unseen: tuple[str, ...] = ()
) -> list[str]:
    memory: Memory = {}
    teller = FindingTeller(memory, settings or Settings(), unseen, ("BX103",))
    said = []
    for seconds, findings in moments:
        report = replace(sample_report(), findings=tuple(findings))
        for step in teller.steps(report, Moment(int(seconds * 1e9), seconds)):
            memory.update({(kind, key): body for kind, key, body in step.changes if body is not None})
            if step.news:
                said.append(f"{seconds:g} {step.news.kind[8:]} {step.news.facts['count']}")
    return said


def test_a_finding_is_told_once_repeated_seldom_and_closed_when_nothing_shows_it() -> None:
    moments = [
        (0.0, 1),
        (1, 1),
        (2, 1),
        (3, 4),
        (4, 4),
        (301, 5),
        (302, 5),
        (303, 9),
        (700, 9),
        (3902, 9),
        (3903, 9),
        (3904, 10),
    ]
    said = told(*((float(at), [finding(flows=flows)]) for at, flows in moments))
    # Held 2 s; 300 s later it had grown by 4; the next growth (303 s) waits for 602 s at least; 3600 s after 303 s it is over.
    assert said == ["2 opened 1", "302 repeated 5", "700 repeated 9", "3903 closed 9", "3904 opened 1"]


def test_a_finding_that_no_longer_holds_is_closed_at_once() -> None:
    assert told((0.0, [finding()]), (5.0, [finding()]), (6.0, []), (7.0, [])) == ["5 opened 1", "6 closed 1"]


def test_what_vanishes_between_two_packets_of_a_handshake_is_never_told() -> None:
    assert told((0.0, [finding()]), (1.0, []), (2.0, [finding()]), (3.0, [])) == []


@pytest.mark.parametrize(
    ("one", "at"),
    [
        (finding(), 2),
        (finding(absence=True), 60),
        (finding("BX103 control without data"), 60),
        (finding("BX051 never seen", flows=0), DAY),
        (finding("BX705 ranges overlap", flows=0), 2),
    ],
    ids=lambda value: getattr(value, "key", None),
)
def test_absences_wait_for_the_stated_time(one: Finding, at: int) -> None:
    moments = [float(second) for second in (0, 1, 2, 59, 60, 61, DAY - 1, DAY)]
    # Nothing is closed meanwhile: what was never seen has no flow that could stop.
    said = told(*((second, [one]) for second in moments), unseen=("BX051",), settings=Settings(close_after=10 * DAY))
    assert said == [f"{at} opened 1"]


def test_a_waived_finding_is_no_news() -> None:
    assert told((0.0, [finding(waived=True)]), (100.0, [finding(waived=True)])) == []


def test_no_more_news_at_a_time_than_stated_and_all_of_it_in_the_end() -> None:
    few, _, _ = watched("rogue", settings=replace(QUICK, most=2))
    many, _, _ = watched("rogue")
    assert sorted(few.keys("session-opened")) == sorted(many.keys("session-opened"))
    # What stood for a while and was closed again depends on when audits happened to look; what is open in the end does not.
    still = [set(one.keys("finding-opened")) - set(one.keys("finding-closed")) for one in (few, many)]
    assert still[0] == still[1]
    assert len(still[0]) > 2


# --- lines ------------------------------------------------------------------------------------------------------------


def test_every_line_of_json_is_of_the_schema_and_every_line_carries_its_number() -> None:
    schema = json.loads(schema_text("watch"))
    assert set(schema["properties"]["kind"]["enum"]) == set(KINDS)
    validator = jsonschema.Draft202012Validator(schema)
    heard, _, _ = watched("rogue")
    for one in heard.news:
        line = json_line_of(one)
        assert not list(validator.iter_errors(json.loads(line)))
        assert (number_of(line), number_of(line_of(one))) == (one.number, one.number)


def test_hostile_text_stays_on_its_line() -> None:
    hostile = "a\n2026-11-22T15:42:15.123Z #99 \x1b[31m\u202e\udcff" + "x" * 5000
    one = News("job-ended", hostile, hostile, "2026-11-22T15:42:15.123456789Z", facts={"name": hostile}, number=3)
    for line in (line_of(one), line_of(one, plain=True), json_line_of(one)):
        assert line.count(b"\n") == 1
        assert b"\x1b" not in line
        assert "\u202e".encode() not in line
        assert number_of(line) == 3
    assert len(line_of(one)) < 1200


# --- options ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("1.5s", 1.5), ("5m", 300), ("5 min", 300), ("2h", 7200), ("1d", DAY), ("1W", 7 * DAY)],
)
def test_spans(text: str, seconds: float) -> None:
    assert seconds_of(text, "--x") == seconds


@pytest.mark.parametrize("text", ["", "0", "-1s", "1y", "s", "1e9", "nan", "9" * 400])
def test_spans_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="--x"):
        seconds_of(text, "--x")


def test_sizes() -> None:
    assert [bytes_of(text, "--x") for text in ("1000", "64K", "100MiB", "2g")] == [1000, 65536, 104857600, 2147483648]
    with pytest.raises(UsageError, match="--x"):
        bytes_of("0", "--x")


def test_reports_of_a_schedule_have_the_date_in_their_names() -> None:
    from datetime import UTC, datetime

    noon = datetime(2026, 11, 22, 12, 0, 5, tzinfo=UTC)
    assert dated("a/site.html", DAY, noon) == "a/site-2026-11-22.html"
    assert dated("site.csv.zip", 3600, noon) == "site-2026-11-22T120005Z.csv.zip"
    assert dated("json=out", DAY, noon) == "json=out-2026-11-22"


def test_any_loss_makes_the_verdict_inconclusive_where_only_absences_were_found() -> None:
    capture = CAPTURES / "blocked" / "blocked.pcap"
    report = audit([capture], policy_path=CAPTURES / "blocked" / "policy.yaml", options=AuditOptions(lost=1))
    assert {one.inconclusive != "" for one in report.findings if one.absence} == {True}
    assert report.verdict is ReportVerdict.VIOLATIONS
