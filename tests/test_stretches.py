"""Which captures go on where another ends, and what hangs on it."""

from __future__ import annotations

from pathlib import Path

import pytest

import auditor
from auditor.notation.model import CaptureLine
from auditor.stretches import gap_seconds, stretches_of
from tests.test_layers import MACS, SYN, write

SECOND = 1_000_000_000
ACK = bytes.fromhex(f"{MACS}0800" + SYN.replace("5002ffff", "5010ffff"))


@pytest.mark.parametrize(
    ("spans", "apart", "together"),
    [
        # 100 packets in 100 s: a gap is 100 times a second, rounded up to 128 s.
        ([(0, 50), (50, 100)], [0, 0], [0, 0]),
        ([(0, 20), (25, 60), (61, 100)], [0, 0, 0], [0, 0, 0]),
        # Both sides of a firewall, each in two files.
        ([(0, 50), (1, 51), (50, 100), (51, 100)], [0, 1, 2, 3], [0, 0, 0, 0]),
        # A file without packets is by itself, and parts nothing.
        ([(0, 50), None, (50, 100)], [0, 1, 0], [0, 1, 0]),
        ([None], [0], [0]),
    ],
)
def test_files_without_a_gap_between_them_are_one(
    spans: list[tuple[int, int] | None], apart: list[int], together: list[int]
) -> None:
    packets = 100 // len(spans)
    lines = [
        CaptureLine(packets=packets, first=span[0] * SECOND, last=span[1] * SECOND) if span else CaptureLine(packets=0)
        for span in spans
    ]
    assert list(stretches_of(lines, overlap=False)) == apart
    assert list(stretches_of(lines, overlap=True)) == together


def test_two_days_are_two() -> None:
    day = 86_400 * SECOND
    lines = [CaptureLine(packets=100_000, first=at, last=at + day // 24) for at in (0, day)]
    assert gap_seconds(0, day + day // 24, 200_000) == 64
    assert list(stretches_of(lines, overlap=True)) == [0, 1]


def one_sided(port: int) -> bytes:
    return ACK.replace(bytes.fromhex("9c40"), port.to_bytes(2, "big"), 1)


def test_a_one_sided_ring_is_told_once_however_it_was_cut(tmp_path: Path) -> None:
    packets = [(second * 1_000_000, one_sided(50_000 + second // 5)) for second in range(20)]
    whole = write(tmp_path / "whole.pcap", 1, packets)
    parts = [write(tmp_path / f"part{number}.pcap", 1, packets[number * 5 :][:5]) for number in range(4)]
    told = []
    for captures in ([whole], parts):
        report = auditor.audit(captures).report
        told.append([one.message for one in report.findings if one.code == "BX902"])
    assert told == [
        [f"Only one direction of 4 of 4 TCP connections is in {whole}."],
        [f"Only one direction of 4 of 4 TCP connections is in {parts[0]} and 3 files behind it."],
    ]
