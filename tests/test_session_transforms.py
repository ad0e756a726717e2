"""The same sessions with VLAN tags, on another control port, cut at 96 bytes, and with packets missing."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

import auditor
from auditor.model import SessionSummary
from tests.helpers.pcap import Pcap
from tests.support import Case, committed_cases
from tests.wire import Wire

CASES = [case for case in committed_cases() if case.capture.suffix == ".pcap" and case.truth["data_connections"]]
OTHER_PORT = 10777
Frames = Iterable[bytes]
Tie = tuple[frozenset[str], frozenset[str]]

by_name = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def rewritten(case: Case, folder: Path, change: Callable[[bytes], bytes], *, every: int = 0) -> Path:
    """Write the capture with each frame changed; with ``every``, without each so-manieth frame."""
    source = Pcap.read(case.capture)
    written = [source.header]
    for number, record in enumerate(source.records, 1):
        if every and number % every == 0:
            continue
        seconds, fraction, captured, wire = struct.unpack_from("<IIII", record)
        frame = change(record[16:])
        length = wire + max(len(frame) - captured, 0)
        written.append(struct.pack("<IIII", seconds, fraction, len(frame), length) + frame)
    path = folder / "changed.pcap"
    path.write_bytes(b"".join(written))
    return path


def tagged(frame: bytes) -> bytes:
    """Put an 802.1Q tag with VLAN 42 into an Ethernet frame."""
    return frame[:12] + struct.pack(">HH", 0x8100, 42) + frame[12:]


def moved(port: int) -> Callable[[bytes], bytes]:
    """Return what gives TCP segments from or to ``port`` another one there. Checksums go wrong, as with offloading."""

    def change(frame: bytes) -> bytes:
        at = 12
        while frame[at : at + 2] == b"\x81\x00":
            at += 4
        at += 2
        kind = frame[at - 2 : at]
        protocol, at = (frame[at + 9], at + (frame[at] & 15) * 4) if kind == b"\x08\x00" else (frame[at + 6], at + 40)
        if kind not in (b"\x08\x00", b"\x86\xdd") or protocol != 6:
            return frame
        ends = [OTHER_PORT if end == port else end for end in struct.unpack_from(">HH", frame, at)]
        return frame[:at] + struct.pack(">HH", *ends) + frame[at + 4 :]

    return change


def cut(frame: bytes) -> bytes:
    return frame[:96]


def ties(sessions: tuple[SessionSummary, ...]) -> dict[Tie, str]:
    """Return the grade of each tie, by the ends of both connections."""
    return {
        (
            frozenset((session.control.originator, session.control.responder)),
            frozenset((link.originator, link.responder)),
        ): link.grade
        for session in sessions
        for link in session.data
    }


def true_ties(case: Case) -> set[Tie]:
    return {(frozenset(link.control), frozenset(link.endpoints)) for link in Wire(case.truth).links}


def audited(capture: Path, policy: Path | None) -> tuple[SessionSummary, ...]:
    return auditor.audit([capture], policy_path=policy).sessions


@by_name
def test_vlan_tags_change_nothing(case: Case, tmp_path: Path) -> None:
    found = ties(audited(rewritten(case, tmp_path, tagged), case.policy))
    assert found == ties(audited(case.capture, case.policy))
    assert set(found) == true_ties(case)


@by_name
def test_another_control_port_changes_nothing(case: Case, tmp_path: Path) -> None:
    assert case.policy is not None
    port = case.truth["policy"]["ndmp_port"]
    policy = tmp_path / "policy.yaml"
    policy.write_text(re.sub(r"ndmp_port: \d+", f"ndmp_port: {OTHER_PORT}", case.policy.read_text()))
    sessions = audited(rewritten(case, tmp_path, moved(port)), policy)
    found = ties(sessions)
    before = ties(audited(case.capture, case.policy))
    expected = {
        (frozenset(end.replace(f":{port}", f":{OTHER_PORT}") for end in control), data): grade
        for (control, data), grade in before.items()
    }
    assert found == expected


@by_name
def test_undeclared_it_is_found_by_what_it_says(case: Case, tmp_path: Path) -> None:
    """Whoever reads NDMP needs no port. TLS and what began before the capture are not to be known that way."""
    legible = {control.endpoints for control in Wire(case.truth).controls if control.legible}
    port = case.truth["policy"]["ndmp_port"]
    found = audited(rewritten(case, tmp_path, moved(port)), case.policy)
    seen = {(s.control.originator, s.control.responder.replace(f":{OTHER_PORT}", f":{port}")) for s in found}
    assert legible <= seen
    proved = {tie[1] for tie, grade in ties(found).items() if grade == "proved"}
    assert {frozenset(link.endpoints) for link in Wire(case.truth).links if link.provable} <= proved


@pytest.mark.parametrize("case", [case for case in CASES if "ipv6" not in case.name], ids=lambda case: case.name)
def test_frames_of_96_bytes_prove_nothing_and_tie_nothing_wrong_for_sure(case: Case, tmp_path: Path) -> None:
    """Over IPv6 only 10 bytes of payload would be left: not even a header."""
    sessions = audited(rewritten(case, tmp_path, cut), case.policy)
    found = ties(sessions)
    assert {control.endpoints for control in Wire(case.truth).controls} == {
        (session.control.originator, session.control.responder) for session in sessions
    }
    assert "proved" not in found.values()
    assert {tie for tie, grade in found.items() if grade == "probable"} <= true_ties(case)


@by_name
def test_with_packets_missing_nothing_wrong_is_said_for_sure(case: Case, tmp_path: Path) -> None:
    found = ties(audited(rewritten(case, tmp_path, bytes, every=7), case.policy))
    assert {tie for tie, grade in found.items() if grade != "possible"} <= true_ties(case)
