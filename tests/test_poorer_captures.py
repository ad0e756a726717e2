"""A poorer copy of a sound capture never shows more than the capture itself: what was lost accuses nobody.

The captures kept here conform to their policies, which their truths say. Each copy lacks what captures lack in practice.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import auditor
from auditor.model import Severity
from tests.helpers.pcap import Pcap
from tests.support import ROOT

RECORD = 16
FIN, SYN, RST, ACK, TCP = 0x01, 0x02, 0x04, 0x10, 6
Frame = bytes
Keeps = Callable[[int, int, Frame], bool]


def ip_of(frame: Frame) -> bytes:
    """The IPv4 packet in an Ethernet frame, tagged or not; nothing for other frames."""
    place = 12
    while frame[place : place + 2] == b"\x81\x00":
        place += 4
    return frame[place + 2 :] if frame[place : place + 2] == b"\x08\x00" else b""


def tcp_flags(frame: Frame) -> int:
    packet = ip_of(frame)
    return packet[4 * (packet[0] & 15) + 13] if packet and packet[9] == TCP else 0


def from_host(last: int) -> Callable[[Frame], bool]:
    """Whether a frame comes from the host with this last byte of its address."""
    return lambda frame: bool(ip_of(frame)) and ip_of(frame)[15] == last


def poorer(capture: Path, target: Path, keeps: Keeps) -> Path:
    """Write a copy of the frames that ``keeps`` keeps, asked with number, count and frame."""
    whole = Pcap.read(capture)
    count = len(whole.records)
    kept = [one for number, one in enumerate(whole.records) if keeps(number, count, one[RECORD:])]
    assert 0 < len(kept) < count
    target.write_bytes(whole.header + b"".join(kept))
    return target


LOSSES: dict[str, Keeps] = {
    "every SYN-ACK": lambda _number, _count, frame: tcp_flags(frame) & (SYN | ACK) != SYN | ACK,
    "every SYN-ACK and every end": lambda _number, _count, frame: (
        tcp_flags(frame) & (SYN | ACK) != SYN | ACK and not tcp_flags(frame) & (FIN | RST)
    ),
    "one frame in nine": lambda number, _count, _frame: number % 9 != 4,
    "the first third": lambda number, count, _frame: number > count // 3,
    "what the media server sends": lambda _number, _count, frame: not from_host(10)(frame),
    "what the agent sends": lambda _number, _count, frame: not from_host(21)(frame),
}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", ["compliant", "mover-listen", "vlan"])
def test_what_is_lost_accuses_nobody(name: str, loss: str, tmp_path: Path) -> None:
    folder = ROOT / "captures" / name
    copy = poorer(folder / f"{name}.pcap", tmp_path / "poorer.pcap", LOSSES[loss])
    report = auditor.audit([copy], policy_path=folder / "policy.yaml").report
    told = [(finding.code, finding.message) for finding in report.findings if finding.severity > Severity.INFO]
    assert told == []
