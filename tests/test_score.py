"""The blind scorer: scenes by hand, and captures whose decoder tells the truth that the scorer is not shown."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from auditor.flows import FlowTable
from auditor.notation import parse
from auditor.pipeline.auditing import rehearse
from auditor.sessions import DataLink, Grade, SessionSet, find_sessions
from auditor.sessions.doubt import NO_BETTER
from auditor.sessions.evidence import WEIGHTS
from auditor.sessions.infer import Candidates
from auditor.sessions.score import Rehearsal, assign
from auditor.sessions.timing import Beats, Turn
from tests.helpers.talk import Talk
from tests.support import Case, committed_cases, run_auditor, shared_cases
from tests.wire import Wire

CASES = committed_cases() + shared_cases()
BULK = "bytes=0/200000"


def sessions(*lines: str) -> SessionSet:
    table = parse("\n".join(lines)).table
    ports = np.full(len(table.addresses), 10000, np.uint16)
    return find_sessions(table, Talk().done(), control_ports=ports, service_ports=np.array([6101], np.uint16))


def links(*lines: str) -> list[list[DataLink]]:
    return [list(session.data) for session in sessions(*lines).sessions]


def tls(port: int, at: float, lasts: float) -> str:
    return f"10.0.1.5:{port} > 10.0.2.9:10000 tcp SF app=tls at={at} for={lasts}"


def test_bulk_one_way_inside_the_session_is_clear_and_yet_only_possible() -> None:
    ((link,),) = links(tls(40000, 0, 9), f"10.0.1.5:40001 > 10.0.2.9:50105 tcp SF at=1 for=6 {BULK}")
    # pair 2, soon, nearest, within, afterwards, one-way, bulk: 1 each.
    assert (link.grade, link.score, link.margin) == (Grade.POSSIBLE, 8, 8)
    assert link.because[0].startswith("the control connection is inside TLS; score 8, margin 8: same two hosts")


def test_of_two_that_could_be_it_neither_is_tied() -> None:
    found = sessions(
        tls(40000, 0, 9),
        f"10.0.1.5:40001 > 10.0.2.9:50105 tcp SF at=1 for=6 {BULK}",
        f"10.0.1.5:40002 > 10.0.2.9:50106 tcp SF at=1 for=6 {BULK}",
    )
    assert [session.data for session in found.sessions] == [()]
    assert [(one.controls, one.reason) for one in found.undecided] == [((0,), NO_BETTER)]


def test_several_in_sequence_belong_to_one_session() -> None:
    (found,) = links(
        tls(40000, 0, 9),
        f"10.0.1.5:40001 > 10.0.2.9:50105 tcp SF at=1 for=2 {BULK}",
        f"10.0.1.5:40002 > 10.0.2.9:50106 tcp SF at=4 for=2 {BULK}",
    )
    assert [link.flow for link in found] == [1, 2]


def test_each_connection_is_given_once() -> None:
    found = links(
        tls(40000, 0, 9),
        tls(40010, 3, 9),
        f"10.0.1.5:40001 > 10.0.2.9:50105 tcp SF at=1 for=7 {BULK}",
        f"10.0.1.5:40002 > 10.0.2.9:50106 tcp SF at=4 for=7 {BULK}",
    )
    assert [[link.flow for link in session] for session in found] == [[2], [3]]


@pytest.mark.parametrize(
    "line",
    [
        "10.0.1.6:40001 > 10.0.2.9:50105 tcp SF at=1 for=2 bytes=0/200000",
        "10.0.1.5:40001 > 10.0.2.9:6101 tcp SF at=1 for=2 bytes=0/200000",
        "10.0.1.5:40001 > 10.0.2.9:50105 tcp SF at=20 for=2 bytes=0/200000",
        "10.0.1.5:40001 > 10.0.2.9:50105 tcp S0 at=1",
        "10.0.1.5:40001 > 10.0.2.9:50105 tcp SF app=http at=1 for=2 bytes=0/200000",
    ],
    ids=["other host", "known service", "after the session", "never answered", "another protocol"],
)
def test_what_is_no_candidate(line: str) -> None:
    assert links(tls(40000, 0, 9), line) == [[]]


def test_an_empty_connection_is_hardly_possible() -> None:
    ((link,),) = links(tls(40000, 0, 9), "10.0.1.5:40001 > 10.0.2.9:50105 tcp SF at=1 for=6 bytes=0/0")
    assert link.grade is Grade.POSSIBLE
    assert link.score == 3


def test_equal_times_to_the_close_tell_concurrent_jobs_apart() -> None:
    """Data connections open out of order; each control connection closes one second after its own."""
    data = [(1.05, 5.31), (1.02, 7.77), (1.03, 3.13), (1.01, 6.49)]
    lines = [tls(41000 + n, 1 + n / 1000, end + 1 - (1 + n / 1000)) for n, (_, end) in enumerate(data)]
    lines += [
        f"10.0.1.5:{42000 + n} > 10.0.2.9:{50100 + n} tcp SF at={at} for={round(end - at, 3)} {BULK}"
        for n, (at, end) in enumerate(data)
    ]
    found = links(*lines)
    assert [[link.flow for link in session] for session in found] == [[4], [5], [6], [7]]


def test_every_weight_has_its_reason() -> None:
    assert all(weight and reason for weight, reason in WEIGHTS.values())


def test_nothing_at_all() -> None:
    table = FlowTable.from_columns({}, np.zeros((0, 16), np.uint8))
    nothing = np.zeros(0, np.bool_)
    assert assign(table, Candidates(table, nothing, np.zeros(0, np.uint16)), [], nothing) == []
    assert (Rehearsal().precision, Rehearsal().recall) == (None, None)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_on_real_captures_what_is_clear_is_right(case: Case) -> None:
    result = rehearse(case.capture)
    assert result.clear_right == result.clear
    assert result.right == result.given
    assert result.right + result.withheld == result.proved
    if case.name != "shared/j_many_jobs.pcap":
        assert result.withheld == 0


def test_the_command_sums_up() -> None:
    captures = [case.capture for case in committed_cases() if case.name in ("compliant", "rogue")]
    done = run_auditor("sessions", "--score", *captures)
    assert (done.code, done.err) == (0, "")
    # Of the truths: four and one data connections.
    assert done.out.splitlines()[-1].split()[:5] == ["all", "13", "5", "5", "5"]


@pytest.mark.parametrize("case", [c for c in CASES if c.name in ("starttls", "tunnels")], ids=lambda case: case.name)
def test_inside_tls_the_ties_are_those_of_the_sockets(case: Case) -> None:
    """No decoder tells the truth here: what both ends' sockets saw does."""
    from auditor import audit

    found = {
        ((s.control.originator, s.control.responder), (link.originator, link.responder), link.grade)
        for s in audit([case.capture], policy_path=case.policy).sessions
        for link in s.data
    }
    assert found == {(link.control, link.endpoints, "probable") for link in Wire(case.truth).links}


def test_turns_of_a_control_connection_by_hand() -> None:
    """Client asks at 1000 ms, the server answers at 1010; the client asks at 2000, the server answers at 2300."""
    milliseconds = np.array([1000, 1010, 2000, 2300, 2900], np.int64) * 1_000_000
    beats = Beats(milliseconds, np.array([False, True, False, True, True]))
    ms = 1_000_000
    assert beats.opening(1011 * ms, by_server=False) == Turn("answered", 1 * ms)
    assert beats.opening(1011 * ms, by_server=True).kind == ""
    assert beats.opening(1300 * ms, by_server=False).kind == ""
    assert beats.opening(2290 * ms, by_server=True) == Turn("pending", 10 * ms)
    assert beats.opening(2290 * ms, by_server=False).kind == ""
    assert beats.opening(999 * ms, by_server=False).kind == ""
    # Only the last segment of the server was not asked for.
    assert beats.notice_after(2895 * ms) == 5 * ms
    assert beats.notice_after(1000 * ms) is None
    assert beats.notice_after(2950 * ms) is None


def test_three_way_needs_both_sides() -> None:
    """One client controls two hosts, and they open a connection as one waits for an answer and the other had answered."""
    lines = [
        "10.0.1.5:40000 > 10.0.3.1:10000 tcp SF app=tls at=0 for=9",
        "10.0.1.5:40001 > 10.0.3.2:10000 tcp SF app=tls at=0 for=9",
        f"10.0.3.1:50001 > 10.0.3.2:18600 tcp SF at=1 for=6 {BULK}",
    ]
    table = parse("\n".join(lines)).table
    spoken = {0: ([0.9, 1.1], [False, True]), 1: ([0.5, 0.8], [False, True])}

    def beats(control: int) -> Beats:
        times, senders = spoken[control]
        return Beats((np.array(times) * 1e9).astype(np.int64), np.array(senders))

    nothing = np.zeros(len(table), np.bool_)
    candidates = Candidates(table, np.array([True, True, False]), np.zeros(0, np.uint16))
    found = assign(table, candidates, [0, 1], nothing, beats=beats)
    assert [(one.control, one.flow) for one in found] == [(0, 2), (1, 2)]
    spoken[1] = ([0.2, 0.3], [False, True])
    assert assign(table, candidates, [0, 1], nothing, beats=beats) == []


def test_ties_are_held_against_the_truth_beside_a_capture(tmp_path: Path) -> None:
    cases = [case for case in committed_cases() if case.name in ("starttls", "tunnels", "three-way")]
    done = run_auditor("sessions", "--truth", *(case.capture for case in cases))
    assert (done.code, done.err) == (0, "")
    links = [len(Wire(case.truth).links) for case in cases]
    rows = [line.split() for line in done.out.splitlines()[1:]]
    assert [row[2:] for row in rows] == [[str(n), str(n), str(n), "1.00", "1.00", "0"] for n in [*links, sum(links)]]
    # Two owners exchanged: two of eight are wrong.
    truth = json.loads((cases[0].capture.parent / "truth.json").read_text())
    first, second = truth["data_connections"][:2]
    first["control_sessions"], second["control_sessions"] = second["control_sessions"], first["control_sessions"]
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    copy = tmp_path / "copy.pcap"
    copy.write_bytes(cases[0].capture.read_bytes())
    rated = run_auditor("sessions", "--truth", copy).out.splitlines()[-1].split()
    assert rated == ["all", "8", "8", "8", "6", "0.75", "0.75", "0"]


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"control_sessions": 3}'])
def test_a_capture_without_a_truth_is_not_rated(text: str | None, tmp_path: Path) -> None:
    capture = tmp_path / "copy.pcap"
    capture.write_bytes(b"")
    if text is not None:
        (tmp_path / "truth.json").write_text(text)
    done = run_auditor("sessions", "--truth", capture)
    assert done.code == 2
    assert "truth.json" in done.err
    assert "help: " in done.err
