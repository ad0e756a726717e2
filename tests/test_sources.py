"""Sources: which is chosen and why, and what each brings of packets that are known."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auditor import _native
from auditor.errors import CaptureError, UsageError
from auditor.sources import bpf
from auditor.sources.cards import hardware_times
from auditor.sources.folder import FolderSource
from auditor.sources.interface import Source, SourceOptions
from auditor.sources.registry import SOURCES, kind_of, open_source
from tests.netns import Pair, inside, needs_namespaces
from tests.support import CAPTURES, run_auditor
from tests.test_live_filter import passing
from tests.test_live_reading import PORTS, SYN, tcp
from tests.test_live_ring import FRAMES

SMALL = CAPTURES / "notification" / "notification.pcap"


def run(source: Source, live: _native.LiveReading, packets: int, seconds: float = 100) -> int:
    """Pump until so many packets came, or the time is over."""
    deadline = time.monotonic() + seconds
    while live.counters()["packets"] < packets and time.monotonic() < deadline:
        source.pump(live, 100)
    return int(live.counters()["packets"])


@pytest.fixture
def pair() -> Iterator[Pair]:
    with Pair() as pair:
        yield pair


def test_a_target_says_what_it_is(tmp_path: Path) -> None:
    assert kind_of("-") == "stream"
    assert kind_of(str(tmp_path)) == "folder"
    assert kind_of(str(SMALL)) == "stream"
    assert kind_of("eth0") == "interface"
    assert kind_of("/nowhere/at/all") == "stream"
    with pytest.raises(UsageError, match='no source "nothing"'):
        open_source(SourceOptions("eth0"), "nothing")
    assert set(SOURCES) == {"ring", "dumpcap", "scapy", "stream", "folder"}


@needs_namespaces
@pytest.mark.parametrize("name", ["ring", "dumpcap", "scapy"])
def test_every_source_of_an_interface_brings_the_same_packets(pair: Pair, name: str) -> None:
    if name == "dumpcap" and shutil.which("dumpcap") is None:
        pytest.skip("dumpcap is not installed")
    if name == "scapy":
        pytest.importorskip("scapy", reason="scapy is not installed")
    live = _native.LiveReading(**PORTS)
    with inside(pair.listening):
        source = open_source(SourceOptions("tap"), name)
        source.open(live)
        pair.send(*FRAMES)
        assert run(source, live, len(FRAMES)) == len(FRAMES)
        source.close(live)
    columns = live.snapshot().flow_columns()
    assert columns["orig_bytes"].tolist() == [54 + 1054, 74]
    assert columns["orig_packets"].tolist() == [2, 1]
    assert live.snapshot().files[0].drops == 0
    assert live.ended


@needs_namespaces
def test_dumpcap_that_cannot_says_so_in_its_own_words(pair: Pair) -> None:
    if shutil.which("dumpcap") is None:
        pytest.skip("dumpcap is not installed")
    with inside(pair.listening), pytest.raises(CaptureError, match=r"dumpcap cannot capture: .*nowhere0"):
        open_source(SourceOptions("nowhere0"), "dumpcap").open(_native.LiveReading())


@needs_namespaces
def test_a_policys_networks_and_an_expression_filter_in_the_kernel(pair: Pair) -> None:
    if not bpf.compiler():
        pytest.skip("neither tcpdump nor libpcap is installed")
    frames = [tcp("10.0.0.1", "10.0.0.2", 1, port, SYN) for port in (80, 443)] + [
        tcp("10.7.0.1", "10.7.0.2", 1, 443, SYN)
    ]
    for told, expected in (({"networks": (("10.0.0.0", 24),)}, [80, 443]), ({"expression": "port 443"}, [443, 443])):
        live = _native.LiveReading(**PORTS)
        with inside(pair.listening):
            source = open_source(SourceOptions("tap", **told), "ring")
            source.open(live)
        pair.send(*frames)
        run(source, live, 2, 5)
        source.pump(live, 150)
        assert live.snapshot().flow_columns()["resp_port"].tolist() == expected


def test_both_compilers_of_expressions_agree_and_refuse_alike() -> None:
    frames = [tcp(f"10.0.0.{host}", "10.0.1.2", 5, port, SYN) for host in (1, 2, 3) for port in (80, 443, 10000)]
    ways = []
    if shutil.which("tcpdump"):
        ways.append(bpf._by_tcpdump)
    if bpf.ctypes.util.find_library("pcap"):
        ways.append(bpf._by_libpcap)
    if not ways or sys.platform != "linux":
        pytest.skip("neither tcpdump nor libpcap is installed")
    for way in ways:
        program = way("host 10.0.0.2 and not port 443", 200)
        wanted = [host == 2 and port != 443 for host in (1, 2, 3) for port in (80, 443, 10000)]
        assert [bool(passed) for passed in passing(program, frames)] == wanted, way
        with pytest.raises(UsageError, match=r'the filter "no\\x1bsense" is none: '):
            way("no\x1bsense", 200)


def test_a_stream_and_a_fifo(tmp_path: Path) -> None:
    expected = _native.read_flows([SMALL], **PORTS)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    live = _native.LiveReading(**PORTS)
    source = open_source(SourceOptions(str(fifo)))
    source.open(live)
    source.pump(live, 20)
    writer = subprocess.Popen(["sh", "-c", f"cat '{SMALL}' > '{fifo}'"])
    assert run(source, live, expected.files[0].packets) == expected.files[0].packets
    writer.wait(5)
    while not source.ended(live):
        source.pump(live, 50)
    assert len(live.snapshot()) == len(expected)
    with pytest.raises(UsageError, match="a filter is for interfaces"):
        open_source(SourceOptions("-", expression="port 1")).open(live)
    with pytest.raises(CaptureError, match="cannot be opened"):
        open_source(SourceOptions("/nowhere/x.pcap")).open(live)


def test_a_folder_is_read_by_rotation_each_file_once_and_whole(tmp_path: Path) -> None:
    count = _native.read_flows([SMALL], **PORTS).files[0].packets
    live = _native.LiveReading(**PORTS)
    source = FolderSource(SourceOptions(str(tmp_path)), quiet=3600)
    source.open(live)

    def drop(name: str, when: float) -> None:
        (tmp_path / name).write_bytes(SMALL.read_bytes())
        os.utime(tmp_path / name, (when, when))

    now = time.time()
    drop("ring_00001.pcap", now - 20)
    source.pump(live, 300)
    assert live.counters()["packets"] == 0, "the newest may still be written"
    drop("ring_00002.pcap", now - 10)
    (tmp_path / "notes.txt").write_text("no capture")
    source.pump(live, 300)
    assert live.counters()["packets"] == count
    drop("ring_00003.pcap", now)
    (tmp_path / "ring_00001.pcap").unlink()
    source.pump(live, 600)
    assert live.counters()["packets"] == 2 * count
    assert [Path(facts.path).name for facts in live.snapshot().files] == ["ring_00001.pcap", "ring_00002.pcap"]
    quiet = FolderSource(SourceOptions(str(tmp_path)), quiet=-1)
    fresh = _native.LiveReading(**PORTS)
    quiet.pump(fresh, 600)
    assert fresh.counters()["packets"] == 2 * count, "complete since it does not grow"
    with pytest.raises(CaptureError, match="cannot be looked into"):
        FolderSource(SourceOptions(str(tmp_path / "nowhere"))).open(live)


def test_scapys_statistics_add_up() -> None:
    live = _native.LiveReading()
    live.open_frames("socket", 1)
    live.add_statistics(10, 3)
    live.add_statistics(5, 0)
    told = live.counters()
    assert (told["received"], told["kernel_drops"]) == (15, 3)
    with pytest.raises(ValueError, match="takes none"):
        _native.LiveReading().push([(0, b"", 0)])


def doctor(target: str, *before: str) -> dict[str, Any]:
    command = [*before, sys.executable, "-m", "auditor", "doctor", target, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.stdout, done.stderr
    return dict(json.loads(done.stdout), code=done.returncode)


@needs_namespaces
def test_the_doctor_names_the_source_and_the_privilege_that_is_missing(pair: Pair) -> None:
    with inside(pair.listening):
        found = doctor("tap")
        assert (found["source"], found["code"]) == ("ring", 0)
        if shutil.which("setpriv"):
            bare = (
                "setpriv",
                "--bounding-set=-all",
                "--inh-caps=-all",
                "--no-new-privs",
                "--reuid=65534",
                "--clear-groups",
            )
            reachable = subprocess.run(
                [*bare, sys.executable, "-c", "import auditor._native"], capture_output=True, check=False
            )
            if reachable.returncode == 0:
                found = doctor("tap", *bare)
                # None of them, whatever is installed: that dumpcap lists an interface does not mean that it may listen.
                assert (found["source"], found["code"]) == ("", 3)
                (ring,) = [check for check in found["checks"] if check["name"] == "source ring"]
                assert ring["state"] == "missing"
                assert "CAP_NET_RAW is missing; root is not needed" in ring["text"]
                assert "AmbientCapabilities=CAP_NET_RAW" in ring["fix"]
        found = doctor("nowhere0")
    assert (found["source"], found["code"]) == ("", 3)
    assert "there is no interface" in found["checks"][0]["text"]


@needs_namespaces
def test_virtual_cards_stamp_nothing_and_cards_that_are_not_there_say_nothing(pair: Pair) -> None:
    with inside(pair.listening):
        # As ethtool -T says of veth: neither hardware-receive nor hardware-raw-clock.
        assert [hardware_times(name) for name in ("tap", "lo", "nowhere0")] == ["none", "none", ""]


def test_the_doctor_on_a_folder_and_in_text(tmp_path: Path) -> None:
    assert doctor(str(tmp_path))["source"] == "folder"
    told = run_auditor("doctor", "-")
    assert told.code == 0
    assert told.out.startswith("-: source stream\n")
