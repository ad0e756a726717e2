"""Grows the fuzz targets' first corpus out of captures: ``python seeds.py CAPTURES_FOLDER CORPUS_FOLDER``.

Reads classic pcap on Ethernet alone, which is what most captures of the repository are; the fuzzer finds the rest.
"""

from __future__ import annotations

import hashlib
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

MOST = 64 * 1024
FRAMES = 200


def frames(data: bytes) -> Iterator[bytes]:
    """Yield the frames of a little-endian pcap file."""
    at = 24
    while at + 16 <= len(data):
        (length,) = struct.unpack_from("<I", data, at + 8)
        yield data[at + 16 : at + 16 + length]
        at += 16 + length


def segments(data: bytes) -> dict[bytes, list[tuple[int, bytes]]]:
    """Return the TCP payloads of each connection on IPv4: side 0 for the one that spoke first, 1 for the other."""
    found: dict[bytes, list[tuple[int, bytes]]] = {}
    for frame in frames(data):
        if frame[12:14] != b"\x08\x00" or len(frame) < 54 or frame[23] != 6:
            continue
        start = 14 + (frame[14] & 15) * 4
        payload = frame[start + (frame[start + 12] >> 4) * 4 : 14 + struct.unpack_from(">H", frame, 16)[0]]
        one, other = frame[26:30] + frame[start : start + 2], frame[30:34] + frame[start + 2 : start + 4]
        key = one + other if one + other in found or other + one not in found else other + one
        if payload:
            found.setdefault(key, []).append((0 if key.startswith(one) else 1, payload))
        else:
            found.setdefault(key, [])
    return found


def put(folder: Path, seed: bytes) -> None:
    """Write a seed under the name of its digest."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)


def main(captures: Path, corpus: Path) -> None:
    """Write seeds for all targets."""
    for path in sorted([*captures.rglob("*.pcap"), *captures.rglob("*.pcapng")]):
        data = path.read_bytes()
        put(corpus / "container", data[:MOST])
        if data[:4] != b"\xd4\xc3\xb2\xa1" or data[20:22] != b"\x01\x00":
            continue
        for frame in list(frames(data))[:FRAMES]:
            put(corpus / "decoder", b"\x00\x01\x00" + frame)
        for said in segments(data).values():
            steps = b"".join(bytes([side]) + struct.pack(">H", len(text)) + text for side, text in said)
            put(corpus / "ndmp", b"\x00" + steps[:MOST])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
