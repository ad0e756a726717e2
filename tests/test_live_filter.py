"""Filters for the kernel, run by the kernel: a datagram socket with the filter gets what passes."""

from __future__ import annotations

import ctypes
import ipaddress
import socket
import struct
import sys

import pytest

from auditor import _native
from tests.test_live_reading import SYN, tcp

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="filters of this kind are Linux's")

ATTACH_FILTER = 26


def passing(program: list[tuple[int, int, int, int]], frames: list[bytes]) -> list[bytes]:
    """Return what the kernel lets through of each frame."""
    out, into = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in program)
    held = ctypes.create_string_buffer(code)
    into.setsockopt(socket.SOL_SOCKET, ATTACH_FILTER, struct.pack("HP", len(program), ctypes.addressof(held)))
    into.setblocking(False)
    passed = []
    for frame in frames:
        out.send(frame)
        try:
            passed.append(into.recv(1 << 16))
        except BlockingIOError:
            passed.append(b"")
    out.close()
    into.close()
    return passed


NETWORKS = [("10.1.0.0", 16), ("192.0.2.7", 32), ("fd00:1::", 32), ("2001:db8::7", 128), ("fd00:2:0:ff00::", 56)]
ADDRESSES = [
    "10.1.0.0", "10.1.255.255", "10.0.255.255", "10.2.0.0", "192.0.2.7", "192.0.2.6", "0.0.0.0", "255.255.255.255",
]
ADDRESSES_V6 = [
    "fd00:1::", "fd00:1:ffff::1", "fd00:2::1", "2001:db8::7", "2001:db8::8", "2001:db8:0:1::7", "::", "fd00:2:0:ff99::1",
    "fd00:2:0:fe00::", "fd00:2:0:ff00::5",
]  # fmt: skip


@pytest.mark.parametrize("addresses", [ADDRESSES, ADDRESSES_V6], ids=["ipv4", "ipv6"])
@pytest.mark.parametrize("link_type", [1, 101], ids=["ethernet", "raw"])
def test_packets_of_the_networks_pass_and_no_others(addresses: list[str], link_type: int) -> None:
    program = _native.network_filter(NETWORKS, snaplen=200, link_type=link_type)
    assert program is not None
    pairs = [(one, other) for one in addresses for other in addresses]
    networks = [ipaddress.ip_network(f"{address}/{length}") for address, length in NETWORKS]
    wanted = [any(ipaddress.ip_address(end) in network for end in pair for network in networks) for pair in pairs]
    start = 14 if link_type == 101 else 0
    frames = [tcp(one, other, 1, 2, SYN)[start:] for one, other in pairs]
    assert [bool(passed) for passed in passing(program, frames)] == wanted


def test_what_may_hide_a_packet_passes_and_what_cannot_does_not() -> None:
    program = _native.network_filter(NETWORKS)
    assert program is not None
    plain = tcp("10.9.0.1", "10.9.0.2", 1, 2, SYN)
    hiding = [plain[:12] + struct.pack("!HH", kind, 5) + plain[12:] for kind in (0x8100, 0x88A8, 0x8847, 0x8864)]
    tunnels = [plain[:23] + bytes([protocol]) + plain[24:] for protocol in (4, 41, 47, 97)]
    assert all(passing(program, hiding + tunnels))
    arp = bytes(12) + b"\x08\x06" + bytes(28)
    assert passing(program, [plain, arp, b"", bytes(13)]) == [b"", b"", b"", b""]


def test_the_snaplen_is_the_filters() -> None:
    program = _native.network_filter([("10.1.0.0", 16)], snaplen=60)
    assert program is not None
    (passed,) = passing(program, [tcp("10.1.0.1", "10.9.0.2", 1, 2, SYN, bytes(500))])
    assert len(passed) == 60


def test_networks_that_are_none_and_filters_that_are_too_long() -> None:
    with pytest.raises(ValueError, match="no address: example"):
        _native.network_filter([("example", 8)])
    with pytest.raises(ValueError, match="no prefix of 10.0.0.0: 33"):
        _native.network_filter([("10.0.0.0", 33)])
    many = [(str(ipaddress.ip_address(number)), 32) for number in range(5000)]
    assert _native.network_filter(many) is None
