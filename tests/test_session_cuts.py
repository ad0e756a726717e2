"""Captures that begin later or end earlier, at any packet: no false tie of any grade, and no grade that is higher than
the whole's. What the rest does not decide is told as that, with the true control connection among the candidates."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.model import SessionSummary
from tests.support import Case, audit_again, committed_cases
from tests.wire import Wire

CASES = [case for case in committed_cases() if case.capture.suffix == ".pcap" and case.truth["control_sessions"]]
RANKS = {"possible": 1, "probable": 2, "proved": 3}
SAMPLES = 9
"""Cuts of each kind and capture; docs/sessions.md tells of more."""

Ends = tuple[str, str]


def frames(data: bytes) -> tuple[bytes, list[bytes]]:
    """Return the header of a pcap file and its records (little or big endian, as the magic says)."""
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    records, at = [], 24
    while at < len(data):
        (size,) = struct.unpack_from(f"{order}I", data, at + 8)
        records.append(data[at : at + 16 + size])
        at += 16 + size
    return data[:24], records


def cuts(count: int) -> Iterator[slice]:
    """Return parts of a capture: its beginning, its end, and its middle."""
    for number in range(1, SAMPLES + 1):
        place = count * number * 7 // (SAMPLES * 7 + 3)
        yield slice(0, place)
        yield slice(place, count)
    yield slice(count // 3, 2 * count // 3)


def ties(sessions: tuple[SessionSummary, ...]) -> dict[tuple[Ends, frozenset[str]], int]:
    """Return the rank of each tie: control connection and the two ends of the data connection, in any order."""
    return {
        (_ordered(session), frozenset((link.originator, link.responder))): RANKS[link.grade]
        for session in sessions
        for link in session.data
    }


def _ordered(session: SessionSummary) -> Ends:
    return _sorted((session.control.originator, session.control.responder))


def _sorted(ends: Ends) -> Ends:
    low, high = sorted(ends)
    return low, high


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_cut_capture_ties_less_and_never_more(case: Case, tmp_path: Path) -> None:
    header, records = frames(case.capture.read_bytes())
    assert len(records) == case.truth["packets"]
    whole = ties(audit_again(case.capture, case.policy).sessions)
    true = {(_sorted(link.control), frozenset(link.endpoints)) for link in Wire(case.truth).links}
    part = tmp_path / "part.pcap"
    for cut in cuts(len(records)):
        part.write_bytes(header + b"".join(records[cut]))
        report = audit_again(part, case.policy)
        found = ties(report.sessions)
        assert set(found) <= true, cut
        assert all(rank <= whole.get(tie, 0) for tie, rank in found.items()), (cut, found)
        seen = {_ordered(session) for session in report.sessions}
        for one in report.undecided:
            named = {_sorted((control.originator, control.responder)) for control in one.controls}
            owners = {control for control, data in true if data == frozenset((one.originator, one.responder))}
            assert len(named) == one.candidates, "more than a report names"
            assert not owners & seen or owners & named, (cut, one)
