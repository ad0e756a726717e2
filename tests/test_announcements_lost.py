"""Captures that lost what names the data connections: no false tie, and the connections are still known for what they are."""

from __future__ import annotations

from pathlib import Path

import pytest

import auditor
from tests.helpers.pcap import Pcap
from tests.support import Case, audit_again, committed_cases
from tests.test_poorer_captures import RECORD, ip_of
from tests.test_session_cuts import RANKS, ties
from tests.wire import Wire

CASES = [case for case in committed_cases() if case.capture.suffix == ".pcap" and case.truth["control_sessions"]]
LISTENS = (0x409, 0xA01)
STATES = (0x400, 0xA00)
REPLY = 1


def ndmp(frame: bytes) -> tuple[int, int]:
    """Return message and type of the NDMP header that begins a segment's payload (the draft, 2.1), else zeros."""
    packet = ip_of(frame)
    segment = packet[4 * (packet[0] & 15) :] if packet and packet[9] == 6 else b""
    payload = segment[4 * (segment[12] >> 4) :] if len(segment) > 12 else b""
    if len(payload) < 28 or not payload[0] & 0x80:
        return 0, 0
    return int.from_bytes(payload[16:20], "big"), int.from_bytes(payload[12:16], "big")


def without(case: Case, codes: tuple[int, ...], target: Path) -> int:
    """Write a copy of the capture without the replies of these codes; return how many there were."""
    whole = Pcap.read(case.capture)
    kept = [one for one in whole.records if not (ndmp(one[RECORD:])[0] in codes and ndmp(one[RECORD:])[1] == REPLY)]
    target.write_bytes(whole.header + b"".join(kept))
    return len(whole.records) - len(kept)


@pytest.mark.parametrize("codes", [LISTENS, LISTENS + STATES], ids=["announcements", "announcements and states"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_lost_its_announcement_is_tied_rightly_or_not_at_all(
    case: Case, codes: tuple[int, ...], tmp_path: Path
) -> None:
    copy = tmp_path / "lost.pcap"
    if not without(case, codes, copy):
        return
    true = {(tuple(sorted(link.control)), frozenset(link.endpoints)) for link in Wire(case.truth).links}
    assert set(ties(audit_again(copy, case.policy).sessions)) <= true


@pytest.mark.parametrize("name", ["compliant", "vlan"])
def test_the_next_connection_after_an_unanswered_request_is_the_one_it_meant(name: str, tmp_path: Path) -> None:
    case = next(case for case in CASES if case.name == name)
    copy = tmp_path / "lost.pcap"
    assert without(case, LISTENS + STATES, copy)
    whole, report = (audit_again(path, case.policy) for path in (case.capture, copy))
    found = ties(report.sessions)
    assert set(found) == set(ties(whole.sessions))
    assert set(found.values()) == {RANKS["probable"]}
    reasons = [reason for session in report.sessions for link in session.data for reason in link.because]
    assert any("is not in the capture" in reason for reason in reasons)


def test_it_is_no_undocumented_traffic(tmp_path: Path) -> None:
    case = next(case for case in CASES if case.name == "compliant")
    copy = tmp_path / "lost.pcap"
    assert without(case, LISTENS + STATES, copy)
    codes = [{finding.code for finding in auditor.audit([path]).report.findings} for path in (case.capture, copy)]
    assert "BX203" not in codes[1] - codes[0]
    assert "BX907" in codes[1]
