"""A reading that goes on gives what a reading of the same packets gives, and forgets in the stated order."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from auditor import _native
from tests.support import CAPTURES

PORTS = {"known_ports": [10000, 3527, 6101, 25, 162], "ndmp_ports": [10000]}
NAMES = sorted(path.parent.name for path in CAPTURES.glob("*/*.pcap*"))


def capture(name: str) -> Path:
    return next(CAPTURES.glob(f"{name}/*.pcap*"))


def tables(reading: _native.Reading) -> dict[str, Any]:
    """Return all that a reading says, apart from where the capture was."""
    columns = {
        "flows": reading.flow_columns(),
        "messages": reading.ndmp_messages(),
        "fields": reading.ndmp_fields(),
        "streams": reading.ndmp_streams(),
        "beats": reading.control_beats(),
        "names": reading.names(),
    }
    plain = {f"{table}.{name}": values.tolist() for table, those in columns.items() for name, values in those.items()}
    plain["addresses"] = reading.addresses().tolist()
    plain["texts"] = [reading.texts(), reading.name_texts()]
    plain["history"] = [reading.history_text(row) for row in range(len(reading))]
    plain["tls"] = [reading.tls_handshake(row) for row in range(len(reading.tls_flows()))]
    plain["facts"] = [
        (facts.packets, facts.bytes, facts.first, facts.last, facts.problems, facts.link_types, facts.cut)
        for facts in reading.files
    ]
    return plain


def pumped(live: _native.LiveReading) -> _native.LiveReading:
    while not live.ended:
        live.pump(20)
    return live


@pytest.mark.parametrize("name", NAMES)
def test_a_file_read_on_and_on_gives_what_reading_it_gives(name: str) -> None:
    live = _native.LiveReading(**PORTS)
    live.open_stream(capture(name))
    pumped(live)
    expected = tables(_native.read_flows([capture(name)], **PORTS))
    assert tables(live.snapshot()) == expected
    assert tables(live.snapshot()) == expected, "a view takes nothing away"


@pytest.mark.parametrize("name", ["out-of-range", "pcapng", "tls"])
def test_a_pipe_that_is_written_slowly_gives_the_same_and_so_does_every_prefix(name: str, tmp_path: Path) -> None:
    whole = capture(name).read_bytes()
    live = _native.LiveReading(**PORTS)
    reader, writer = os.pipe()
    live.open_fd(reader, "pipe")
    os.close(reader)
    assert live.pump(1) == 0, "nothing has come, not even the header"
    cuts = [len(whole) * part // 7 for part in range(8)]
    # A file that is not cut inside a record is what the pipe holds, record by record; so cuts in the midst of records are
    # those of the pipe alone.
    for begin, end in pairwise(cuts):
        written = threading.Thread(target=os.write, args=(writer, whole[begin:end]))
        written.start()
        while written.is_alive():
            live.pump(5)
        live.pump(30)
        prefix = tmp_path / "prefix.pcap"
        prefix.write_bytes(whole[:end])
        expected = tables(_native.read_flows([prefix], **PORTS))
        seen = tables(live.snapshot())
        for facts in (expected, seen):
            facts["facts"] = [(packets, octets, first, last) for packets, octets, first, last, *_ in facts["facts"]]
        assert seen == expected
    os.close(writer)
    pumped(live)
    assert live.error == ""


def test_a_signal_ends_the_waiting_and_what_its_handler_raises_is_raised() -> None:
    import signal

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    live = _native.LiveReading()
    reader, _writer = os.pipe()
    live.open_fd(reader, "pipe")
    before = signal.signal(signal.SIGUSR1, stop)
    try:
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        with pytest.raises(KeyboardInterrupt):
            live.pump(30_000)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert live.pump(1) == 0, "it can be pumped again"


def test_what_cannot_be_opened_or_is_no_capture_is_said_in_a_sentence(tmp_path: Path) -> None:
    live = _native.LiveReading()
    with pytest.raises(OSError, match="nowhere: cannot be opened"):
        live.open_stream(tmp_path / "nowhere")
    reader, writer = os.pipe()
    live.open_fd(reader, "pipe")
    os.write(writer, b"\x1f\x8b\x08" + bytes(40))
    while not live.ended:
        live.pump(20)
    assert live.error.startswith("is compressed (gzip)")
    assert live.snapshot().files[0].status == "unreadable"


# Packets by hand: Ethernet, IPv4 or IPv6, TCP.


def tcp(source: str, destination: str, sport: int, dport: int, flags: int, payload: bytes = b"", seq: int = 1) -> bytes:
    six = ":" in source
    family = socket.AF_INET6 if six else socket.AF_INET
    ends = socket.inet_pton(family, source) + socket.inet_pton(family, destination)
    segment = struct.pack("!HHIIBBHHH", sport, dport, seq, 1, 5 << 4, flags, 512, 0, 0) + payload
    if six:
        packet = struct.pack("!IHBB", 6 << 28, len(segment), 6, 64) + ends + segment
    else:
        packet = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 7, 0, 64, 6, 0) + ends + segment
    return bytes(12) + (b"\x86\xdd" if six else b"\x08\x00") + packet


SYN, ACK, FIN, PSH = 2, 16, 1, 8
SECOND = 1_000_000_000


class Stage:
    """A live reading into which packets are handed, each at its second."""

    def __init__(self, **limits: Any) -> None:
        self.live = _native.LiveReading(**{**PORTS, **limits})
        self.live.open_frames("stage", 1)

    def put(self, second: float, *frames: bytes) -> None:
        self.live.push([(int(second * SECOND), frame, len(frame)) for frame in frames])

    def connection(
        self, second: float, source: str, destination: str, sport: int, dport: int, *, close: bool = False
    ) -> None:
        there, back = (source, destination, sport, dport), (destination, source, dport, sport)
        self.put(second, tcp(*there, SYN), tcp(*back, SYN | ACK), tcp(*there, ACK, seq=2))
        self.put(second, tcp(*there, ACK | PSH, b"hello", seq=2), tcp(*back, ACK | PSH, b"hello", seq=2))
        if close:
            self.put(second, tcp(*there, ACK | FIN, seq=7), tcp(*back, ACK | FIN, seq=7))

    def ends(self) -> set[tuple[str, int]]:
        """Originators of the flows that are there."""
        reading = self.live.snapshot()
        columns = reading.flow_columns()
        return {
            (reading.address_text(code), port)
            for code, port in zip(columns["orig_addr"].tolist(), columns["orig_port"].tolist(), strict=True)
        }


def test_a_flood_of_forged_syns_pushes_out_no_session_and_is_added_up() -> None:
    stage = Stage(max_flows=256)
    stage.connection(1, "10.0.0.1", "10.0.0.2", 40000, 10000)
    stage.connection(1, "10.0.0.2", "10.0.0.1", 50100, 50101)
    stage.connection(1, "10.0.9.9", "10.0.9.8", 33333, 443)
    flood = [
        tcp(f"172.16.{number >> 8}.{number & 255}", "10.0.0.2", 1024 + number % 60000, 10000, SYN)
        for number in range(20_000)
    ]
    stage.put(2, *flood)
    assert {("10.0.0.1", 40000), ("10.0.0.2", 50100), ("10.0.9.9", 33333)} <= stage.ends()
    counted = stage.live.counters()
    assert counted["flows"] <= 256
    # Every flow is there or was counted.
    assert counted["flows"] + sum(counted["pressed"].values()) == 20_003
    assert set(counted["pressed"]) == {"unanswered"}
    (told,) = stage.live.aggregates()
    assert (told["address"], told["port"]) == ("10.0.0.2", 10000)
    assert (told["flows"], told["packets"]) == (counted["pressed"]["unanswered"],) * 2
    assert (told["first"], told["last"]) == (2 * SECOND, 2 * SECOND)


def test_answered_syns_of_a_flood_go_as_well() -> None:
    stage = Stage(max_flows=64)
    stage.connection(1, "10.0.0.1", "10.0.0.2", 40000, 10000)
    for number in range(500):
        source = f"172.16.{number >> 8}.{number & 255}"
        stage.put(2, tcp(source, "10.0.0.2", 2000, 10000, SYN), tcp("10.0.0.2", source, 10000, 2000, SYN | ACK))
    assert ("10.0.0.1", 40000) in stage.ends()


def test_what_goes_first_when_there_is_no_room() -> None:
    stage = Stage(max_flows=100)
    stage.connection(1, "10.0.0.1", "10.0.0.2", 40000, 10000)  # a control connection, the longest idle of all
    for number in range(40):
        stage.connection(2, "10.1.0.1", "10.1.0.2", 1000 + number, 80, close=True)
    for number in range(40):
        stage.connection(3, "10.2.0.1", "10.2.0.2", 1000 + number, 80)
    assert stage.live.counters()["flows"] == 81
    for number in range(19):
        stage.connection(4, "10.3.0.1", "10.3.0.2", 1000 + number, 80)
    # 100 are too many: 25 go, down to three quarters; all from those that are over, though others are silent as long.
    counted = stage.live.counters()
    assert counted["pressed"] == {"closed": 25}
    for number in range(40):
        stage.connection(5, "10.4.0.1", "10.4.0.2", 1000 + number, 80)
    kept = stage.ends()
    assert ("10.0.0.1", 40000) in kept
    gone = {port for port in range(1000, 1040) if ("10.2.0.1", port) not in kept}
    assert not {end for end in kept if end[0] == "10.1.0.1"}, "first all that are over"
    assert gone, "then the idle ones that were heard least lately"
    assert {("10.3.0.1", 1000 + number) for number in range(19)} <= kept


def test_sessions_that_are_over_go_whole_after_their_time() -> None:
    stage = Stage()
    stage.connection(1, "10.0.0.1", "10.0.0.2", 40000, 10000, close=True)
    stage.connection(2, "10.0.0.2", "10.0.0.1", 50100, 50101, close=True)
    stage.connection(2, "10.5.0.2", "10.5.0.1", 50100, 80, close=True)
    assert stage.live.evict((901 + 2) * SECOND) == {"closed": 1}
    assert len(stage.ends()) == 2
    assert stage.live.evict((86_400 + 1) * SECOND + SECOND // 2) == {}, "the data connection is younger"
    assert stage.live.evict((86_400 + 3) * SECOND) == {"session-ended": 2}
    assert stage.ends() == set()
    assert stage.live.counters()["evicted"] == {"closed": 1, "session-ended": 2}


def test_places_of_flows_that_are_gone_are_used_again_and_the_rest_stays_right() -> None:
    """Against a reading of the packets of the flows that must be left, both families of addresses."""
    rng = np.random.default_rng(7)
    stage, kept = Stage(max_flows=4096, unanswered_timeout=5), []
    for second in range(100):
        frames = []
        for number in range(30):
            host, port = int(rng.integers(1, 200)), int(rng.integers(1024, 65000))
            source = f"10.9.{second}.{host}" if number % 2 else f"fd00::{second:x}:{host:x}"
            target = "10.8.0.1" if number % 2 else "fd00::ffff"
            frames.append(tcp(source, target, port, 445, SYN))
        stage.put(second, *frames)
        if second % 10 == 0:
            stage.live.evict()
        if second >= 95:
            kept.extend((second, frame) for frame in frames)
    assert stage.live.evict(99 * SECOND + SECOND // 2)["unanswered"] > 0
    alone = Stage()
    for second, frame in kept:
        alone.put(second, frame)
    assert stage.ends() == alone.ends()
    ours, theirs = stage.live.snapshot(), alone.live.snapshot()
    for name in ("first_time", "orig_port", "orig_packets", "orig_bytes", "state", "transport"):
        assert ours.flow_columns()[name].tolist() == theirs.flow_columns()[name].tolist(), name
    assert [ours.address_text(code) for code in ours.flow_columns()["resp_addr"]] == [
        theirs.address_text(code) for code in theirs.flow_columns()["resp_addr"]
    ]


def test_sessions_stay_what_they_are_while_noise_comes_and_goes() -> None:
    """The committed capture in the midst of forged SYNs: messages, fields, streams and handshakes as without them."""
    path = capture("out-of-range")
    plain = _native.read_flows([path], **PORTS)
    live = _native.LiveReading(**PORTS, max_flows=512)
    live.open_frames("noise", 1)
    when = plain.files[0].first
    assert when is not None
    noise = [
        (when, tcp(f"172.16.{n >> 8 & 255}.{n & 255}", "10.0.0.2", 1024 + n % 60000, 10000, SYN), 54)
        for n in range(20_000)
    ]
    live.push(noise[:10_000])
    live.open_stream(path)
    pumped(live)
    live.open_frames("more noise", 1)
    live.push(noise[10_000:])
    seen = live.snapshot()
    assert live.counters()["flows"] <= 512
    for table in ("ndmp_messages", "ndmp_fields", "ndmp_streams"):
        ours, theirs = getattr(seen, table)(), getattr(plain, table)()
        for name, values in theirs.items():
            if name in {"packet", "tls_packet"}:
                # Numbers count over all sources; in its own each packet has the one that it has alone.
                assert [seen.place(packet)[1] if packet else 0 for packet in ours[name].tolist()] == values.tolist()
            elif name not in {"flow", "file", "address", "text"}:
                assert ours[name].tolist() == values.tolist(), (table, name)
    rows, old = seen.ndmp_messages()["flow"], plain.ndmp_messages()["flow"]
    for column in ("orig_port", "resp_port", "orig_packets", "resp_payload"):
        assert seen.flow_columns()[column][rows].tolist() == plain.flow_columns()[column][old].tolist()
    texts = [(reading.texts(), reading.ndmp_fields()["text"].tolist()) for reading in (seen, plain)]
    assert [texts[0][0][index] for index in texts[0][1] if index >= 0] == [
        texts[1][0][index] for index in texts[1][1] if index >= 0
    ]


def test_messages_are_bounded_and_the_announcements_outlive_the_rest() -> None:
    path = capture("out-of-range")
    names = _native.FIELD_NAMES
    live = _native.LiveReading(**PORTS, max_messages=64)
    live.open_stream(path)
    pumped(live)
    before = live.snapshot()
    assert len(before.ndmp_messages()["flow"]) > 64
    live.evict()
    after = live.snapshot()
    assert len(after.ndmp_messages()["flow"]) <= 64
    assert after.ndmp_fields()["message"].max() < len(after.ndmp_messages()["flow"])
    assert names.index("address") in after.ndmp_fields()["name"].tolist()


def test_many_files_one_after_another_are_kept_in_bounded_facts(tmp_path: Path) -> None:
    small = capture("notification")
    plain = _native.read_flows([small], **PORTS)
    live = _native.LiveReading(**PORTS)
    for _ in range(300):
        live.open_stream(small)
        pumped(live)
    reading = live.snapshot()
    assert len(reading.files) == 256
    assert reading.files[0].path == "(45 earlier captures)"
    assert sum(facts.packets for facts in reading.files) == 300 * plain.files[0].packets
    columns = reading.flow_columns()
    assert columns["last_file"].max() == 255
    assert live.counters()["packets"] == 300 * plain.files[0].packets


def test_counters_can_be_asked_for_while_it_is_pumped() -> None:
    live = _native.LiveReading()
    reader, _writer = os.pipe()
    live.open_fd(reader, "pipe")
    pumping = threading.Thread(target=live.pump, args=(300,))
    pumping.start()
    time.sleep(0.05)
    assert live.counters()["packets"] == 0
    pumping.join()
