"""The packet ring on real interfaces, in network namespaces; what is sent is known, frame by frame."""

from __future__ import annotations

import shutil
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from auditor import _native
from bench.sender import BATCH, send
from tests.netns import Pair, inside, ip, needs_namespaces
from tests.test_live_reading import ACK, PORTS, PSH, SYN, tcp

pytestmark = needs_namespaces


@pytest.fixture
def pair() -> Iterator[Pair]:
    with Pair() as pair:
        yield pair


def ring(pair: Pair, **options: Any) -> _native.LiveReading:
    live = _native.LiveReading(**PORTS)
    with inside(pair.listening):
        live.open_ring("tap", **options)
    return live


def pump_until(live: _native.LiveReading, count: int, seconds: float = 100) -> int:
    """Pump until so many packets came, or the time is over; return how many are there."""
    deadline = time.monotonic() + seconds
    while (packets := live.counters()["packets"]) < count and time.monotonic() < deadline:
        live.pump(50)
    return int(packets)


def wait_for(live: _native.LiveReading, holds: Callable[[dict[str, Any]], bool]) -> None:
    """Pump until the counters are as they should be, or a long time is over."""
    deadline = time.monotonic() + 100
    while not holds(live.counters()) and time.monotonic() < deadline:
        live.pump(50)


FRAMES = [
    tcp("10.0.0.1", "10.0.0.2", 40000, 10000, SYN),
    tcp("10.0.0.2", "10.0.0.1", 10000, 40000, SYN | ACK),
    tcp("10.0.0.1", "10.0.0.2", 40000, 10000, ACK | PSH, b"x" * 1000, seq=2),
    tcp("fd00::1", "fd00::2", 40000, 445, SYN),
]


def test_what_is_sent_is_seen(pair: Pair) -> None:
    live = ring(pair)
    before = time.time_ns()
    pair.send(*FRAMES)
    assert pump_until(live, 4) == 4
    reading = live.snapshot()
    columns = reading.flow_columns()
    assert columns["orig_packets"].tolist() == [2, 1]
    assert columns["resp_packets"].tolist() == [1, 0]
    assert columns["orig_bytes"].tolist() == [54 + 1054, 74]
    assert [reading.address_text(code) for code in columns["resp_addr"]] == ["10.0.0.2", "fd00::2"]
    assert before <= columns["first_time"][0] <= columns["last_time"][1] <= time.time_ns()
    (facts,) = reading.files
    assert (facts.path, facts.format, facts.status, facts.drops) == ("tap", "live (packet ring)", "read", 0)
    counted = live.counters()
    assert (counted["received"], counted["kernel_drops"], counted["interface_up"]) == (4, 0, True)


def test_vlan_tags_that_the_kernel_took_out_are_put_back(pair: Pair) -> None:
    plain = FRAMES[0]
    tagged = [
        plain[:12] + struct.pack("!HH", kind, 3 << 13 | vlan) + plain[12:]
        for kind, vlan in ((0x8100, 42), (0x88A8, 77))
    ]
    live = ring(pair)
    pair.send(tagged[0])
    assert pump_until(live, 1) == 1
    columns = live.snapshot().flow_columns()
    assert (columns["vlan"].tolist(), columns["orig_bytes"].tolist()) == ([42], [len(tagged[0])])
    live = ring(pair)
    pair.send(tagged[1])
    pump_until(live, 1)
    columns = live.snapshot().flow_columns()
    assert (columns["vlan"].tolist(), columns["orig_bytes"].tolist()) == ([77], [len(tagged[1])])


def test_a_snaplen_cuts_frames_and_the_length_on_the_wire_stays(pair: Pair) -> None:
    live = ring(pair, snaplen=96)
    pair.send(*FRAMES)
    assert pump_until(live, 4) == 4
    reading = live.snapshot()
    assert reading.files[0].cut == 1
    assert reading.files[0].captured_bytes == 54 + 54 + 96 + 74
    assert reading.flow_columns()["orig_payload"].tolist() == [1000, 0]


def test_the_kernel_lets_through_what_the_filter_says(pair: Pair) -> None:
    live = ring(pair, program=_native.network_filter([("10.0.0.0", 24)]))
    others = tcp("10.0.1.1", "10.0.1.2", 1, 2, SYN)
    pair.send(others, *FRAMES, others)
    assert pump_until(live, 3) == 3
    live.pump(150)
    assert live.counters()["received"] == 3


def test_several_rings_share_the_frames_and_a_flow_stays_whole(pair: Pair) -> None:
    live = ring(pair, rings=2)
    for port in range(1000, 1200):
        there, back = ("10.0.0.1", "10.0.0.2", port, 445), ("10.0.0.2", "10.0.0.1", 445, port)
        pair.send(tcp(*there, SYN), tcp(*back, SYN | ACK), tcp(*there, ACK, seq=2))
        live.pump(1)
    assert pump_until(live, 600) == 600, live.counters()
    columns = live.snapshot().flow_columns()
    assert columns["orig_packets"].tolist() == [2] * 200
    assert {_native.STATES[state] for state in columns["state"]} == {"S1"}


def test_the_sender_of_the_bench_gives_the_kernel_many_frames_by_one_call(pair: Pair) -> None:
    live = ring(pair)
    with inside(pair.sending):
        sent, _, by_one_call = send(FRAMES, "gen", 20_000, 0.05)
    # It did one by one for a week: the second header lay where the kernel does not look.
    assert by_one_call > BATCH / 2
    assert pump_until(live, sent) == sent
    assert set(live.snapshot().flow_columns()["resp_port"].tolist()) == {10000, 445}


def test_drops_are_counted_not_silent(pair: Pair) -> None:
    live = ring(pair, block_size=4096, blocks=2)
    pair.send(*[FRAMES[2]] * 500)
    # The kernel counts a frame when it comes; it is taken when its block is handed over, a little later.
    wait_for(live, lambda told: told["packets"] + told["kernel_drops"] >= 500)
    counted = live.counters()
    assert counted["kernel_drops"] > 0
    assert counted["packets"] + counted["kernel_drops"] == counted["received"] == 500
    assert live.snapshot().files[0].drops == counted["kernel_drops"]


def test_packets_are_taken_while_nobody_pumps(pair: Pair) -> None:
    live = ring(pair, block_size=4096, blocks=2)
    live.pump(1)
    # A report is written, or a disk is slow: what comes meanwhile is far more than the ring holds.
    deadline = time.monotonic() + 100
    for sent in range(2, 202, 2):
        pair.send(*[FRAMES[2]] * 2)
        while live.counters()["packets"] < sent and time.monotonic() < deadline:
            time.sleep(0.01)
    counted = live.counters()
    assert (counted["packets"], counted["kernel_drops"]) == (200, 0)
    assert live.pump(1) == 200
    live.close()
    assert live.ended


def test_who_looks_at_the_reading_and_who_takes_packets_let_one_another_pass(pair: Pair) -> None:
    live = ring(pair)
    live.pump(1)
    for sent in range(1, 51):
        pair.send(FRAMES[0])
        live.evict()
        assert live.snapshot().files[0].packets <= sent
    assert pump_until(live, 50) == 50


def test_an_interface_that_goes_down_and_comes_up_is_heard_again(pair: Pair) -> None:
    live = ring(pair)
    pair.send(FRAMES[0])
    assert pump_until(live, 1) == 1
    ip("-n", pair.listening, "link", "set", "tap", "down")
    wait_for(live, lambda told: not told["interface_up"])
    counted = live.counters()
    assert (counted["interface_downs"], counted["interface_up"]) == (1, False)
    assert live.error == "the interface tap is down at the moment"
    ip("-n", pair.listening, "link", "set", "tap", "up")
    wait_for(live, lambda told: told["interface_up"])
    pair.send(FRAMES[1])
    assert pump_until(live, 2) == 2
    assert live.counters()["interface_up"]
    assert live.error == ""


def test_an_interface_that_is_made_anew_is_opened_anew(pair: Pair) -> None:
    live = ring(pair)
    with inside(pair.listening):
        ip("link", "delete", "tap")
        wait_for(live, lambda told: not told["interface_up"])
        assert live.error == "there is no interface tap at the moment; it is looked for every second"
        pair.join()
        wait_for(live, lambda told: told["interface_up"])
    pair.send(FRAMES[0])
    assert pump_until(live, 1) == 1
    assert live.counters()["reopened"] == 1


def test_loopback_shows_every_packet_once(pair: Pair) -> None:
    live = _native.LiveReading(**PORTS)
    with inside(pair.listening):
        ip("link", "set", "lo", "up")
        live.open_ring("lo")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.sendto(b"hello", ("127.0.0.1", 9))
    pump_until(live, 1)
    live.pump(150)
    columns = live.snapshot().flow_columns()
    udp = columns["transport"] == 17
    assert columns["orig_packets"][udp].tolist() == [1]


OPEN = """
import errno, os, sys
from auditor import _native
if sys.argv[1] == "drop":
    _native.drop_privileges([13] if sys.argv[2] == "keep" else [])
live = _native.LiveReading()
try:
    live.open_ring("lo", promiscuous=True)
    print("open", os.getuid(), _native.holds_net_raw())
except OSError as error:
    print(errno.errorcode[error.errno], error.strerror)
try:
    os.setuid(12345)
    print("still root")
except PermissionError:
    print("gave up the rest")
"""


def run_open(*words: str, before: tuple[str, ...] = ()) -> list[str]:
    done = subprocess.run([*before, sys.executable, "-c", OPEN, *words], capture_output=True, text=True, check=False)
    return done.stdout.splitlines() or [done.stderr]


def test_privileges_that_are_given_up_are_gone_and_the_ring_needs_one_alone(pair: Pair) -> None:
    with inside(pair.listening):
        assert run_open("drop", "keep") == ["open 0 True", "gave up the rest"]
        told, rest = run_open("drop", "nothing")
    assert told.startswith("EPERM opening a packet socket: ")
    assert rest == "gave up the rest"


def test_as_nobody_with_that_privilege_alone(pair: Pair) -> None:
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv (util-linux) is not installed")
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs")
    reachable = subprocess.run(
        [*nobody, sys.executable, "-c", "import auditor._native"], capture_output=True, check=False
    )
    if reachable.returncode:
        pytest.skip("nobody may not read this checkout")
    with inside(pair.listening):
        given = run_open("as-is", before=(*nobody, "--inh-caps=+net_raw", "--ambient-caps=+net_raw"))
        without = run_open("as-is", before=nobody)
    assert given == ["open 65534 True", "gave up the rest"]
    assert without[0].startswith("EPERM opening a packet socket: ")


def test_what_cannot_be_opened_says_why() -> None:
    live = _native.LiveReading()
    with pytest.raises(OSError, match="looking for the interface: No such device"):
        live.open_ring("nowhere0")
    with pytest.raises(OSError, match="making the ring"):
        live.open_ring("lo", block_size=5000)
    with pytest.raises(OSError, match="setting the filter: Invalid argument"):
        live.open_ring("lo", program=[(0xFFFF, 0, 0, 0)])
