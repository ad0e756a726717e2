"""Reads, cuts and writes capture files by the letter of their formats, for tests; knows nothing of the core."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from pathlib import Path

_HEADER = 24
_LITTLE = (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1")
_NANO = (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d")
_FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16}


@dataclass(frozen=True)
class Pcap:
    """A pcap file in parts: its header and its records, each with its own header."""

    header: bytes
    records: tuple[bytes, ...]

    @classmethod
    def read(cls, path: Path) -> Pcap:
        data = path.read_bytes()
        order = "<" if data[:4] in _LITTLE else ">"
        at, records = _HEADER, []
        while at < len(data):
            length = 16 + struct.unpack_from(f"{order}I", data, at + 8)[0]
            records.append(data[at : at + length])
            at += length
        return cls(data[:_HEADER], tuple(records))

    def ends(self) -> list[int]:
        """Return the offsets at which a record ends: only there may a file be cut without damage."""
        ends = [_HEADER]
        for record in self.records:
            ends.append(ends[-1] + len(record))
        return ends

    def part(self, first: int, last: int) -> bytes:
        return self.header + b"".join(self.records[first:last])

    def as_pcapng(self) -> bytes:
        """Return the same packets as pcapng with nanoseconds."""
        order = "<" if self.header[:4] in _LITTLE else ">"
        nano = self.header[:4] in _NANO
        snaplen, link = struct.unpack_from(f"{order}II", self.header, 16)
        written = _block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
        written += _block(1, struct.pack("<HHIHHB3xHH", link, 0, snaplen, 9, 1, 9, 0, 0))
        for record in self.records:
            seconds, fraction, captured, wire = struct.unpack_from(f"{order}IIII", record)
            time = seconds * 10**9 + fraction * (1 if nano else 1000)
            head = struct.pack("<IIIII", 0, time >> 32, time & 0xFFFFFFFF, captured, wire)
            written += _block(6, head + record[16:])
        return written


def _block(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    length = 12 + len(body)
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


class Writer:
    """Collects Ethernet frames of IPv4, one millisecond apart, into a little-endian pcap file."""

    def __init__(self, start: int = 1_700_000_000_000) -> None:
        """Begin at ``start``, milliseconds since the epoch."""
        self._time = start
        self._written = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)]

    def save(self, path: Path) -> Path:
        path.write_bytes(b"".join(self._written))
        return path

    def tcp(
        self, source: tuple[str, int], target: tuple[str, int], flags: str, seq: int, ack: int, data: bytes = b""
    ) -> None:
        bits = sum(_FLAGS[letter] for letter in flags)
        header = struct.pack(">HHIIBBHHH", source[1], target[1], seq, ack, 5 << 4, bits, 65535, 0, 0)
        self._ip(source[0], target[0], 6, header + data)

    def udp(self, source: tuple[str, int], target: tuple[str, int], data: bytes) -> None:
        self._ip(source[0], target[0], 17, struct.pack(">HHHH", source[1], target[1], 8 + len(data), 0) + data)

    def connection(
        self, orig: tuple[str, int], resp: tuple[str, int], talk: list[tuple[int, bytes]], *, close: bool = True
    ) -> None:
        """Write a connection from handshake to end; ``talk`` says who (0 the originator) sends what."""
        ends, sent = (orig, resp), [1001, 5001]
        self.tcp(orig, resp, "S", 1000, 0)
        self.tcp(resp, orig, "SA", 5000, 1001)
        self.tcp(orig, resp, "A", 1001, 5001)
        for who, data in talk:
            self.tcp(ends[who], ends[1 - who], "PA", sent[who], sent[1 - who], data)
            sent[who] += len(data)
        if close:
            self.tcp(orig, resp, "FA", sent[0], sent[1])
            self.tcp(resp, orig, "FA", sent[1], sent[0] + 1)
            self.tcp(orig, resp, "A", sent[0] + 1, sent[1] + 1)

    def _ip(self, source: str, target: str, protocol: int, payload: bytes) -> None:
        addresses = socket.inet_aton(source) + socket.inet_aton(target)
        head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0)
        frame = bytes(12) + b"\x08\x00" + head + addresses + payload
        self._time += 1
        stamp = struct.pack("<II", self._time // 1000, self._time % 1000 * 1000)
        self._written.append(stamp + struct.pack("<II", len(frame), len(frame)) + frame)


def greeting() -> bytes:
    """Return NDMP's NOTIFY_CONNECTED of a version 3 server as a record."""
    return _record(struct.pack(">IIIIIIII", 1, 1_700_000_000, 0, 0x502, 0, 0, 0, 3) + struct.pack(">I", 0))


def _record(body: bytes) -> bytes:
    return struct.pack(">I", 0x80000000 | len(body)) + body
