"""Operations of a session: what the captures' truths tell of them, and streams made by hand for every kind of end."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from auditor.flows import FlowTable
from auditor.model import SessionSummary
from auditor.notation import parse
from auditor.policy.model import Policy
from auditor.session_summary import summarise_sessions
from auditor.sessions import SessionSet, find_sessions
from auditor.sessions.load import host_loads
from auditor.sessions.measure import Measured, capture_end, measure_jobs, measure_sessions, peaks
from tests.helpers.talk import Talk
from tests.support import Case, committed_cases, run_auditor, shared_cases
from tests.wire import Wire

LISTEN, CONNECT, START, RECOVER, STATE, ABORT = 0x409, 0x40A, 0x401, 0x402, 0x400, 0x403
MOVER_LISTEN, MOVER_STATE, DATA_HALTED, MOVER_HALTED, ENVIRONMENT = 0xA01, 0xA00, 0x501, 0x503, 0xF270
CONTROL = "10.0.1.5:40000 > 10.0.2.9:10000 tcp SF app=ndmp at=0 for=30"
CASES = [case for case in committed_cases() + shared_cases() if case.truth.get("jobs")]
Json = dict[str, Any]


def found_in(table: FlowTable, talk: Talk) -> SessionSet:
    ports = np.full(len(table.addresses), 10000, np.uint16)
    return find_sessions(table, talk.done(), control_ports=ports, service_ports=np.zeros(0, np.uint16))


def measured(table: FlowTable, talk: Talk, *, end: float | None = None) -> tuple[Measured, ...]:
    (session,) = found_in(table, talk).sessions
    return measure_jobs(table, session, capture_end(table) if end is None else int(end * 1e9))


def summarised(table: FlowTable, talk: Talk) -> tuple[SessionSummary, ...]:
    found = found_in(table, talk)
    return summarise_sessions(table, found, measure_sessions(table, found.sessions), Policy(path=None))


def scene(*lines: str) -> tuple[FlowTable, Talk]:
    talk = Talk()
    talk.stream(0)
    return parse("\n".join(lines)).table, talk


def listen(talk: Talk, table: FlowTable, port: int, at: float) -> None:
    talk.say(0, LISTEN, at=at)
    talk.say(0, LISTEN, reply=True, at=at + 0.01, address=(int(table.address_codes("10.0.2.9")[0]), port))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_jobs_against_the_truth(case: Case) -> None:
    """The programs said what they ran, and the sockets how much went through."""
    wire = Wire(case.truth)
    ports = {connection["server_port"] for connection in case.truth["control_sessions"]}
    assert ports
    done = run_auditor("sessions", case.capture, "--format", "json")
    sessions = {tuple(s["control"][end] for end in ("originator", "responder")): s for s in _sessions(done.out)}
    operations = {job["name"]: job for job in case.truth["jobs"]}
    payloads = {d["job"]: d for d in case.truth["data_connections"] if d["on_wire"] and d.get("job")}
    checked = 0
    for control in case.truth["control_sessions"]:
        job = operations.get(control.get("job"))
        ends = (f"{control['client']}:{control['client_port']}", f"{control['server']}:{control['server_port']}")
        if job is None or ends not in sessions or job["op"] == "query":
            continue
        session = sessions[ends]
        if session["readable"] not in ("read", "mid-stream"):
            continue
        (told,) = session["jobs"]
        checked += 1
        if job["outcome"] != "complete":
            assert told["outcome"] not in ("complete", "running"), told
            continue
        assert (told["operation"], told["outcome"]) == (job["op"], "complete")
        data = payloads[job["name"]]
        total = data["client_payload_bytes"] + data["server_payload_bytes"]
        assert told["counted_bytes"] == total
        if session["readable"] == "read":
            way = "from_server_bytes" if job["op"] == "backup" else "to_server_bytes"
            assert (told[way], told["counts_agree"]) == (total, True)
    assert checked or not any(control.legible and control.version for control in wire.controls)


def _sessions(out: str) -> list[Json]:
    document: Json = json.loads(out)
    assert document["schema"] == "auditor.sessions/1"
    sessions: list[Json] = document["sessions"]
    return sessions


@pytest.mark.parametrize(
    ("code", "reason", "outcome"),
    # NDMP version 4 draft, 4.5.1: data halt reasons 1 to 4; the wording is ours.
    [
        (DATA_HALTED, 1, "complete"),
        (DATA_HALTED, 2, "aborted"),
        (DATA_HALTED, 3, "failed"),
        (DATA_HALTED, 4, "failed"),
        (DATA_HALTED, 0, "unknown"),
    ],
)
def test_halt_reasons_of_the_data_server(code: int, reason: int, outcome: str) -> None:
    table, talk = scene(CONTROL, "10.0.1.5:40001 > 10.0.2.9:50105 tcp SF at=1 for=2 bytes=0/1000")
    listen(talk, table, 50105, 0.9)
    talk.say(0, START, at=1.2)
    talk.say(0, code, at=3, reason=reason)
    (job,) = measured(table, talk)
    assert (job.job.operation, job.outcome) == ("backup", outcome)


def test_operations_one_after_another_on_one_control_connection() -> None:
    table, talk = scene(
        CONTROL,
        "10.0.1.5:40001 > 10.0.2.9:50105 tcp SF at=1 for=2 bytes=0/1000",
        "10.0.1.5:40002 > 10.0.2.9:50105 tcp SF at=11 for=2 bytes=500/0",
        "10.0.1.5:40003 > 10.0.2.9:50106 tcp SF at=21 for=1 bytes=0/70",
    )
    talk.say(0, ENVIRONMENT, at=0.5, env_be_job_name="Monday")
    for at, port, code, counted in ((0.9, 50105, START, 1000), (10.9, 50105, RECOVER, 500), (20.9, 50106, START, 71)):
        listen(talk, table, port, at)
        talk.say(0, code, at=at + 0.2, env_filesystem='"\\\\FILES01\\C:\\*.*",s,v0')
        talk.say(0, DATA_HALTED, at=at + 3, reason=1)
        talk.say(0, STATE, reply=True, at=at + 3.1, state=2, operation=1, halt_reason=1, bytes_processed=counted)
    jobs = measured(table, talk)
    assert [(job.job.operation, job.from_server, job.to_server) for job in jobs] == [
        ("backup", 1000, 0),
        ("restore", 0, 500),
        ("backup", 70, 0),
    ]
    assert [(job.counted, job.agrees) for job in jobs] == [(1000, True), (500, True), (71, False)]
    assert {(job.job.name, job.job.host) for job in jobs} == {("Monday", "FILES01")}
    # 1,000 bytes in two seconds.
    assert jobs[0].throughput == 500
    (summary,) = summarised(table, talk)
    assert summary.story.startswith("10.0.1.5 ran 2 backups and 1 restore on 10.0.2.9, one after another: 1.53 KiB in")


def test_a_start_that_was_refused() -> None:
    table, talk = scene(CONTROL)
    talk.say(0, START, at=1, sequence=7)
    talk.say(0, START, at=1.1, reply=True, answers=7, error=4)
    (job,) = measured(table, talk)
    assert (job.outcome, job.reason) == ("refused", "NOT_AUTHORIZED (packet 2)")


def test_a_connect_that_failed() -> None:
    """Error 23 is CONNECT_ERR: the data server could not open the connection."""
    table, talk = scene(CONTROL, "10.0.2.9:50104 > 10.0.1.5:50223 tcp S0 at=1")
    talk.say(0, CONNECT, at=0.9, address=(int(table.address_codes("10.0.1.5")[0]), 50223))
    talk.say(0, CONNECT, at=5, reply=True, error=23)
    (job,) = measured(table, talk)
    assert (job.outcome, job.reason.split()[0]) == ("failed", "CONNECT")


def test_an_abort_that_was_accepted_and_one_that_was_not() -> None:
    for error, outcome in ((0, "aborted"), (19, "unknown")):
        table, talk = scene(CONTROL, "10.0.1.5:40001 > 10.0.2.9:50105 tcp SF at=1 for=2")
        listen(talk, table, 50105, 0.9)
        talk.say(0, START, at=1.2)
        talk.say(0, ABORT, at=2)
        talk.say(0, ABORT, at=2.1, reply=True, error=error)
        assert measured(table, talk)[0].outcome == outcome


@pytest.mark.parametrize(
    ("control", "data", "outcome", "reason"),
    [
        ("RSTO", "SF", "reset", "the control connection was reset by 10.0.1.5"),
        ("RSTR", "SF", "reset", "the control connection was reset by 10.0.2.9"),
        ("S1", "RSTR", "reset", "a data connection was reset by 10.0.2.9"),
        ("S1", "S1", "silent", "neither end said anything more"),
        ("SF", "SF", "unknown", "the control connection was closed and no halt was read"),
    ],
)
def test_ends_that_only_the_connections_tell(control: str, data: str, outcome: str, reason: str) -> None:
    table, talk = scene(
        CONTROL.replace("SF", control), f"10.0.1.5:40001 > 10.0.2.9:50105 tcp {data} at=1 for=2 bytes=0/9"
    )
    listen(talk, table, 50105, 0.9)
    talk.say(0, START, at=1.2)
    (job,) = measured(table, talk, end=500)
    assert (job.outcome, job.reason) == (outcome, reason)


def test_still_running_when_the_capture_ends() -> None:
    table, talk = scene(CONTROL.replace("SF", "S1"), "10.0.1.5:40001 > 10.0.2.9:50105 tcp S1 at=1 for=29 bytes=0/9")
    listen(talk, table, 50105, 0.9)
    talk.say(0, START, at=1.2)
    talk.say(0, STATE, reply=True, at=20, state=1, operation=1, bytes_processed=4)
    (job,) = measured(table, talk)
    # What a running operation has counted is not final: no comparison.
    assert (job.outcome, job.counted, job.agrees) == ("running", 4, None)


def test_the_tape_side_of_a_three_way_backup() -> None:
    table, talk = scene(CONTROL, "10.0.3.1:50001 > 10.0.2.9:18600 tcp SF at=1 for=2 bytes=300/0")
    talk.say(0, MOVER_LISTEN, at=0.8, mode=0)
    talk.say(0, MOVER_LISTEN, reply=True, at=0.9, address=(int(table.address_codes("10.0.2.9")[0]), 18600))
    talk.say(0, MOVER_STATE, reply=True, at=2, state=2, bytes_moved=300)
    talk.say(0, MOVER_HALTED, at=3, reason=1)
    (job,) = measured(table, talk)
    assert (job.job.operation, job.job.mover, job.outcome) == ("backup", True, "complete")
    assert (job.to_server, job.from_server, job.counted) == (300, 0, 300)


def test_a_local_backup_is_one_operation() -> None:
    table, talk = scene(CONTROL)
    talk.say(0, MOVER_LISTEN, at=1, mode=0, addr_type=0)
    talk.say(0, MOVER_LISTEN, reply=True, at=1.1, addr_type=0)
    talk.say(0, CONNECT, at=1.2, addr_type=0)
    talk.say(0, CONNECT, reply=True, at=1.3)
    talk.say(0, START, at=1.4)
    talk.say(0, MOVER_HALTED, at=2, reason=1)
    talk.say(0, DATA_HALTED, at=2.1, reason=1)
    (job,) = measured(table, talk)
    assert (job.job.operation, job.job.mover, job.outcome, job.links) == ("backup", False, "complete", ())


def test_peaks_and_ports_per_operation() -> None:
    table = parse(
        "10.0.1.5:40000 > 10.0.2.9:10000 tcp SF app=ndmp at=0 for=9\n"
        "10.0.1.5:40010 > 10.0.2.9:10000 tcp SF app=ndmp at=0 for=9\n"
        "10.0.1.5:40001 > 10.0.2.9:50105 tcp SF at=1 for=4 bytes=0/9\n"
        "10.0.1.5:40002 > 10.0.2.9:50106 tcp SF at=2 for=4 bytes=0/9"
    ).table
    talk = Talk()
    for flow, port in ((0, 50105), (1, 50106)):
        talk.stream(flow)
        talk.say(flow, LISTEN, at=1 + flow - 0.1)
        talk.say(flow, LISTEN, reply=True, at=1 + flow - 0.05, address=(int(table.address_codes("10.0.2.9")[0]), port))
        talk.say(flow, START, at=1.2 + flow)
        talk.say(flow, DATA_HALTED, at=5.5 + flow, reason=1)
    sessions = found_in(table, talk).sessions
    loads = host_loads(table, sessions, measure_sessions(table, sessions))
    agent = loads[int(table.address_codes("10.0.2.9")[0])]
    assert (agent.operations, agent.peak, agent.ports) == (2, 2, 1)


def test_intervals_that_touch_do_not_overlap() -> None:
    assert peaks([]) == 0
    assert peaks([(0, 5), (5, 9), (9, 12)]) == 1
    assert peaks([(0, 5), (4, 9), (4, 4)]) == 3


def test_a_hostile_job_name_stays_on_one_line() -> None:
    from auditor.report.interface import RenderOptions
    from auditor.report.session_lines import render_sessions, sessions_json

    table, talk = scene(CONTROL)
    talk.say(0, START, at=1, env_jobname="a\x1b[2J\r\nVIOLATIONS: none\u202e")
    summaries = summarised(table, talk)
    shown = render_sessions(summaries, RenderOptions()).decode()
    assert "\x1b" not in shown
    assert not any(line.startswith("VIOLATIONS") for line in shown.splitlines())
    assert json.loads(sessions_json(summaries))["sessions"][0]["jobs"][0]["name"].startswith("a\x1b[2J")
