"""Damaged and hostile capture files: whatever they hold, an audit ends with a report that claims no more than was read.

Cuts and flips are spread over each file so that a run takes seconds; the seed is fixed, the places differ by file.
"""

from __future__ import annotations

import json
import os
import random
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

import auditor
from auditor import _native
from auditor.model import ReportVerdict
from auditor.report.registry import FORMATS, render
from tests.helpers.pcap import Pcap, Writer, greeting
from tests.support import CAPTURES, COMMAND, Case, audit_again, committed_cases, run_auditor

CASES = pytest.mark.parametrize("case", committed_cases(), ids=lambda case: case.name)
POLICY = "zones:\n  media-servers: [10.0.1.1]\n  agents: [10.0.2.0/24]\n"
MEDIA, AGENT = "10.0.1.1", "10.0.2.5"


def places(case: Case, length: int, dense: int, sparse: int) -> list[int]:
    """Return offsets all over a file: every one of its beginning, then a sample."""
    rng = random.Random(case.name)  # noqa: S311 - places, no secrets
    return [*range(min(dense, length)), *sorted(rng.sample(range(length), min(sparse, length)))]


@CASES
def test_a_cut_file_is_read_up_to_the_cut_and_says_so(case: Case, tmp_path: Path) -> None:
    data, path = case.capture.read_bytes(), tmp_path / "cut"
    sound = set(Pcap.read(case.capture).ends()) if case.capture.suffix == ".pcap" else None
    for at in places(case, len(data), 150, 60):
        path.write_bytes(data[:at])
        (facts,) = _native.read_flows([path]).files
        assert (facts.error is None) == (facts.status == "read")
        if sound is not None:
            assert (facts.status == "read") == (at in sound), at


@CASES
def test_no_cut_and_no_flipped_byte_makes_a_file_conform_that_was_not_read(case: Case, tmp_path: Path) -> None:
    data, path = case.capture.read_bytes(), tmp_path / "damaged"
    for number, at in enumerate(places(case, len(data), 40, 12)):
        flipped = data[:at] + bytes([data[at] ^ (0xFF, 0x80, 0x01)[number % 3]]) + data[at + 1 :]
        for damaged in (data[:at], flipped):
            path.write_bytes(damaged)
            report = audit_again(path, case.policy)
            if report.captures[0].status != "read":
                assert report.verdict is ReportVerdict.INCONCLUSIVE, at


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/urandom", "/dev/null"])
def test_devices_are_no_captures(device: str) -> None:
    (facts,) = _native.read_flows([device]).files
    assert (facts.status, facts.packets) == ("unreadable", 0)


def test_a_record_that_claims_gigabytes_ends_the_file(tmp_path: Path) -> None:
    path = tmp_path / "claims"
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 0xFFFFFFFF, 1)
    path.write_bytes(head + struct.pack("<IIII", 0xFFFFFFFF, 0, 0xF0000000, 0xF0000000) + bytes(1000))
    (facts,) = _native.read_flows([path]).files
    assert (facts.status, facts.problems) == ("partial", {"oversized-record": 1})


def test_many_link_types_become_one_more(tmp_path: Path) -> None:
    def block(kind: int, body: bytes) -> bytes:
        return struct.pack("<II", kind, 12 + len(body)) + body + struct.pack("<I", 12 + len(body))

    links = range(1000, 21_000)
    written = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    written += b"".join(block(1, struct.pack("<HHI", link, 0, 0)) for link in links)
    written += b"".join(block(6, struct.pack("<IIIII", n, 0, 0, 4, 4) + bytes(4)) for n in range(len(links)))
    path = tmp_path / "links"
    path.write_bytes(written)
    (facts,) = _native.read_flows([path]).files
    assert (facts.packets, len(facts.link_types), facts.link_types["others"]) == (20_000, 65, 20_000 - 64)


def test_a_control_connection_that_is_not_all_ndmp_cannot_conform(tmp_path: Path) -> None:
    policy = tmp_path / "site.yaml"
    policy.write_text(POLICY, encoding="utf-8")
    # A record mark of 2 GiB - 1, a header that fits, and nothing of what it promises.
    claim = struct.pack(">IIIIIII", 0xFFFFFFFF, 2, 1_700_000_000, 0, 0x401, 0, 0) + b"x" * 900
    for rest, verdict in ((b"", ReportVerdict.CONFORMS), (claim, ReportVerdict.INCONCLUSIVE)):
        capture = Writer()
        talk = [(1, greeting()), *([(0, rest)] if rest else [])]
        capture.connection((MEDIA, 1500), (AGENT, 10000), talk)
        report = auditor.audit([capture.save(tmp_path / "marks.pcap")], policy_path=policy)
        assert report.verdict is verdict
        assert [finding.code for finding in report.findings if finding.undermines] == (["BX908"] if rest else [])


@pytest.mark.skipif(sys.platform != "linux", reason="threads are looked at in /proc")
def test_a_pipe_to_which_nobody_writes_can_be_left(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(
        [COMMAND, "audit", pipe], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as run:
        # The thread that opens it has a name.
        while not any(task.read_text() == "fifo\n" for task in Path(f"/proc/{run.pid}/task").glob("*/comm")):
            assert run.poll() is None
            time.sleep(0.05)
        run.send_signal(signal.SIGINT)
        assert run.wait(60) == 130
        assert run.stderr is not None
        assert run.stderr.read().strip() == "error: interrupted"


def test_a_pipe_whose_writer_comes_late_is_read(tmp_path: Path) -> None:
    (case,) = (case for case in committed_cases() if case.name == "out-of-range")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen([COMMAND, "audit", pipe, "--format", "json"], stdout=subprocess.PIPE) as run:
        time.sleep(1)
        pipe.write_bytes(case.capture.read_bytes())
        assert run.stdout is not None
        assert json.loads(run.stdout.read())["captures"][0]["packets"] == 1252


def test_a_name_longer_than_any_file_has_is_told_and_the_rest_is_read() -> None:
    (case,) = (case for case in committed_cases() if case.name == "out-of-range")
    done = run_auditor("audit", "x" * 65_000, case.capture, "--policy", str(case.policy), "--format", "json")
    assert (done.code, "too long" in done.err) == (3, True)
    long, read = sorted(json.loads(done.out)["captures"], key=lambda capture: capture["packets"])
    assert (long["status"], read["packets"]) == ("unreadable", 1252)
    assert "too long" in long["error"]
    policy = run_auditor("audit", case.capture, "--policy", "x" * 65_000)
    assert (policy.code, "internal" in policy.err) == (2, False)


@pytest.mark.parametrize("kept", [None, 5000], ids=["missing", "cut"])
def test_a_capture_that_cannot_be_read_may_have_any_name(kept: int | None, tmp_path: Path) -> None:
    """What is found of it names it, and its name is bytes that are no text."""
    name = os.fsdecode(os.fsencode(tmp_path) + b"/mon\xff.pcap")
    if kept:
        Path(name).write_bytes((CAPTURES / "out-of-range" / "out-of-range.pcap").read_bytes()[:kept])
    done = run_auditor("audit", name, "--format", "json")
    assert done.code == 3
    (capture,) = json.loads(done.out)["captures"]
    assert (capture["status"], "mon\\" in capture["path"]) == ("partial" if kept else "unreadable", True)
    report = audit_again(Path(name), None)
    for form in FORMATS:
        # Some have nothing to say where nothing was read.
        assert isinstance(render(report, form), bytes)
