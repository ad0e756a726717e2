"""Sessions: which flows are control connections, and which data connections are tied to them, and how surely."""

from __future__ import annotations

import numpy as np
import pytest

from auditor.flows import FlowTable
from auditor.notation import parse
from auditor.sessions import Grade, Readable, SessionSet, find_sessions
from tests.helpers.talk import Talk

LISTEN, CONNECT, START, STATE, AUTH, OPEN = 0x409, 0x40A, 0x401, 0x400, 0x901, 0x900
MOVER_LISTEN = 0xA01
NOT_SUPPORTED, NOT_AUTHORIZED = 1, 4
CONTROL = "10.0.1.5:40000 > 10.0.2.9:10000 tcp SF app=ndmp at=0 for=9"


def table_of(*lines: str) -> FlowTable:
    return parse("\n".join(lines)).table


def find(table: FlowTable, talk: Talk, *, port: int = 10000, service_ports: tuple[int, ...] = (6101,)) -> SessionSet:
    return find_sessions(
        table,
        talk.done(),
        control_ports=np.full(len(table.addresses), port, np.uint16),
        service_ports=np.array(service_ports, np.uint16),
    )


def code(table: FlowTable, address: str) -> int:
    return int(table.address_codes(address)[0])


def test_a_listen_reply_proves_the_connection_to_it() -> None:
    table = table_of(
        CONTROL,
        "10.0.1.5:40001 > 10.0.2.9:50105 tcp SF at=1 for=2",
        "10.0.1.5:40002 > 10.0.2.9:50106 tcp SF at=1 for=2",
    )
    talk = Talk()
    talk.stream(0)
    talk.say(0, LISTEN, reply=True, at=0.9, address=(code(table, "10.0.2.9"), 50105))
    (session,) = find(table, talk).sessions
    assert [(link.flow, link.grade) for link in session.data] == [(1, Grade.PROVED)]
    assert "packet 1 names 10.0.2.9:50105" in session.data[0].because[0]


def test_a_connect_request_proves_the_connection_back() -> None:
    table = table_of(CONTROL, "10.0.2.9:50104 > 10.0.1.5:50223 tcp SF at=1 for=2")
    talk = Talk()
    talk.stream(0)
    talk.say(0, CONNECT, at=0.99, address=(code(table, "10.0.1.5"), 50223))
    (session,) = find(table, talk).sessions
    assert [(link.flow, link.grade) for link in session.data] == [(1, Grade.PROVED)]


def test_the_next_connection_is_taken_when_a_port_is_used_again() -> None:
    table = table_of(
        CONTROL,
        "10.0.1.5:40001 > 10.0.2.9:50105 tcp SF at=1 for=1",
        "10.0.1.5:40002 > 10.0.2.9:50105 tcp SF at=4 for=1",
    )
    talk = Talk()
    talk.stream(0)
    listener = (code(table, "10.0.2.9"), 50105)
    talk.say(0, LISTEN, reply=True, at=0.9, address=listener)
    talk.say(0, LISTEN, reply=True, at=3.5, address=listener)
    (session,) = find(table, talk).sessions
    assert sorted(link.flow for link in session.data) == [1, 2]


def test_a_translated_address_is_only_probable() -> None:
    table = table_of(CONTROL, "10.0.1.5:40001 > 10.0.2.9:50105 tcp SF at=1 for=2", "192.0.2.7:1 > 192.0.2.8:2 udp SF")
    talk = Talk()
    talk.stream(0)
    talk.say(0, LISTEN, reply=True, at=0.9, address=(code(table, "192.0.2.7"), 50105))
    (session,) = find(table, talk).sessions
    assert [(link.flow, link.grade) for link in session.data] == [(1, Grade.PROBABLE)]
    assert "translated" in session.data[0].because[0]


def test_an_announcement_that_was_refused_announces_nothing() -> None:
    table = table_of(CONTROL, "10.0.1.5:40001 > 10.0.2.9:50105 tcp SF at=1 for=2")
    talk = Talk()
    talk.stream(0)
    talk.say(0, LISTEN, reply=True, at=0.9, error=NOT_SUPPORTED, address=(code(table, "10.0.2.9"), 50105))
    (session,) = find(table, talk).sessions
    assert session.data == ()


def test_a_cut_announcement_gives_the_next_connection_as_probable() -> None:
    table = table_of(
        CONTROL,
        "10.0.1.5:40001 > 10.0.2.9:50105 tcp SF at=1 for=2",
        "10.0.1.5:40003 > 10.0.2.9:6101 tcp SF at=1 for=2",
    )
    talk = Talk()
    talk.stream(0)
    talk.say(0, LISTEN, reply=True, at=0.9, status="not-captured")
    (session,) = find(table, talk).sessions
    assert session.readable is Readable.CUT
    assert [(link.flow, link.grade) for link in session.data] == [(1, Grade.PROBABLE)]


def test_tls_leaves_host_pair_and_time() -> None:
    table = table_of(
        "10.0.1.5:40000 > 10.0.2.9:10000 tcp SF app=tls at=0 for=9",
        "10.0.1.5:40001 > 10.0.2.9:50105 tcp SF at=1 for=2",
        "10.0.1.5:40002 > 10.0.2.9:445 tcp SF at=1 for=2",
        "10.0.1.5:40003 > 10.0.2.9:50106 tcp SF at=20 for=2",
        "10.0.1.6:40004 > 10.0.2.9:50107 tcp SF at=1 for=2",
    )
    (session,) = find(table, Talk()).sessions
    assert session.tls
    assert [(link.flow, link.grade) for link in session.data] == [(1, Grade.POSSIBLE)]


def test_a_state_report_of_a_session_joined_midway_is_probable() -> None:
    table = table_of(
        "10.0.1.5:40000 > 10.0.2.9:10000 tcp OTH app=ndmp by=known-port at=4 for=5",
        "10.0.2.9:50115 > 10.0.1.5:45702 tcp OTH by=guess at=0 for=4.5",
    )
    talk = Talk()
    talk.stream(0, began=1)
    talk.say(0, STATE, reply=True, at=4.2, address=(code(table, "10.0.2.9"), 50115))
    (session,) = find(table, talk).sessions
    assert session.readable is Readable.MID_STREAM
    assert [(link.flow, link.grade) for link in session.data] == [(1, Grade.PROBABLE)]


def test_three_way_joins_both_sessions_to_one_data_connection() -> None:
    table = table_of(
        "10.0.1.5:40000 > 10.0.3.1:10000 tcp SF app=ndmp at=0 for=9",
        "10.0.1.5:40001 > 10.0.3.2:10000 tcp SF app=ndmp at=0 for=9",
        "10.0.3.1:50001 > 10.0.3.2:18600 tcp SF at=1 for=2",
    )
    talk = Talk()
    talk.stream(0)
    talk.stream(1)
    listener = (code(table, "10.0.3.2"), 18600)
    talk.say(1, MOVER_LISTEN, reply=True, at=0.8, address=listener)
    talk.say(0, CONNECT, at=0.9, address=listener)
    found = find(table, talk)
    assert [[(link.flow, link.grade) for link in s.data] for s in found.sessions] == [[(2, Grade.PROVED)]] * 2
    assert found.data.tolist() == [False, False, True]


def test_a_blocked_attempt_is_control_but_no_session() -> None:
    table = table_of("10.0.1.5:40000 > 10.0.2.9:10000 tcp S0 x6", "10.0.1.5:40001 > 10.0.2.8:10000 tcp REJ")
    found = find(table, Talk())
    assert found.control.all()
    assert found.sessions == ()


def test_another_protocol_on_the_control_port_is_no_session() -> None:
    found = find(table_of("10.0.1.5:40000 > 10.0.2.9:10000 tcp SF app=http"), Talk())
    assert found.control.all()
    assert found.sessions == ()


def test_ndmp_on_another_port_is_control_all_the_same() -> None:
    table = table_of("10.0.1.5:40000 > 10.0.2.9:9999 tcp SF app=ndmp", "10.0.1.5:40001 > 10.0.2.9:9998 tcp SF")
    talk = Talk()
    talk.stream(0)
    assert find(table, talk).control.tolist() == [True, False]


@pytest.mark.parametrize(("error", "accepted"), [(0, True), (NOT_AUTHORIZED, False)])
def test_logins_are_matched_with_their_answers(error: int, accepted: bool) -> None:
    table = table_of(CONTROL)
    talk = Talk()
    talk.stream(0)
    talk.say(0, OPEN, sequence=1, protocol_version=4)
    talk.say(0, OPEN, reply=True, answers=1)
    talk.say(0, AUTH, sequence=2, auth_type=2)
    talk.say(0, AUTH, reply=True, answers=2, error=error)
    (session,) = find(table, talk).sessions
    assert session.version == 4
    assert [(login.type, login.accepted) for login in session.authentications] == [("md5", accepted)]


def test_a_version_that_the_server_refused_is_not_in_force() -> None:
    table = table_of(CONTROL)
    talk = Talk()
    talk.stream(0)
    talk.say(0, OPEN, sequence=1, protocol_version=4)
    talk.say(0, OPEN, reply=True, answers=1, error=9)
    talk.say(0, OPEN, sequence=2, protocol_version=3)
    talk.say(0, OPEN, reply=True, answers=2)
    (session,) = find(table, talk).sessions
    assert session.version == 3


def test_a_local_transfer_needs_no_data_connection() -> None:
    table = table_of(CONTROL)
    talk = Talk()
    talk.stream(0)
    talk.say(0, LISTEN, reply=True, addr_type=0)
    talk.say(0, START)
    (session,) = find(table, talk).sessions
    assert session.local
    assert session.started


def test_a_started_transfer_without_connection_stays_empty() -> None:
    table = table_of(CONTROL, "10.0.1.5:40009 > 10.0.2.9:50105 tcp SF at=1")
    talk = Talk()
    talk.stream(0)
    talk.say(0, START, at=0.5)
    (session,) = find(table, talk).sessions
    assert session.started
    assert session.data == ()


def test_no_flows_no_sessions() -> None:
    table = FlowTable.from_columns({}, np.zeros((0, 16), np.uint8))
    assert find(table, Talk()).sessions == ()
