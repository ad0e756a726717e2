"""Grows the fuzz targets' first corpus out of captures: ``python seeds.py CORPUS_FOLDER CAPTURES_FOLDER...``.

Whole files and compressed ones for ``container``; frames of any link type for ``decoder``, conversations for ``ndmp``,
both out of classic little-endian pcap alone, which is what most captures are: the fuzzer finds the rest. ``stream`` needs
no seed.
"""

from __future__ import annotations

import gzip
import hashlib
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

MOST = 64 * 1024
FRAMES = 200
LITTLE_ENDIAN = (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1")
ETHERNET = 1
#: Files beside captures that are none.
TEXTS = {".md", ".json", ".tsv", ".yaml", ".yml", ".txt", ".py", ".keys", ".ndjson"}
#: Where fuzz_targets/ndmp.rs has a port, in its list of them.
PLACES = {
    10000: 0,
    9999: 2,
    25: 3,
    443: 4,
    6101: 5,
    53: 6,
    137: 7,
    5353: 8,
    5355: 9,
    138: 10,
    67: 11,
    68: 12,
    123: 13,
    161: 14,
    3527: 15,
}
DATAGRAMS = 0x40
#: Compressors, by what they are called with; those that are not installed give no seeds.
COMPRESSORS = (("zstd", "-qc"), ("xz", "-c"), ("lz4", "-qc"), ("bzip2", "-c"))


def frames(data: bytes) -> Iterator[bytes]:
    """Yield the frames of a little-endian pcap file."""
    at = 24
    while at + 16 <= len(data):
        (length,) = struct.unpack_from("<I", data, at + 8)
        yield data[at + 16 : at + 16 + length]
        at += 16 + length


def conversations(data: bytes) -> Iterator[bytes]:
    """Yield each conversation on TCP or UDP over IPv4, as steps for fuzz_targets/ndmp.rs."""
    found: dict[bytes, bytearray] = {}
    for frame in frames(data):
        protocol = frame[23] if frame[12:14] == b"\x08\x00" and len(frame) >= 54 else 0
        if protocol not in {6, 17}:
            continue
        start = 14 + (frame[14] & 15) * 4
        header = 8 if protocol == 17 else (frame[start + 12 : start + 13] or b"\x50")[0] >> 2 & 0x3C
        payload = frame[start + header : 14 + struct.unpack_from(">H", frame, 16)[0]][:0x1FFF]
        one, other = frame[26:30] + frame[start : start + 2], frame[30:34] + frame[start + 2 : start + 4]
        side = int(other + one in found)
        key = other + one if side else one + other
        ports = [int.from_bytes(end[4:], "big") for end in (other, one)]
        place = next((PLACES[port] for port in ports if port in PLACES), 2)
        steps = found.setdefault(key, bytearray([place | (DATAGRAMS if protocol == 17 else 0)]))
        if payload and len(steps) < MOST:
            steps += bytes([side]) + struct.pack(">H", len(payload)) + payload
    return (bytes(steps[:MOST]) for steps in found.values())


def compressed(path: Path) -> Iterator[bytes]:
    """Yield a file in each compression that can be made here."""
    yield gzip.compress(path.read_bytes(), mtime=0)
    for command in COMPRESSORS:
        if shutil.which(command[0]):
            yield subprocess.run([*command, str(path)], stdout=subprocess.PIPE, check=True).stdout  # noqa: S603


def put(folder: Path, seed: bytes) -> None:
    """Write a seed under the name of its digest."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)


def grow(path: Path, corpus: Path) -> None:
    """Write the seeds that a file gives."""
    data = path.read_bytes()
    put(corpus / "container", data[:MOST])
    if len(data) < MOST // 8:
        for seed in compressed(path):
            put(corpus / "container", seed[:MOST])
    if data[:4] not in LITTLE_ENDIAN or len(data) < 24:
        return
    (link,) = struct.unpack_from("<H", data, 20)
    for frame in list(frames(data))[:FRAMES]:
        put(corpus / "decoder", struct.pack(">HB", link, 0) + frame)
    if link == ETHERNET:
        for steps in conversations(data):
            put(corpus / "ndmp", steps)


def main(corpus: Path, folders: list[Path]) -> None:
    """Write seeds for all targets."""
    for folder in folders:
        for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix not in TEXTS):
            grow(path, corpus)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
