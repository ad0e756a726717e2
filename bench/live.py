#!/usr/bin/env python3
"""The highest packet rate without loss: auditor with the full audit running, tcpdump -w, dumpcap, and the scapy source.

    sudo .venv/bin/python bench/live.py [--seconds 4] [--rates 50000,100000,…]

A pair of virtual interfaces in two network namespaces; tcpreplay sends the same packets at the same rate to each listener
in turn, rate by rate, in one run. A listener is out when it missed a packet. Where the generator does not reach the rate that was asked for, it is what ends
the comparison, and the highest rate really sent is told. Needs root, ip, tcpreplay, tcpdump, dumpcap.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.netns import Pair, missing  # noqa: E402

RATES = (25_000, 50_000, 100_000, 200_000, 300_000, 400_000, 600_000, 800_000)
BUFFER_MB = 64

AUDITOR = """
import signal, sys, time
from auditor import _native
from auditor.pipeline import audit_reading, AuditOptions
from auditor.pipeline.yardstick import prepare
from auditor.sources.interface import SourceOptions
from auditor.sources.registry import open_source
over = []
signal.signal(signal.SIGINT, lambda *_: over.append(1))
yardstick = prepare()
live = _native.LiveReading(known_ports=yardstick.catalogue.known_ports())
source = open_source(SourceOptions("tap", ring_bytes=64 << 20), sys.argv[1])
source.open(live)
print("listening", flush=True)
audits = 0
while not over:
    source.pump(live, 1000)
    live.evict()
    report, _ = audit_reading(live.snapshot(), yardstick, AuditOptions(flows=False))
    audits += 1
source.pump(live, 300)
told = live.counters()
print(told["packets"], told["kernel_drops"], audits)
"""


def packets(target: Path) -> int:
    """Write what is sent: the packets of the committed captures, one after another; return how many."""
    merged = [str(path) for path in sorted((ROOT / "captures").glob("*/*.pcap"))]
    subprocess.run(["mergecap", "-F", "pcap", "-a", "-w", target, *merged], check=True)
    listed = subprocess.run(["capinfos", "-M", "-c", target], check=True, capture_output=True, text=True).stdout
    return int(re.findall(r"(\d+)\s*$", listed.strip())[0])


def listener(name: str, folder: Path) -> tuple[list[str], str, Callable[[str], int]]:
    """Return a listener's command, the word with which it says that it listens, and how its count is read."""
    if name == "tcpdump -w":
        command = ["tcpdump", "-i", "tap", "-B", str(BUFFER_MB << 10), "-Z", "root", "-w", str(folder / "out.pcap")]
        return command, "listening on", lambda told: int(re.findall(r"(\d+) packets? captured", told)[0])
    if name == "dumpcap":
        command = ["dumpcap", "-q", "-i", "tap", "-B", str(BUFFER_MB), "-w", str(folder / "out.pcapng")]
        return command, "File:", lambda told: int(re.findall(r"received/dropped on interface .*: (\d+)/", told)[0])
    source = name.rsplit(maxsplit=1)[-1]
    return [sys.executable, "-c", AUDITOR, source], "listening", lambda told: int(told.split()[-3])


def one(pair: Pair, name: str, rate: int, seconds: float, capture: Path, folder: Path) -> tuple[float, float]:
    """Return the part of the packets that a listener missed, and the rate at which they were really sent."""
    command, word, count = listener(name, folder)
    child = subprocess.Popen(
        ["ip", "netns", "exec", pair.listening, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
    )
    assert child.stdout is not None
    for line in child.stdout:
        if word in line:
            break
    time.sleep(0.5)
    sent = subprocess.run(
        ["ip", "netns", "exec", pair.sending, "tcpreplay", "-i", "gen", "--preload-pcap", f"--pps={rate}", "--loop=0",
         f"--duration={int(seconds)}", str(capture)],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    number = int(re.findall(r"Actual: (\d+) packets", sent)[0])
    achieved = float(re.findall(r"([\d.]+) pps", sent)[0])
    time.sleep(1.5)
    child.send_signal(signal.SIGINT)
    told = child.communicate(timeout=60)[0]
    missed = 1 - count(told) / number
    print(f"{name:18} {rate:>9} asked {achieved:>10.0f} sent/s  {number:>9} packets  missed {missed:8.3%}", flush=True)
    return missed, achieved


def main() -> int:
    """Run all listeners at all rates and print the highest of each without loss."""
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=float, default=4)
    options.add_argument("--rates", default=",".join(map(str, RATES)))
    options.add_argument("--listeners", default="auditor ring,tcpdump -w,dumpcap,auditor scapy")
    chosen = options.parse_args()
    absent = [tool for tool in ("tcpreplay", "tcpdump", "dumpcap", "mergecap") if shutil.which(tool) is None]
    if missing() or absent:
        print(missing() or f"not installed: {', '.join(absent)}", file=sys.stderr)
        return 3
    print(f"{platform.platform()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, buffers {BUFFER_MB} MB")
    names = chosen.listeners.split(",")
    best = dict.fromkeys(names, 0.0)
    with tempfile.TemporaryDirectory() as temporary, Pair() as pair:
        folder = Path(temporary)
        packets(folder / "sent.pcap")
        out = set()
        for rate in map(int, chosen.rates.split(",")):
            for name in [name for name in names if name not in out]:
                missed, achieved = one(pair, name, rate, chosen.seconds, folder / "sent.pcap", folder)
                if missed > 0:
                    out.add(name)
                else:
                    best[name] = max(best[name], achieved)
    print("\n".join(f"{name:18} {rate:>9.0f} packets/s without loss" for name, rate in best.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
