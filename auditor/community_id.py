"""Community ID version 1, seed 0: one short name for a flow that Zeek, Suricata, Wireshark and others give it as well.

``1:`` and the Base64 of a SHA-1 over seed, the lower end, the higher end, protocol and ports; the same in both
directions. (github.com/corelight/community-id-spec). ICMP needs type and code, which flows do not keep: no name.
"""

from __future__ import annotations

import binascii
import ipaddress
from hashlib import sha1

PORTS = frozenset({6, 17, 132})
"""Protocols with ports: TCP, UDP, SCTP. Others are named by their addresses alone."""

UNNAMED = frozenset({1, 58})
"""ICMP and ICMPv6."""

_SEED = bytes(2)
_NUMBERS = {"tcp": 6, "udp": 17, "icmp": 1, "icmp6": 58}


def community_id(transport: str, originator: str, responder: str) -> str:
    """Return the Community ID of a flow as evidence names it (``10.0.0.1:40000``, ``[2001:db8::1]:40000``).

    Empty where it has none, and for what is no such flow: nothing is raised.
    """
    try:
        number = _NUMBERS.get(transport) or int(transport)
        ends = sorted(_packed(end, ports=number in PORTS) for end in (originator, responder))
    except ValueError:
        return ""
    (low, low_port), (high, high_port) = ends
    if number in UNNAMED or not 0 <= number <= 255 or len(low) != len(high):
        return ""
    head = _SEED + low + high + bytes((number, 0))
    return f"1:{digest_text(sha1(head + low_port + high_port, usedforsecurity=False).digest())}"


def digest_text(digest: bytes) -> str:
    """Return a digest in Base64."""
    return binascii.b2a_base64(digest, newline=False).decode("ascii")


def _packed(end: str, *, ports: bool) -> tuple[bytes, bytes]:
    """Return address and port in network order; no port where the protocol has none. Raises ValueError."""
    address, colon, port = end.rpartition(":")
    if not colon:
        raise ValueError(end)
    number = int(port)
    if not 0 <= number <= 65535:
        raise ValueError(end)
    packed = ipaddress.ip_address(address.removeprefix("[").removesuffix("]")).packed
    return packed, number.to_bytes(2) if ports else b""
