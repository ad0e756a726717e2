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
