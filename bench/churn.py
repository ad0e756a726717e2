#!/usr/bin/env python3
"""Replay ten million distinct flows through a live reading and keep the curve of its memory.

    bench/churn.py [--flows 10000000] [--max-flows 262144] [--curve FILE]
    bench/churn.py --watch

Twelve hours in minutes: of ten flows, six are SYNs that nobody answers (a new source each), two are connections that open
and close, two are datagrams. A real backup session is read before; it must be whole in the end. Every 250,000 flows the
reading is looked at, as ``auditor watch`` does, and its resident memory noted.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from auditor import _native  # noqa: E402

HOURS = 12
BATCH = 50_000
RECORD = np.dtype(
    [
        ("seconds", "<u4"), ("nanos", "<u4"), ("kept", "<u4"), ("length", "<u4"), ("macs", "V12"), ("type", ">u2"),
        ("version", ">u2"), ("total", ">u2"), ("id", ">u2"), ("fragment", ">u2"), ("ttl", "u1"), ("protocol", "u1"),
        ("checksum", ">u2"), ("source", ">u4"), ("destination", ">u4"), ("sport", ">u2"), ("dport", ">u2"),
        ("seq", ">u4"), ("ack", ">u4"), ("offset", "u1"), ("flags", "u1"), ("window", ">u2"), ("sum", ">u2"), ("urgent", ">u2"),
    ]
)  # fmt: skip
SYN, ACK, FIN = 2, 16, 1


def packets(first: int, count: int, flows: int, begin: float) -> bytes:
    """Return pcap records of ``count`` flows from number ``first`` on, in order of time."""
    number = np.arange(first, first + count, dtype=np.int64)
    kind = number % 10
    opened = number[kind >= 8]
    parts = [_frames(number[kind < 6], SYN, 6), _frames(number[(kind >= 6) & (kind < 8)], 0, 17)]
    for turn, (flags, back) in enumerate(
        [(SYN, False), (SYN | ACK, True), (ACK, False), (ACK | FIN, False), (ACK | FIN, True), (ACK, False)]
    ):
        parts.append(_frames(opened, flags, 6, back=back, seq=int(turn > 2) + int(turn > 3)))
    # As plain bytes: NumPy would turn joined numbers to the machine's own order.
    frames = np.concatenate([part.view(f"V{RECORD.itemsize}") for part in parts]).view(RECORD)
    moments = np.concatenate([number[kind < 6], number[(kind >= 6) & (kind < 8)], *[opened] * 6])
    frames, moments = (values[np.argsort(moments, kind="stable")] for values in (frames, moments))
    when = begin + moments * (HOURS * 3600 / flows)
    frames["seconds"] = when.astype(np.uint32)
    frames["nanos"] = ((when % 1) * 1e9).astype(np.uint32)
    return frames.tobytes()


def _frames(number: np.ndarray, flags: int, protocol: int, *, back: bool = False, seq: int = 0) -> np.ndarray:
    frames = np.zeros(len(number), RECORD)
    frames["kept"] = frames["length"] = 54
    frames["type"], frames["version"], frames["total"], frames["ttl"] = 0x0800, 0x4500, 40, 64
    frames["id"] = number & 0xFFFF
    frames["protocol"] = protocol
    # 10.0.0.0/8 and up: a new source for each, so that no flow comes twice.
    ends = (0x0B000000 + number, np.full(len(number), 0x0A000002))
    ports = (1024 + number % 60000, np.where(number % 10 < 6, 10000, 445))
    frames["source"], frames["destination"] = ends[::-1] if back else ends
    frames["sport"], frames["dport"] = ports[::-1] if back else ports
    frames["seq"], frames["offset"], frames["flags"] = 1 + seq, 5 << 4, flags
    if protocol == 17:  # a datagram of 20 bytes, header included
        frames["seq"] = 20 << 16
    return frames


def resident() -> float:
    """Return the resident memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def write(out: IO[bytes], flows: int, begin: float) -> None:
    """Write the churn as pcap with nanoseconds, Ethernet, and close."""
    with out:
        out.write(np.array([0xA1B23C4D, 4 << 16 | 2, 0, 0, 65535, 1], "<u4").tobytes())
        for first in range(0, flows, BATCH):
            out.write(packets(first, min(BATCH, flows - first), flows, begin))


def watched(flows: int, most: float) -> int:
    """Send the churn to ``auditor watch -``, with audits and a report; 1 when it took more memory than allowed."""
    policy = ROOT / "captures/out-of-range/policy.yaml"
    words = [str(Path(sys.executable).with_name("auditor")), "watch", "-", "--policy", str(policy), "--exit-zero"]
    child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert child.stdin is not None
    threading.Thread(target=write, args=(child.stdin, flows, 1.7e9), daemon=True).start()
    peak, started, told = 0.0, time.monotonic(), 0
    while child.poll() is None:
        try:
            now = int(Path(f"/proc/{child.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
        except (OSError, IndexError):
            break
        peak, told = max(peak, now), told + 1
        if told % 100 == 0:
            print(f"{time.monotonic() - started:.0f} s, {now:.0f} MB", flush=True)
        time.sleep(0.1)
    print(f"{flows} flows through auditor watch in {time.monotonic() - started:.0f} s; at most {peak:.0f} MB resident")
    return int(peak > most or child.wait() not in {0, 3})


def main() -> int:
    """Run; 1 when a limit was broken or the session did not survive."""
    options = argparse.ArgumentParser()
    options.add_argument("--flows", type=int, default=10_000_000)
    options.add_argument("--max-flows", type=int, default=262_144)
    options.add_argument("--curve", type=Path)
    options.add_argument("--most", type=float, default=200, help="MB")
    options.add_argument(
        "--watch", action="store_true", help="through auditor watch, with its audits, as a process of its own"
    )
    chosen = options.parse_args()
    if chosen.watch:
        return watched(chosen.flows, chosen.most)
    live = _native.LiveReading(known_ports=[10000], max_flows=chosen.max_flows)
    session = ROOT / "captures/out-of-range/out-of-range.pcap"
    live.open_stream(session)
    while not live.ended:
        live.pump(1000)
    before = live.snapshot()
    begin = (before.files[0].last or 0) / 1e9 + 1
    expected = (len(before.ndmp_messages()["flow"]), len(before.ndmp_streams()["flow"]))
    reader, writer = os.pipe()
    live.open_fd(reader, "churn")
    os.close(reader)

    threading.Thread(target=write, args=(os.fdopen(writer, "wb"), chosen.flows, begin), daemon=True).start()
    curve, started, next_look, peak = ["flows,resident_mb,kept"], time.monotonic(), 0, 0.0
    while True:
        live.pump(200)
        seen = live.counters()
        made = seen["flows"] + sum(seen["evicted"].values())
        peak = max(peak, resident())
        if made >= next_look or live.ended:
            next_look = made + 250_000
            live.evict()
            look = live.snapshot()
            peak = max(peak, resident())
            curve.append(f"{made},{resident():.0f},{len(look)}")
            print(curve[-1], flush=True)
            del look
        if live.ended:
            break
    after = live.snapshot()
    survived = (len(after.ndmp_messages()["flow"]), len(after.ndmp_streams()["flow"]))
    seconds = time.monotonic() - started
    print(f"{seen['packets']} packets, {made} flows in {seconds:.0f} s; at most {peak:.0f} MB resident; "
          f"session {'whole' if survived == expected else f'LOST: {survived} of {expected}'}; evicted: {seen['evicted']}")  # fmt: skip
    if chosen.curve:
        chosen.curve.write_text("\n".join(curve) + "\n")
    return int(peak > chosen.most or survived != expected)


if __name__ == "__main__":
    sys.exit(main())
