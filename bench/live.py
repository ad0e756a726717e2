#!/usr/bin/env python3
"""The highest packet rate without loss: `auditor watch` with the full audit, tcpdump -w, dumpcap, and the scapy source.

    sudo .venv/bin/python bench/live.py [--seconds 4] [--rates 50000,100000,…] [--tries 3] [--rings 1] [--share 25]

A pair of virtual interfaces in two network namespaces. bench/sender.py sends the packets of the committed captures over and
over, at the same rate to each listener in turn, rate by rate, in one run. What came is what the interface counted; a listener
that misses one packet of it may try again, and is out when it misses packets at every try. Where the sender does not reach a
rate, the run ends: the highest rate that was really sent is told. The processor time of a listener for each packet does not
depend on what else the machine does. Where the sender is too slow for all of them, ``--share`` gives each listener, with all
its threads, so many percent of one core (a control group), and the rates tell which makes more of it. Needs root, ip, tcpdump,
dumpcap, mergecap.
"""

from __future__ import annotations

import argparse
import json
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
from dataclasses import dataclass
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.netns import Pair, missing  # noqa: E402

RATES = (25_000, 50_000, 75_000, 100_000, 150_000, 200_000, 300_000, 400_000, 600_000, 800_000, 1_200_000)
BUFFER_MB = 64
AHEAD = ("nice", "-n", "-15")
"""Sender and listeners alike go before what else this machine does."""
PERIOD_US = 10_000
"""Time in which a listener gets its share: short against what the buffers hold."""
SHORT = 0.9
"""A part of the rate that was asked for, below which the sender is what ends the comparison."""


class Share:
    """A group of processes that gets a part of one core, in percent; all of both where it is 0."""

    def __init__(self, percent: float) -> None:
        self._percent = percent
        old = Path("/sys/fs/cgroup/cpu")
        self._old = old.is_dir()
        self._group = (old if self._old else Path("/sys/fs/cgroup")) / f"auditor-bench-{os.getpid()}"

    def __enter__(self) -> Self:
        if self._percent:
            self._group.mkdir()
            quota = round(self._percent / 100 * PERIOD_US)
            told = {"cpu.cfs_period_us": str(PERIOD_US), "cpu.cfs_quota_us": str(quota)}
            for name, value in (told if self._old else {"cpu.max": f"{quota} {PERIOD_US}"}).items():
                (self._group / name).write_text(value)
        return self

    def add(self, pid: int) -> None:
        """Take in a process with its threads."""
        if self._percent:
            (self._group / "cgroup.procs").write_text(str(pid))

    def __exit__(self, *_: object) -> None:
        if self._percent:
            self._group.rmdir()


@dataclass
class Score:
    """What a listener has shown: the highest rate without loss, and its processor time for each packet there."""

    rate: float = 0.0
    cost: tuple[float, float] = (0.0, 0.0)
    lost_at: str = ""


def packets(target: Path) -> None:
    """Write what is sent: the packets of the committed captures, one after another."""
    merged = [str(path) for path in sorted((ROOT / "captures").glob("*/*.pcap"))]
    subprocess.run(["mergecap", "-F", "pcap", "-a", "-w", target, *merged], check=True)


def listener(name: str, folder: Path, rings: int) -> tuple[list[str], str, Callable[[str], int]]:
    """Return a listener's command, the word with which it says that it listens, and how its count is read."""
    if name == "tcpdump -w":
        command = ["tcpdump", "-i", "tap", "-B", str(BUFFER_MB << 10), "-Z", "root", "-w", str(folder / "out.pcap")]
        return command, "listening on", lambda told: int(re.findall(r"(\d+) packets? captured", told)[0])
    if name == "dumpcap":
        command = ["dumpcap", "-q", "-i", "tap", "-B", str(BUFFER_MB), "-w", str(folder / "out.pcapng")]
        return command, "File:", lambda told: int(re.findall(r"received/dropped on interface .*: (\d+)/", told)[0])
    source, saved = name.rsplit(maxsplit=1)[-1], folder / "watch.json"
    for old in ("watch.json", "journal", "journal-wal"):
        (folder / old).unlink(missing_ok=True)
    policy = ROOT / "captures" / "out-of-range" / "policy.yaml"
    command = [
        str(Path(sys.executable).with_name("auditor")),
        "watch",
        "tap",
        "--source",
        source,
        "--policy",
        str(policy),
    ]
    command += ["--buffer", str(BUFFER_MB), "--rings", str(rings), "--journal", str(folder / "journal")]
    command += ["--report", str(saved), "--format", "jsonl"]
    return command, "watch-began", lambda _: int(json.loads(saved.read_text())["captures"][0]["packets"])


def came(pair: Pair) -> int:
    """Return how many packets the listening interface has received."""
    told = subprocess.run(
        ["ip", "-n", pair.listening, "-json", "-stats", "link", "show", "tap"], capture_output=True, check=True
    )
    return int(json.loads(told.stdout)[0]["stats64"]["rx"]["packets"])


def settled(pair: Pair) -> int:
    """Return the same once it has stopped growing."""
    before, now = -1, came(pair)
    while now != before:
        time.sleep(0.3)
        before, now = now, came(pair)
    return now


def spent(pid: int) -> tuple[float, float]:
    """Return the processor time, in seconds, of a process's thread that takes the packets, and of the others."""
    tick, taking, others = os.sysconf("SC_CLK_TCK"), 0.0, 0.0
    tasks = {int(task.name): task for task in Path(f"/proc/{pid}/task").iterdir()}
    named = [number for number, task in tasks.items() if (task / "comm").read_text().startswith("auditor-taker")]
    for number, task in tasks.items():
        fields = (task / "stat").read_text().rpartition(")")[2].split()
        used = (int(fields[11]) + int(fields[12])) / tick
        taking, others = (used, others) if number == (named or [pid])[0] else (taking, others + used)
    return taking, others


Cost = tuple[float, float]
"""Processor time for each packet in µs: of the thread that takes packets, and of the others."""


def one(
    pair: Pair, name: str, rate: int, told: argparse.Namespace, folder: Path, share: Share
) -> tuple[int, float, Cost]:
    """Return how many packets a listener missed, the rate at which they came, and its processor time for each."""
    command, word, count = listener(name, folder, told.rings)
    # Into a file: a pipe that nobody reads would hold up who writes into it.
    with (folder / "said").open("w+") as said:
        line = ["ip", "netns", "exec", pair.listening, *AHEAD, *command]
        child = subprocess.Popen(line, stdout=said, stderr=subprocess.STDOUT, cwd=ROOT)
        while word not in (folder / "said").read_text():
            if child.poll() is not None:
                raise SystemExit((folder / "said").read_text())
            time.sleep(0.05)
        share.add(child.pid)
        before, began = settled(pair), spent(child.pid)
        sender = [sys.executable, str(ROOT / "bench" / "sender.py"), str(folder / "sent.pcap"), "gen", str(rate)]
        sent = subprocess.run(
            ["ip", "netns", "exec", pair.sending, *sender, str(told.seconds)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        number = settled(pair) - before
        time.sleep(1)
        ended = spent(child.pid)
        child.send_signal(signal.SIGINT)
        child.wait(120)
        got = count((folder / "said").read_text())
    achieved = float(sent[1]) * number / max(1, int(sent[0]))
    cost = ((ended[0] - began[0]) / max(1, got) * 1e6, (ended[1] - began[1]) / max(1, got) * 1e6)
    missed = max(0, number - got)
    print(f"{name:14} {rate:>9} asked {achieved:>10.0f} came/s {number:>9} packets  missed {missed:>8}", flush=True)
    return missed, achieved, cost


def main() -> int:
    """Run all listeners at all rates and print the highest of each without loss."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=4)
    options.add_argument("--rates", default=",".join(map(str, RATES)))
    options.add_argument("--tries", type=int, default=3)
    options.add_argument("--rings", type=int, default=1)
    options.add_argument("--share", type=float, default=0, help="percent of one core that a listener gets; 0: no limit")
    options.add_argument("--folder", help="where the listeners write")
    options.add_argument("--listeners", default="auditor ring,tcpdump -w,dumpcap,auditor scapy")
    told = options.parse_args()
    absent = [tool for tool in ("tcpdump", "dumpcap", "mergecap") if shutil.which(tool) is None]
    if missing() or absent:
        print(missing() or f"not installed: {', '.join(absent)}", file=sys.stderr)
        return 3
    load = os.getloadavg()[0]
    print(
        f"{platform.platform()}, {os.cpu_count()} cores, load {load:.1f}, buffers {BUFFER_MB} MB, {told.rings} ring(s)"
        f"{f', {told.share:g} % of one core for each listener' if told.share else ''}"
    )
    scores = {name: Score() for name in told.listeners.split(",")}
    with tempfile.TemporaryDirectory(dir=told.folder) as temporary, Pair() as pair, Share(told.share) as share:
        folder = Path(temporary)
        packets(folder / "sent.pcap")
        for rate in map(int, told.rates.split(",")):
            if not _at(rate, scores, pair, told, folder, share):
                print("the sender is no faster on this machine, as it is now")
                break
    for name, score in scores.items():
        lost = f"loses at {score.lost_at}" if score.lost_at else "never lost a packet"
        taking, beside = score.cost
        print(f"{name:14} {score.rate:>9.0f} packets/s without loss; {taking:.2f} + {beside:.2f} µs each; {lost}")
    return 0


def _at(rate: int, scores: dict[str, Score], pair: Pair, told: argparse.Namespace, folder: Path, share: Share) -> bool:
    """Try all listeners that are left at a rate; return whether the sender reached it."""
    reached = 0.0
    for name, score in scores.items():
        if score.lost_at:
            continue
        achieved = 0.0
        for _ in range(told.tries):
            missed, achieved, cost = one(pair, name, rate, told, folder, share)
            reached = max(reached, achieved)
            if not missed:
                if achieved > score.rate:
                    score.rate, score.cost = achieved, cost
                break
        else:
            score.lost_at = f"{achieved:.0f}"
    return reached >= SHORT * rate and not all(score.lost_at for score in scores.values())


if __name__ == "__main__":
    sys.exit(main())
