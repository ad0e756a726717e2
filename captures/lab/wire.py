"""NDMP on a socket: record marking, headers, the XDR of the few messages the lab speaks. Versions 2, 3 and 4.

Written from draft-skardal-ndmp4-04 and the published version 2 and 3 XDR; shares nothing with the auditor.
"""

from __future__ import annotations

import hashlib
import json
import select
import socket
import ssl
import struct
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]
End = tuple[str, int]

NAMES = {
    0x100: "CONFIG_GET_HOST_INFO",
    0x103: "CONFIG_GET_AUTH_ATTR",
    0x108: "CONFIG_GET_SERVER_INFO",
    0x400: "DATA_GET_STATE",
    0x401: "DATA_START_BACKUP",
    0x402: "DATA_START_RECOVER",
    0x404: "DATA_GET_ENV",
    0x407: "DATA_STOP",
    0x409: "DATA_LISTEN",
    0x40A: "DATA_CONNECT",
    0x501: "NOTIFY_DATA_HALTED",
    0x502: "NOTIFY_CONNECTED",
    0x503: "NOTIFY_MOVER_HALTED",
    0x900: "CONNECT_OPEN",
    0x901: "CONNECT_CLIENT_AUTH",
    0x902: "CONNECT_CLOSE",
    0xA00: "MOVER_GET_STATE",
    0xA01: "MOVER_LISTEN",
    0xA04: "MOVER_STOP",
    0xA05: "MOVER_SET_WINDOW",
    0xA08: "MOVER_SET_RECORD_SIZE",
    0xA09: "MOVER_CONNECT",
}
CODES = {name: code for code, name in NAMES.items()}
CODES["SSL"] = 0xF383
LOCAL, TCP, TCP6 = 0, 1, 0x20510004
NOT_AUTHORIZED, ILLEGAL_ARGS, NOT_SUPPORTED, CONNECT_ERROR = 4, 9, 1, 23


def u32(*numbers: int) -> bytes:
    """Encode words."""
    return struct.pack(f">{len(numbers)}I", *numbers)


def u64(number: int) -> bytes:
    """Encode a double word, the high one first."""
    return struct.pack(">Q", number)


def text(value: str | bytes) -> bytes:
    """Encode a string: its length, its bytes, zeros up to the next word."""
    data = value.encode() if isinstance(value, str) else value
    return u32(len(data)) + data + bytes(-len(data) % 4)


def pairs(values: dict[str, str]) -> bytes:
    """Encode environment pairs."""
    return u32(len(values)) + b"".join(text(name) + text(value) for name, value in values.items())


def encode_end(version: int, end: End | None) -> bytes:
    """Encode an address as this version does; None stands for local."""
    if end is None:
        return u32(LOCAL)
    count = u32(1) if version == 4 else b""
    environment = u32(0) if version == 4 else b""
    if ":" in end[0]:
        return u32(TCP6) + count + socket.inet_pton(socket.AF_INET6, end[0]) + u32(end[1]) + environment
    return u32(TCP) + count + socket.inet_aton(end[0]) + u32(end[1]) + environment


class Body:
    """Takes a message's body apart, from its beginning."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def u32(self) -> int:
        """Take a word."""
        (value,) = struct.unpack_from(">I", self._data, self._at)
        self._at += 4
        return int(value)

    def u64(self) -> int:
        """Take a double word."""
        return self.u32() << 32 | self.u32()

    def raw(self, count: int) -> bytes:
        """Take bytes and what fills up their last word."""
        value = self._data[self._at : self._at + count]
        self._at += count + -count % 4
        return value

    def text(self) -> str:
        """Take a string."""
        return self.raw(self.u32()).decode()

    def pairs(self) -> dict[str, str]:
        """Take environment pairs."""
        return {self.text(): self.text() for _ in range(self.u32())}

    def end(self, version: int) -> End | None:
        """Take an address; None stands for local."""
        kind = self.u32()
        if kind == LOCAL:
            return None
        if version == 4:
            self.u32()
        host = socket.inet_ntop(socket.AF_INET6, self.raw(16)) if kind == TCP6 else socket.inet_ntoa(self.raw(4))
        return host, self.u32()


@dataclass(frozen=True)
class Message:
    """A message as it was received."""

    sequence: int
    reply: bool
    code: int
    answers: int
    error: int
    body: bytes


class Channel:
    """One end of a control connection. ``said`` collects what was sent and received, as truths write it."""

    def __init__(self, connection: socket.socket, *, server: bool) -> None:
        self.socket = connection
        self.said: list[Json] = []
        self._server = server
        self._sequence = 0

    def send(self, code: int, body: bytes = b"", *, answers: int | None = None, error: int = 0) -> int:
        """Send a request, a post (``answers`` None) or a reply; return its sequence number."""
        self._sequence += 1
        reply = answers is not None
        header = u32(self._sequence, int(time.time()), int(reply), code, answers or 0, error)
        self._note(ours=True, reply=reply, code=code, sequence=self._sequence)
        record = header + body
        self.socket.sendall(u32(0x80000000 | len(record)) + record)
        return self._sequence

    def receive(self, patience: float) -> Message | None:
        """Return the next message, None if none begins within ``patience`` seconds; raises EOFError at the end."""
        pending = isinstance(self.socket, ssl.SSLSocket) and self.socket.pending()
        if not pending and not select.select([self.socket], [], [], patience)[0]:
            return None
        record, last = b"", False
        while not last:
            marker = int.from_bytes(self._exactly(4))
            last = bool(marker >> 31)
            record += self._exactly(marker & 0x7FFFFFFF)
        sequence, _, kind, code, answers, error = struct.unpack_from(">6I", record)
        self._note(ours=False, reply=bool(kind), code=code, sequence=sequence)
        return Message(sequence, bool(kind), code, answers, error, record[24:])

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def _note(self, *, ours: bool, reply: bool, code: int, sequence: int) -> None:
        who = "server" if ours == self._server else "client"
        name = NAMES.get(code, f"{code:#x}")
        self.said.append(
            {"t": time.time(), "who": f"{who} {'reply' if reply else 'request'}", "message": name, "seq": sequence}
        )


def digest(password: bytes, challenge: bytes) -> bytes:
    """Return the MD5 answer to a challenge: password, zeros, challenge, password in a block of 128 bytes."""
    block = bytearray(128)
    block[: len(password)] = password
    block[64 - len(password) : 64 - len(password) + len(challenge)] = challenge
    block[128 - len(password) :] = password
    return hashlib.md5(bytes(block), usedforsecurity=False).digest()


class Log:
    """A file of JSON lines: what one process saw."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1)

    def tell(self, event: str, **facts: Any) -> None:
        """Write a line."""
        self._file.write(json.dumps({"event": event, "t": time.time(), **facts}) + "\n")


def ends(connection: socket.socket) -> Json:
    """Return both ends of a connection as its socket sees them."""
    local, remote = connection.getsockname()[:2], connection.getpeername()[:2]
    return {"local": plain(local), "remote": plain(remote)}


def plain(end: Iterable[Any]) -> list[Any]:
    """Write an end without the prefix that IPv6 sockets give to IPv4 addresses."""
    host, port = end
    return [str(host).removeprefix("::ffff:"), port]
