"""Capture quality: duplicates, times, vantage, and findings that rest on what may have been lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import auditor
from auditor import _native
from auditor.flows import FlowTable
from auditor.model import CaptureQuality, Evidence, FlowReference, Quality, ReportVerdict
from auditor.pipeline import AuditOptions
from auditor.quality import quality_limits, weaken
from auditor.verdict import counts
from tests import report_samples
from tests.support import CAPTURES, run_auditor
from tests.test_layers import MACS, SYN, write

BLOCKED = CAPTURES / "blocked"
ACK = bytes.fromhex(f"{MACS}0800" + SYN.replace("5002ffff", "5010ffff"))


def doubled(source: Path, path: Path) -> Path:
    """Write a capture in which every packet comes twice, 10 microseconds apart, as a mirror of both ends has them."""
    data = source.read_bytes()
    at, written = 24, data[:24]
    order = "little" if data[0] in (0xD4, 0x4D) else "big"
    while at < len(data):
        length = 16 + int.from_bytes(data[at + 8 : at + 12], order)  # type: ignore[arg-type]
        written += data[at : at + length] * 2
        at += length
    path.write_bytes(written)
    return path


def test_packets_that_were_captured_twice_count_once(tmp_path: Path) -> None:
    """Only packets without identification may count twice: bare acknowledgements and resets, which look alike."""
    source = CAPTURES / "compliant" / "compliant.pcap"
    once, twice = (_native.read_flows([path]) for path in (source, doubled(source, tmp_path / "twice.pcap")))
    before, after = (reading.files[0] for reading in (once, twice))
    assert after.packets == 2 * before.packets
    assert before.duplicates == 0
    for name in ("orig_payload", "resp_payload", "syn_packets", "state", "orig_missed"):
        assert twice.flow_columns()[name].tolist() == once.flow_columns()[name].tolist(), name
    kept = _native.read_flows([tmp_path / "twice.pcap"], keep_duplicates=True)
    assert kept.files[0].duplicates == 0
    assert kept.flow_columns()["orig_packets"].sum() == 2 * once.flow_columns()["orig_packets"].sum()


def test_times_are_looked_at(tmp_path: Path) -> None:
    """A second between packets, but once 40; one comes 0.3 s late; then the clock is set back by 30 s."""
    seconds = [*range(60), 100, 99.7, *range(101, 130), *range(100, 140)]
    path = write(tmp_path / "times.pcap", 1, [(int(second * 1_000_000), ACK) for second in seconds])
    total = auditor.audit([path]).quality.total
    assert (total.longest_silence_ms, total.longest_silence_at) == (41_000, "1970-01-01T00:00:59.000000000Z")
    assert (total.unordered, total.clock_steps) == (2, 1)
    # 139 s over 130 packets: the least gap is 100 times that, rounded up.
    assert (total.gaps, total.gap_seconds) == (0, 128)


def finding_without_answer() -> auditor.Finding:
    evidence = Evidence(FlowReference("tcp", "10.0.1.5:49152", "10.0.2.9:10000"), (1,), "a.pcap")
    return replace(report_samples.finding(), absence=True, evidence=(evidence,))


@pytest.mark.parametrize(
    ("capture", "doubtful"),
    [
        (CaptureQuality("a.pcap", packets=990, drops=10), True),
        (CaptureQuality("a.pcap", packets=9990, drops=10), False),
        (CaptureQuality("a.pcap", packets=100, tcp_flows=4, one_sided=2), True),
        (CaptureQuality("a.pcap", packets=100, tcp_flows=5, one_sided=2), False),
        (CaptureQuality("b.pcap", packets=100, drops=100), False),
    ],
)
def test_what_rests_on_a_lost_answer_is_inconclusive(capture: CaptureQuality, *, doubtful: bool) -> None:
    finding = finding_without_answer()
    (weakened,) = weaken([finding], Quality(captures=(capture,)))
    assert bool(weakened.inconclusive) is doubtful
    assert counts(weakened) is not doubtful
    (seen,) = weaken([replace(finding, absence=False)], Quality(captures=(capture,)))
    assert not seen.inconclusive


@pytest.mark.parametrize(("missed", "doubtful"), [(10, True), (9, False)])
def test_missing_bytes_make_a_lost_answer_likely(missed: int, *, doubtful: bool) -> None:
    capture = CaptureQuality("a.pcap", packets=100, missed_bytes=missed)
    columns = {"transport": [6, 17], "orig_payload": [500, 70], "resp_payload": [500, 0], "orig_repeated": [10, 0]}
    table = FlowTable.from_columns(
        {name: np.array(column) for name, column in columns.items()}, np.zeros((1, 16), "u1")
    )
    # 10 of 990 + 10 bytes are one percent; UDP has no bytes that could be missed.
    (weakened,) = weaken([finding_without_answer()], Quality(captures=(capture,)), table=table)
    assert bool(weakened.inconclusive) is doubtful


def test_a_sound_capture_keeps_its_findings() -> None:
    report = auditor.audit([BLOCKED / "blocked.pcap"], policy_path=BLOCKED / "policy.yaml")
    assert report.verdict is ReportVerdict.VIOLATIONS
    assert not any(finding.inconclusive for finding in report.findings)


def test_the_vantage_is_told_and_limits_what_is_said() -> None:
    capture, policy = BLOCKED / "blocked.pcap", BLOCKED / "policy.yaml"
    report = auditor.audit([capture], policy_path=policy, options=AuditOptions(vantage="firewall-inside"))
    assert (report.quality.vantage, report.quality.vantage_by) == ("firewall-inside", "stated")
    assert any("behind the firewall" in limit for limit in report.limits)
    assert quality_limits(Quality()) == ()
    done = run_auditor("audit", capture, "--policy", policy, "--vantage", "span", "--exit-zero")
    assert "at a mirror port or on the way, as stated" in done.out
    assert run_auditor("audit", capture, "--vantage", "moon").code == 2
