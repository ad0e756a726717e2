"""The audit against a truth that never looked at the packets: every capture, in number and identity.

The truths were written by the processes that made the traffic (addresses and byte counts as their sockets saw
them, NDMP messages from the NDMP program's own log). ``tests.wire`` says what a capture cannot show of its truth.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support import Case, committed_cases, policy_of, run_auditor, shared_cases
from tests.wire import Wire, blocked_code, endpoint, expected_findings, found_findings

CASES = committed_cases() + shared_cases()
Json = dict[str, Any]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.name)
def audited(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Wire, Json, int]:
    """Audit one capture with the command and return what the wire carried, the report and the exit code."""
    case: Case = request.param
    policy = case.policy
    if policy is None:
        policy = tmp_path_factory.mktemp("policy") / "policy.yaml"
        policy.write_text(policy_of(case.truth), encoding="utf-8")
    done = run_auditor("audit", case.capture, "--policy", policy, "--format", "json")
    assert done.out, done.err
    return Wire(case.truth), json.loads(done.out), done.code


def endpoints(connection: Json) -> tuple[str, str]:
    return connection["originator"], connection["responder"]


def test_the_whole_file_was_read(audited: tuple[Wire, Json, int]) -> None:
    wire, report, _ = audited
    (capture,) = report["captures"]
    assert capture["packets"] == wire.truth["packets"]


def test_control_connections(audited: tuple[Wire, Json, int]) -> None:
    wire, report, _ = audited
    found = Counter(endpoints(session["control"]) for session in report["sessions"])
    assert found == Counter(control.endpoints for control in wire.controls)


def test_versions_and_authentications(audited: tuple[Wire, Json, int]) -> None:
    wire, report, _ = audited
    sessions = {endpoints(session["control"]): session for session in report["sessions"]}
    for control in wire.controls:
        session = sessions[control.endpoints]
        attempts = [(attempt["type"], attempt["accepted"]) for attempt in session["authentication"]]
        assert session["tls"] is control.tls
        if control.legible:
            assert session["ndmp_version"] == control.version, control
            assert attempts == control.attempts, control
        else:
            # Less may be told than happened, nothing else.
            assert session["ndmp_version"] in {None, control.version}, control
            assert {attempt for attempt in attempts if attempt[1] is not None} <= set(control.attempts), control


def test_data_connections_and_their_control_connections(audited: tuple[Wire, Json, int]) -> None:
    wire, report, _ = audited
    found = Counter(
        (endpoints(session["control"]), wire.in_order(endpoints(link)))
        for session in report["sessions"]
        for link in session["data"]
    )
    assert found == Counter((link.control, link.endpoints) for link in wire.links)


def test_attempts_are_connects_that_failed(audited: tuple[Wire, Json, int]) -> None:
    wire, report, _ = audited
    tried = {endpoints(link) for session in report["sessions"] for link in session["attempts"]}
    assert tried <= wire.failed
    failed_data = [v for v in wire.truth["expected_violations"] if v.get("what") == "data connection"]
    assert len(tried) == len(failed_data)


def test_a_link_is_proved_where_it_can_be_and_nowhere_else(audited: tuple[Wire, Json, int]) -> None:
    wire, report, _ = audited
    links = [link for session in report["sessions"] for link in session["data"]]
    grades = {wire.in_order(endpoints(link)): link["grade"] for link in links}
    for link in wire.links:
        assert (grades[link.endpoints] == "proved") is link.provable, (link, grades[link.endpoints])


def test_every_link_says_why(audited: tuple[Wire, Json, int]) -> None:
    _, report, _ = audited
    assert all(link["because"] for session in report["sessions"] for link in session["data"])


def test_bytes_of_data_connections(audited: tuple[Wire, Json, int]) -> None:
    wire, report, _ = audited
    found = {endpoints(link): link for session in report["sessions"] for link in session["data"]}
    for link in wire.links:
        if link.whole:
            told = found[link.endpoints]
            carried = (told["originator_bytes"], told["responder_bytes"])
            if wire.lossy:  # the truth has what programs read and wrote, the wire also what was sent again
                assert all(link.payload[side] <= carried[side] <= 2 * link.payload[side] for side in (0, 1))
            else:
                assert carried == link.payload


def test_findings(audited: tuple[Wire, Json, int]) -> None:
    wire, report, _ = audited
    assert found_findings(report) == expected_findings(wire)


def test_every_finding_has_evidence_in_the_capture(audited: tuple[Wire, Json, int]) -> None:
    wire, report, _ = audited
    for finding in report["findings"]:
        numbers = [number for evidence in finding["evidence"] for number in evidence["packets"]]
        assert all(1 <= number <= wire.truth["packets"] for number in numbers)
        if finding["severity"] != "info":
            assert numbers


def test_verdict_and_exit_code(audited: tuple[Wire, Json, int]) -> None:
    wire, report, code = audited
    if wire.truth["expected_violations"]:
        assert (report["verdict"], code) == ("violations", 1)
    elif wire.supports_a_verdict:
        assert (report["verdict"], code) == ("conforms", 0)
    else:
        assert (report["verdict"], code) in {("conforms", 0), ("inconclusive", 3)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_ndmp_messages(case: Case) -> None:
    """Each message that the NDMP program logged was read: direction, name, sequence, and nothing else."""
    from auditor import _native

    wire = Wire(case.truth)
    reading = _native.read_flows([str(case.capture)], ndmp_ports=[case.truth["policy"]["ndmp_port"]])
    columns, messages = reading.flow_columns(), reading.ndmp_messages()
    found: dict[tuple[str, str], Counter[tuple[str, str, int]]] = {}
    for row, flow in enumerate(messages["flow"].tolist()):
        ends = tuple(
            endpoint(reading.address_text(columns[f"{end}_addr"][flow]), int(columns[f"{end}_port"][flow]))
            for end in ("orig", "resp")
        )
        who = "server" if messages["from_responder"][row] else "client"
        kind = "reply" if messages["reply"][row] else "request"
        name = _native.message_name(int(messages["message"][row]), int(messages["version"][row]))
        found.setdefault((ends[0], ends[1]), Counter())[
            f"{who} {kind}", name.removeprefix("NDMP_"), int(messages["sequence"][row])
        ] += 1
    for control in wire.controls:
        if control.legible:
            assert found.get(control.endpoints) == control.messages, control


def test_blocked_flows_have_a_code_each() -> None:
    assert blocked_code({"port": 10000}, ndmp_port=10000) == "BX101"
    assert blocked_code({"port": 50119, "what": "data connection"}, ndmp_port=10000) == "BX102"
    assert blocked_code({"port": 25}, ndmp_port=10000) == "BX104"


def test_paths_are_there() -> None:
    assert all(isinstance(case.capture, Path) and case.capture.is_file() for case in CASES)
