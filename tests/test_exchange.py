"""How a control connection went as a conversation: counted by hand, by the data agent's log, and by tshark."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter, defaultdict

import pytest

import auditor
from auditor.model import CountedName, ExchangeSummary, JobSummary, RefusalSummary
from auditor.report.exchange_lines import exchange_lines, trouble
from auditor.sessions.exchange import NOTHING_SAID, Exchange, read_exchange
from tests.helpers.talk import Talk
from tests.report_samples import session
from tests.support import Case, committed_cases
from tests.wire import Wire, ends_of

READ = [case for case in committed_cases() if any(control.messages for control in Wire(case.truth).controls)]
LISTEN, OPEN, CLOSE, STATE = 0x409, 0x900, 0x902, 0x400
LOG_FILE, LOG_MESSAGE, FH_FILE, PAUSED = 0x602, 0x603, 0x703, 0x504


def summaries(case: Case) -> dict[tuple[str, str], ExchangeSummary | None]:
    report = auditor.audit([str(case.capture)]).report
    return {(one.control.originator, one.control.responder): one.exchange for one in report.sessions}


@pytest.mark.parametrize("case", READ, ids=lambda case: case.name)
def test_as_many_of_each_message_as_the_data_agent_logged(case: Case) -> None:
    found = summaries(case)
    for truth in case.truth["control_sessions"]:
        legible = next((one for one in Wire(case.truth).controls if one.endpoints == ends_of(truth)), None)
        if legible is None or not legible.legible or not truth["messages"]:
            continue
        said = found[ends_of(truth)]
        assert said is not None
        logged: Counter[str] = Counter()
        for (who, name, _), count in legible.messages.items():
            logged[name] += count if who.endswith("request") else 0
        ours = Counter({one.name: one.count for one in said.messages})
        ours["NOTIFY_CONNECTION_STATUS"] += ours.pop("NOTIFY_CONNECTED", 0)
        # ndmjob's log calls 0x102 by one name in all versions.
        assert ours == logged
        assert said.answered == sum(count for (who, _, _), count in legible.messages.items() if who.endswith("reply"))
        assert said.unanswered == 0


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_the_slowest_reply_is_that_of_tshark() -> None:
    """tshark pairs requests and replies by its own means (``ndmp.time``), here in microseconds."""
    (case,) = (case for case in READ if case.name == "compliant")
    columns = ("tcp.stream", "tcp.srcport", "tcp.dstport", "ndmp.time")
    words = [word for column in columns for word in ("-e", column)]
    command = ["tshark", "-r", str(case.capture), "-Y", "ndmp.time", "-T", "fields", *words]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100).stdout
    slowest: dict[str, float] = defaultdict(float)
    for line in shown.splitlines():
        _, _, client, times = line.split("\t")
        slowest[client] = max([slowest[client], *map(float, times.split(","))])
    assert len(slowest) > 1
    for (client, _), said in summaries(case).items():
        assert said is not None
        assert said.reply_slowest_us == pytest.approx(slowest[client.rpartition(":")[2]] * 1e6, abs=1.01)


def talk() -> Talk:
    said = Talk()
    said.say(0, OPEN, at=0, sequence=1)
    said.say(0, OPEN, reply=True, at=0.25, answers=1)
    said.say(0, LISTEN, at=1, sequence=2)
    said.say(0, LISTEN, reply=True, at=1.5, answers=2, error=1)
    said.say(0, LISTEN, at=2, sequence=3)
    said.say(0, LISTEN, reply=True, at=4, answers=3, error=1)
    said.say(0, STATE, at=5, sequence=4)
    return said


def test_pairs_refusals_and_what_has_no_answer() -> None:
    said = read_exchange(talk().done(), 0, whole=True)
    assert said.answered == 3
    assert said.unanswered == (("DATA_GET_STATE", 7),)
    (refused,) = said.refusals
    assert (refused.message, refused.error, refused.count, refused.packet) == ("DATA_LISTEN", "NOT_SUPPORTED", 2, 4)
    assert said.median == 500_000_000
    assert said.slowest is not None
    assert (said.slowest.message, said.slowest.took, said.slowest.packet) == ("DATA_LISTEN", 2_000_000_000, 6)
    assert (said.silence, said.silence_packet) == (2_000_000_000, 6)
    assert not said.closed


def test_where_bytes_are_missing_no_request_is_called_unanswered() -> None:
    said = read_exchange(talk().done(), 0, whole=False)
    assert (said.waiting, said.unanswered) == (0, ())


def test_a_sequence_number_used_again_is_answered_as_often_as_it_was_answered() -> None:
    """Scanners repeat 5: two requests and one reply leave one unanswered."""
    said = Talk()
    for at in (0.0, 1.0):
        said.say(0, STATE, at=at, sequence=5)
    said.say(0, STATE, reply=True, at=1.5, answers=5)
    assert read_exchange(said.done(), 0, whole=True).waiting == 1


def test_logs_files_history_and_pauses_are_counted() -> None:
    said = Talk()
    for kind in (0, 2, 2, 3):
        said.say(0, LOG_MESSAGE, log_type=kind, entry="secret path")
    for status in (0, 0, 2, 2, 1):
        said.say(0, LOG_FILE, version=4, recovery_status=status, name="/secret")
    for count in (10, 7):
        said.say(0, FH_FILE, fh_count=count)
    said.say(0, PAUSED, reason=1)
    said.say(0, 0xA08, record_size=65536, sequence=9)
    said.say(0, 0xA05, offset=0, length=1 << 20, sequence=10)
    said.say(0, CLOSE, sequence=11)
    found = read_exchange(said.done(), 0, whole=True)
    assert found.logs == (("error", 2), ("normal", 1), ("warning", 1))
    assert (found.files, found.lost) == (5, (("permission", 1), ("not found", 2)))
    assert (found.history, found.pauses) == (17, (("end of medium", 1),))
    assert (found.record_size, found.window, found.closed) == (65536, (0, 1 << 20), True)
    assert [name for name, _ in found.unanswered] == ["MOVER_SET_WINDOW", "MOVER_SET_RECORD_SIZE"][::-1]
    assert "secret" not in repr(found)


def test_nothing_is_counted_where_not_all_messages_were_kept() -> None:
    """A watch under pressure drops messages; the stream's own row says how many there were."""
    said = talk()
    said.stream(0)
    said.streams[0]["messages"] = 7
    assert read_exchange(said.done(), 0, whole=True).answered == 3
    said.streams[0]["messages"] = 8
    assert read_exchange(said.done(), 0, whole=True) == NOTHING_SAID


def test_nothing_said() -> None:
    assert read_exchange(Talk().done(), 0, whole=True) == NOTHING_SAID == Exchange()


def test_only_trouble_is_shown_beside_the_story() -> None:
    calm = ExchangeSummary(messages=(CountedName("CONNECT_OPEN", 1),), answered=1, logs=(CountedName("normal", 3),))
    assert trouble(session(exchange=calm)) == ""
    bad = ExchangeSummary(
        unanswered=2,
        unanswered_first=("DATA_LISTEN (packet 12)", "DATA_STOP (packet 14)"),
        files_reported=9,
        files_lost=(CountedName("not found", 2),),
        logs=(CountedName("error", 1), CountedName("warning", 2)),
        reply_slowest_us=6_000_000,
        reply_slowest_at="DATA_LISTEN (packet 13)",
    )
    assert trouble(session(exchange=bad)) == (
        "2 of 9 files not restored (not found ×2); the server logged 1 error and 2 warnings; "
        "no answer to DATA_LISTEN (packet 12) and 1 more; slowest reply after 6 s: DATA_LISTEN (packet 13)"
    )


def test_a_refusal_after_a_good_end_is_no_trouble() -> None:
    refused = ExchangeSummary(errors=(RefusalSummary("DATA_GET_ENV", "ILLEGAL_STATE", 2, 90),))
    shown = "DATA_GET_ENV was answered ILLEGAL_STATE (packet 90, 2 times)"
    for outcome, end, told in (
        ("complete", 80, ""),
        ("complete", 95, shown),
        ("failed", 80, shown),
        ("failed", 90, ""),
    ):
        job = JobSummary("backup", outcome, end_packet=end)
        assert trouble(session(exchange=refused, jobs=(job,))) == told
        assert shown in list(exchange_lines(session(exchange=refused)))
    login = ExchangeSummary(errors=(RefusalSummary("CONNECT_CLIENT_AUTH", "NOT_AUTHORIZED", 1, 9),))
    assert trouble(session(exchange=login)) == ""


def test_what_a_start_asked_for() -> None:
    job = JobSummary("backup", "complete", backup_type="dump", level="0")
    incremental = JobSummary("backup", "complete", backup_type="dump", level="3")
    shown = list(exchange_lines(session(jobs=(job, incremental))))
    assert shown[0].startswith("2026-11-22 15:42:15")
    assert shown[1:] == ["operation 1: dump, full", "operation 2: dump, level 3"]
