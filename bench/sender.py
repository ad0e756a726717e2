#!/usr/bin/env python3
"""Sends the frames of a capture over and over on an interface, at a rate: many frames by one call (sendmmsg), in one thread.

    bench/sender.py CAPTURE INTERFACE RATE SECONDS

Prints how many frames were sent, how many a second that was, and how many by one call. Needs root, and an interface of its own: bench/live.py makes one.
"""

from __future__ import annotations

import ctypes
import socket
import struct
import sys
import time
from pathlib import Path

BATCH = 64
LARGEST = 1514
"""Bytes of a frame that fits Ethernet; larger ones were put together by the machine that captured them."""
SOL_PACKET, PACKET_QDISC_BYPASS = 263, 20


class Vector(ctypes.Structure):
    """struct iovec."""

    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class Message(ctypes.Structure):
    """struct msghdr. A structure of its own: its padding belongs to it, and what follows begins behind that."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("vectors", ctypes.POINTER(Vector)),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class Header(ctypes.Structure):
    """struct mmsghdr."""

    _fields_ = (("message", Message), ("sent", ctypes.c_uint32))


def frames(capture: Path) -> list[bytes]:
    """Return the frames of a pcap file (little-endian) that fit Ethernet."""
    data, at, found = capture.read_bytes(), 24, []
    while at + 16 <= len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        found.append(data[at + 16 : at + 16 + length])
        at += 16 + length
    return [frame for frame in found if 14 <= len(frame) <= LARGEST]


def send(frames: list[bytes], interface: str, rate: float, seconds: float) -> tuple[int, float, float]:
    """Send at a rate for so long; return how many frames were sent, how many a second, and how many by one call."""
    count = len(frames)
    # One round and a batch, so that a batch may begin anywhere.
    several = (frames * (BATCH // count + 2))[: count + BATCH]
    vectors = (Vector * len(several))(
        *(Vector(ctypes.cast(ctypes.c_char_p(frame), ctypes.c_void_p), len(frame)) for frame in several)
    )
    headers = (Header * len(several))()
    for place in range(len(several)):
        headers[place].message.vectors = ctypes.pointer(vectors[place])
        headers[place].message.vector_count = 1
    call = ctypes.CDLL(None, use_errno=True).sendmmsg
    size = ctypes.sizeof(Header)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
        out.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
        out.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8 << 20)
        out.bind((interface, 0))
        number, sent, calls, began = out.fileno(), 0, 0, time.perf_counter()
        while (now := time.perf_counter() - began) < seconds:
            if sent > now * rate:
                continue
            done = call(number, ctypes.byref(headers, sent % count * size), BATCH, 0)
            sent, calls = sent + max(0, done), calls + 1
        return sent, sent / (time.perf_counter() - began), sent / max(1, calls)


if __name__ == "__main__":
    print(*send(frames(Path(sys.argv[1])), sys.argv[2], float(sys.argv[3]), float(sys.argv[4])))
