"""The same packets in every container: by the standard library's encoders, by other people's programs, by hand."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import itertools
import json
import lzma
import os
import shutil
import signal
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from auditor import _native
from auditor.errors import UsageError
from auditor.model import ReportVerdict
from auditor.pipeline import audit
from tests.helpers.pcap import Pcap
from tests.support import COMMAND, committed_cases, run_auditor
from tests.test_many_files import essence

(CASE,) = (case for case in committed_cases() if case.name == "out-of-range")
WHOLE = Pcap.read(CASE.capture)


def by_program(*command: str) -> Callable[[bytes], bytes]:
    def pack(data: bytes) -> bytes:
        if shutil.which(command[0]) is None:
            pytest.skip(f"{command[0]} is not installed")
        return subprocess.run(command, input=data, capture_output=True, check=True).stdout

    return pack


PACKERS = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": by_program("zstd", "-q", "-c"),
    "lz4": by_program("lz4", "-q", "-c", "-B4"),
}
PACKED = pytest.mark.parametrize("packing", PACKERS)


def read(path: Path) -> _native.FileFacts:
    (facts,) = _native.read_flows([path], hash_files=True).files
    return facts


@PACKED
def test_compression_is_known_by_content_and_changes_nothing(packing: str, tmp_path: Path) -> None:
    data = CASE.capture.read_bytes()
    path = tmp_path / "no-suffix"
    # In two members, as a rotating writer that appends leaves it.
    path.write_bytes(PACKERS[packing](data[:5000]) + PACKERS[packing](data[5000:]))
    assert read(path).format == f"pcap ({packing})"
    reports = [audit([file], policy_path=CASE.policy) for file in (CASE.capture, path)]
    assert essence(reports[0]) == essence(reports[1])


@PACKED
def test_the_digest_is_that_of_the_file_as_it_lies(packing: str, tmp_path: Path) -> None:
    path = tmp_path / "packed"
    for data in (PACKERS[packing](CASE.capture.read_bytes()), PACKERS[packing](CASE.capture.read_bytes()) + b"rest"):
        path.write_bytes(data)
        assert read(path).sha256 == hashlib.sha256(data).hexdigest()


@PACKED
def test_a_cut_compressed_capture_counts_as_far_as_it_goes(packing: str, tmp_path: Path) -> None:
    # Noise, so that half of the compressed data is about half of the packets.
    noise = WHOLE.header + b"".join(
        struct.pack("<IIII", 1_700_000_000 + n, 0, 1000, 1000) + os.urandom(1000) for n in range(3000)
    )
    data = PACKERS[packing](noise)
    path = tmp_path / "cut"
    path.write_bytes(data[: len(data) // 2])
    facts = read(path)
    assert (facts.status, facts.problems) == ("partial", facts.problems | {"damaged-compression": 1})
    assert 400 < facts.packets <= 1500
    assert facts.error is not None
    assert f"the {packing} data is cut" in facts.error


def test_compressed_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "twice"
    path.write_bytes(bz2.compress(gzip.compress(CASE.capture.read_bytes())))
    facts = read(path)
    assert facts.status == "unreadable"
    assert facts.error is not None
    assert "compressed twice" in facts.error


def test_what_unpacks_to_more_than_is_believable_is_partial(tmp_path: Path) -> None:
    # A frame of zstd (RFC 8878): the file header as a raw block, then 4096 blocks that each repeat a zero 128 Ki times.
    raw = struct.pack("<I", len(WHOLE.header) << 3)[:3] + WHOLE.header
    path = tmp_path / "bomb"
    path.write_bytes(b"\x28\xb5\x2f\xfd\x00\x38" + raw + b"\x02\x00\x10\x00" * 4096)
    facts = read(path)
    assert (facts.status, facts.problems["unpacking-limit"]) == ("partial", 1)
    # 256 MiB are free; a record of zeros has 16 bytes.
    assert facts.packets <= 1 << 24


@pytest.mark.parametrize("way", ["standard input", "pipe", "compressed pipe"])
def test_streams_are_captures(way: str, tmp_path: Path) -> None:
    data = CASE.capture.read_bytes()
    expected = json.loads(run_auditor("audit", CASE.capture, "--policy", str(CASE.policy), "--format", "json").out)
    command = [COMMAND, "audit", "-", "--policy", str(CASE.policy), "--format", "json"]
    if way != "standard input":
        command[2] = str(tmp_path / "pipe")
        os.mkfifo(command[2])
    running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    if way == "standard input":
        out, _ = running.communicate(data, timeout=60)
    else:
        Path(command[2]).write_bytes(gzip.compress(data) if way.startswith("compressed") else data)
        out, _ = running.communicate(timeout=60)
    report = json.loads(out)
    for part in ("findings", "sessions", "hosts", "totals"):
        told = json.dumps(report[part]).replace(json.dumps(command[2]), '"x"')
        assert told == json.dumps(expected[part]).replace(json.dumps(str(CASE.capture)), '"x"')


def test_an_interrupt_is_heard_while_a_compressed_pipe_is_silent(tmp_path: Path) -> None:
    pipe = tmp_path / "silent"
    os.mkfifo(pipe)
    running = subprocess.Popen([COMMAND, "audit", pipe], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with pipe.open("wb") as feed:
        feed.write(gzip.compress(CASE.capture.read_bytes())[:4000])
        feed.flush()
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (130, "")
    assert "Traceback" not in err


def test_a_folder_means_the_captures_in_it(tmp_path: Path) -> None:
    deeper = tmp_path / "2026" / "monday"
    deeper.mkdir(parents=True)
    size = -(-len(WHOLE.records) // 10)
    for number, first in enumerate(range(0, len(WHOLE.records), size)):
        part = WHOLE.part(first, first + size)
        (deeper if number % 2 else tmp_path).joinpath(f"ring{number}").write_bytes(
            gzip.compress(part) if number % 3 == 0 else part
        )
    (tmp_path / "notes.txt").write_text("no capture\n", encoding="utf-8")
    (tmp_path / "messages.1.gz").write_bytes(gzip.compress(b"no capture either\n"))
    (tmp_path / ".hidden").write_bytes(CASE.capture.read_bytes())
    expected = essence(audit([CASE.capture], policy_path=CASE.policy))
    for named in ([tmp_path], [tmp_path / "ring*", deeper], [tmp_path / "**" / "ring?"]):
        report = audit(named, policy_path=CASE.policy)
        assert len(report.captures) == 10
        assert [Path(capture.path).name for capture in report.captures] == [f"ring{n}" for n in range(10)]
        assert essence(report) == expected


def test_what_is_called_a_capture_and_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.pcap").write_bytes(CASE.capture.read_bytes())
    (tmp_path / "b.pcap.gz").write_bytes(b"\x1f\x8b\x08 and nothing")
    report = audit([tmp_path], policy_path=CASE.policy)
    assert [capture.status for capture in report.captures] == ["read", "unreadable"]
    assert report.verdict is not ReportVerdict.CONFORMS
    done = run_auditor("audit", tmp_path, "--policy", str(CASE.policy))
    assert "2 files (1 read, 1 unreadable)" in done.out


def test_a_pattern_that_nothing_matches_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no file matches .*\*\.pcap"):
        audit([tmp_path / "*.pcap"])
    done = run_auditor("audit", tmp_path / "*.pcap")
    assert (done.code, done.out) == (2, "")
    strange = tmp_path / "site[1].pcap"
    strange.write_bytes(CASE.capture.read_bytes())
    assert audit([strange]).captures[0].status == "read"


def test_a_file_that_grows_while_it_is_read_is_partial(tmp_path: Path) -> None:
    path = tmp_path / "growing"
    record = struct.pack("<IIII", 1, 0, 200_000, 200_000) + bytes(200_000)
    path.write_bytes(WHOLE.header + record * 100)

    def grow(done: int, total: int) -> None:
        assert done <= total
        with path.open("ab") as file:
            file.write(record)

    (facts,) = _native.read_flows([path], progress=grow).files
    assert (facts.packets, facts.status, facts.problems["file-changed"]) == (100, "partial", 1)


def foreign(name: str, tmp_path: Path) -> Path:
    """Return the capture in another format, as Wireshark's editcap writes it."""
    if shutil.which("editcap") is None:
        pytest.skip("editcap is not installed")
    path = tmp_path / f"capture.{name}"
    subprocess.run(["editcap", "-F", name, CASE.capture, path], check=True, capture_output=True, timeout=60)
    return path


@pytest.mark.parametrize(
    ("name", "format_"),
    [
        ("snoop", "snoop"),
        ("netmon2", "netmon (editcap)"),
        ("netmon1", "netmon (editcap)"),
        ("modpcap", "pcap"),
        ("nokiapcap", "pcap"),
        ("rh6_1pcap", "pcap"),
        ("suse6_3pcap", "pcap"),
        ("nsecpcap", "pcap"),
        ("ngsniffer", "sniffer (editcap)"),
    ],
)
def test_other_formats_hold_the_same_packets(name: str, format_: str, tmp_path: Path) -> None:
    facts, plain = read(foreign(name, tmp_path)), read(CASE.capture)
    assert (facts.status, facts.format) == ("read", format_), facts.error
    counted = (facts.packets, facts.bytes, facts.captured_bytes, facts.link_types)
    assert counted == (plain.packets, plain.bytes, plain.captured_bytes, plain.link_types)
    assert facts.first is not None
    assert plain.first is not None
    # Some of them keep time in milliseconds, or in local time.
    assert (facts.first - plain.first) % 3_600_000_000_000 in (
        *range(1_000_000),
        *range(3_599_999_000_000, 3_600_000_000_000),
    )


def test_a_missing_converter_is_named(tmp_path: Path) -> None:
    path = tmp_path / "netmon"
    path.write_bytes(b"GMBU" + bytes(200))
    environment = {**os.environ, "PATH": str(tmp_path)}
    done = subprocess.run([COMMAND, "audit", path], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert "wireshark-common" in done.stderr


def test_erf_by_hand(tmp_path: Path) -> None:
    # 16 bytes: 2^-32 s in 64 bits little-endian, type 2 (Ethernet), flags, record length, loss, wire length; two of padding.
    record = struct.pack("<Q", 1_700_000_000 << 32 | 1 << 31) + struct.pack(">BBHHH", 2, 4, 18 + 60, 3, 64) + bytes(62)
    path = tmp_path / "erf"
    path.write_bytes(record * 5)
    facts = read(path)
    assert (facts.format, facts.status, facts.packets, facts.link_types) == ("erf", "read", 5, {"EN10MB": 5})
    assert (facts.first, facts.bytes, facts.captured_bytes, facts.drops) == (1_700_000_000_500_000_000, 320, 300, 15)


def test_names_of_a_pcapng_are_handed_on(tmp_path: Path) -> None:
    name = struct.pack("<HH", 1, 11) + bytes([10, 0, 0, 1]) + b"backup\0\0"
    block = struct.pack("<II", 4, 12 + len(name) + 4) + name + bytes(4) + struct.pack("<I", 12 + len(name) + 4)
    path = tmp_path / "names.pcapng"
    path.write_bytes(WHOLE.as_pcapng() + block)
    facts = read(path)
    assert (facts.status, facts.names) == ("read", [("10.0.0.1", "backup")])


@pytest.mark.parametrize("container", ["pcap", "pcapng"])
@pytest.mark.parametrize("garbage", ["noise", "zeros", "text", "one byte"])
def test_garbage_in_the_middle_costs_no_packet(container: str, garbage: str, tmp_path: Path) -> None:
    data = WHOLE.part(0, len(WHOLE.records)) if container == "pcap" else WHOLE.as_pcapng()
    cuts = list(itertools.accumulate((len(record) for record in WHOLE.records), initial=24))
    if container == "pcapng":
        padded = (32 + -(-(len(record) - 16) // 4) * 4 for record in WHOLE.records)
        start = len(data) - sum(32 + -(-(len(record) - 16) // 4) * 4 for record in WHOLE.records)
        cuts = list(itertools.accumulate(padded, initial=start))
    middle = cuts[len(cuts) // 2]
    filling = {"noise": os.urandom(5001), "zeros": bytes(4097), "text": b"lorem ipsum " * 400, "one byte": b"\xff"}[
        garbage
    ]
    path = tmp_path / "garbage"
    path.write_bytes(data[:middle] + filling + data[middle:])
    facts = read(path)
    assert facts.status == "partial"
    # Zeros are records without content to a pcap, as long as they last.
    more = 4097 // 16 + 1 if (container, garbage) == ("pcap", "zeros") else 0
    assert len(WHOLE.records) - (2 if more else 0) <= facts.packets <= len(WHOLE.records) + more
    assert facts.error is not None
    if not more:
        assert f"offset {middle}: " in facts.error
        assert f"{len(filling)} bytes skipped, read on at offset {middle + len(filling)}" in facts.error


def test_a_lying_length_costs_one_record(tmp_path: Path) -> None:
    for claim in (0x7FFF_FFFF, 0xF000_0000, 0x0004_0001):
        records = list(WHOLE.records)
        records[100] = records[100][:8] + struct.pack("<I", claim) + records[100][12:]
        path = tmp_path / "claims"
        path.write_bytes(WHOLE.header + b"".join(records))
        facts = read(path)
        assert (facts.status, facts.packets) == ("partial", len(WHOLE.records) - 1), hex(claim)
        assert facts.error is not None
        assert f"{len(records[100])} bytes skipped" in facts.error


@pytest.mark.parametrize("container", ["pcap", "pcapng"])
def test_every_cut_and_flip_of_the_beginning_is_survived(container: str, tmp_path: Path) -> None:
    data = (WHOLE.part(0, 4) if container == "pcap" else WHOLE.as_pcapng())[:250]
    path = tmp_path / "spoiled"
    spoiled = [data[:at] for at in range(len(data))]
    spoiled += [data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :] for at in range(len(data))]
    for content in spoiled:
        path.write_bytes(content)
        (facts,) = _native.read_flows([path]).files
        assert (facts.status == "read") == (facts.error is None)
