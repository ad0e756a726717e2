"""Which connection an announcement means when its port is used again, or when packets were recorded out of order."""

from __future__ import annotations

from auditor.sessions import Grade
from tests.helpers.talk import Talk
from tests.test_sessions import CONNECT, LISTEN, code, find, table_of

HALTED, STOP = 0x501, 0x407
TWO_CONTROLS = (
    "10.0.1.5:40000 > 10.0.2.9:10000 tcp SF app=ndmp at=0 for=20",
    "10.0.1.5:40001 > 10.0.2.9:10000 tcp SF app=ndmp at=0 for=20",
)


def ties(lines: tuple[str, ...], *said: tuple[int, int, float]) -> list[list[tuple[int, Grade]]]:
    """Return row and grade of the ties of each control connection. ``said``: control connection, code, second."""
    table = table_of(*lines)
    talk = Talk()
    for control in sorted({one for one, _, _ in said}):
        talk.stream(control)
    for control, message, at in said:
        if message in (LISTEN, CONNECT):
            talk.say(control, message, reply=message == LISTEN, at=at, address=(code(table, "10.0.2.9"), 50105))
        else:
            talk.say(control, message, reply=message == STOP, at=at)
    found = find(table, talk).sessions
    return [[(link.flow, link.grade) for link in session.data] for session in found]


def test_a_syn_recorded_before_its_announcement_is_not_taken_for_the_next_use_of_the_port() -> None:
    lines = (
        *TWO_CONTROLS,
        "10.0.1.5:40011 > 10.0.2.9:50105 tcp SF at=0.9999 for=0.1",
        "10.0.1.5:40012 > 10.0.2.9:50105 tcp SF at=1.2405 for=0.1",
    )
    assert ties(lines, (0, LISTEN, 1.0), (1, LISTEN, 1.24)) == [[(2, Grade.PROVED)], [(3, Grade.PROVED)]]


def test_both_syns_recorded_before_their_announcements() -> None:
    lines = (
        *TWO_CONTROLS,
        "10.0.1.5:40011 > 10.0.2.9:50105 tcp SF at=0.9999 for=0.1",
        "10.0.1.5:40012 > 10.0.2.9:50105 tcp SF at=1.2399 for=0.1",
    )
    assert ties(lines, (0, LISTEN, 1.0), (1, LISTEN, 1.24)) == [[(2, Grade.PROVED)], [(3, Grade.PROVED)]]


def test_a_connection_that_had_ended_before_the_announcement_is_an_earlier_use_of_the_port() -> None:
    """Its own announcement was lost, and what is announced now comes to nothing: half a second lies between."""
    lines = (*TWO_CONTROLS, "10.0.1.5:40012 > 10.0.2.9:50105 tcp SF at=7.5 for=0.3")
    assert ties(lines, (0, LISTEN, 8.0))[0] == []
    still_open = (*TWO_CONTROLS, "10.0.1.5:40012 > 10.0.2.9:50105 tcp SF at=7.9999 for=0.3")
    assert ties(still_open, (0, LISTEN, 8.0))[0] == [(2, Grade.PROVED)]


def test_an_announcement_whose_connection_is_missing_leaves_that_of_the_next_alone() -> None:
    lines = (*TWO_CONTROLS, "10.0.1.5:40012 > 10.0.2.9:50105 tcp SF at=8.001 for=0.1")
    assert ties(lines, (0, LISTEN, 1.0), (1, LISTEN, 8.0)) == [[], [(2, Grade.PROVED)]]


def test_of_two_announcements_as_near_to_one_connection_none_is_proved() -> None:
    lines = (*TWO_CONTROLS, "10.0.1.5:40012 > 10.0.2.9:50105 tcp SF at=1.02 for=0.1")
    (first, second) = ties(lines, (0, LISTEN, 1.0), (1, LISTEN, 1.01))
    assert (first, second) == ([], [(2, Grade.PROBABLE)])


def test_what_halted_stopped_or_was_announced_anew_is_void() -> None:
    unread = "10.0.1.5:40001 > 10.0.2.9:10000 tcp SF app=tls at=0 for=20"
    lines = (TWO_CONTROLS[0], unread, "10.0.1.5:40012 > 10.0.2.9:50105 tcp SF at=9 for=0.1")
    assert ties(lines, (0, LISTEN, 1.0))[0] == [(2, Grade.PROVED)]
    for end in (HALTED, STOP):
        told = ties(lines, (0, LISTEN, 1.0), (0, end, 5.0))[0]
        assert told == [], f"{end:#x}"


def test_the_two_announcements_of_a_three_way_transfer_share_their_connection() -> None:
    lines = (
        "10.0.1.5:40000 > 10.0.3.1:10000 tcp SF app=ndmp at=0 for=9",
        "10.0.1.5:40001 > 10.0.2.9:10000 tcp SF app=ndmp at=0 for=9",
        "10.0.3.1:50001 > 10.0.2.9:50105 tcp SF at=1 for=2",
        "10.0.3.1:50001 > 10.0.2.9:50105 tcp SF at=6 for=2",
    )
    once = [[(2, Grade.PROVED)], [(2, Grade.PROVED)]]
    assert ties(lines, (1, LISTEN, 0.8), (0, CONNECT, 0.9)) == once


def test_a_foreign_session_that_names_anothers_connection_gets_no_part_in_it() -> None:
    """In either role, and whoever of the two ends speaks of it first; the data connection's own session keeps it."""
    lines = (
        "10.0.1.5:40000 > 10.0.2.9:10000 tcp SF app=ndmp at=0 for=20",
        "203.0.113.7:40001 > 10.0.2.8:10000 tcp SF app=ndmp at=0 for=20",
        "10.0.1.5:40011 > 10.0.2.9:50105 tcp SF at=2 for=1",
    )
    for message in (LISTEN, CONNECT):
        for at in (1.0, 1.9999, 2.5):
            assert ties(lines, (0, LISTEN, 1.99), (1, message, at)) == [[(2, Grade.PROVED)], []], (message, at)


def test_nor_where_the_client_listens() -> None:
    table = table_of(
        "10.0.1.5:40000 > 10.0.2.9:10000 tcp SF app=ndmp at=0 for=20",
        "203.0.113.7:40001 > 10.0.2.8:10000 tcp SF app=ndmp at=0 for=20",
        "10.0.2.9:50105 > 10.0.1.5:50223 tcp SF at=2 for=1",
    )
    for foreign in (LISTEN, CONNECT):
        talk = Talk()
        talk.stream(0)
        talk.stream(1)
        listener = (code(table, "10.0.1.5"), 50223)
        talk.say(1, foreign, reply=foreign == LISTEN, at=1.95, address=listener)
        talk.say(0, CONNECT, at=1.9, address=listener)
        found = find(table, talk).sessions
        assert [[(link.flow, link.grade) for link in s.data] for s in found] == [[(2, Grade.PROVED)], []]


def test_another_address_of_the_server_is_proved_all_the_same() -> None:
    table = table_of(
        "10.0.1.5:40000 > 10.0.3.1:10000 tcp SF app=ndmp at=0 for=20",
        "10.0.1.5:40011 > 10.0.3.77:18600 tcp SF at=2 for=1",
        "10.0.3.78:18601 > 10.0.1.5:50223 tcp SF at=4 for=1",
    )
    talk = Talk()
    talk.stream(0)
    talk.say(0, LISTEN, reply=True, at=1.9, address=(code(table, "10.0.3.77"), 18600))
    talk.say(0, CONNECT, at=3.9, address=(code(table, "10.0.1.5"), 50223))
    (session,) = find(table, talk).sessions
    assert [(link.flow, link.grade) for link in session.data] == [(1, Grade.PROVED), (2, Grade.PROVED)]
