#!/usr/bin/env python3
"""Hold `auditor watch` against `auditor audit`: the same traffic, watched as it comes and audited as tcpdump wrote it.

    sudo .venv/bin/python captures/lab/watched.py                    every scenario, then every committed capture sent anew
    sudo .venv/bin/python captures/lab/watched.py two-way blocked    these alone; --list names all

For each scenario tcpdump and `auditor watch` (packet ring) listen on the bridge between the hosts while the lab's NDMP
software works. Both listen before the first frame and until after the last: meanwhile the ports of the bridge are down.
Then the watch's report, and what it told, are compared with an audit of tcpdump's file. `NAME (other ports)` is a scenario
against a policy that declares other data ports, so that every data connection is a finding. `sent:NAME` are the frames of
captures/NAME, sent over the bridge. Prints a table; the exit code is 1 where anything differs. Needs what the scenarios need.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import lab
import sessions
from network import HOSTS, Network, address, missing

Json = dict[str, Any]

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CAPTURES = HERE.parent
AUDITOR = Path(sys.executable).with_name("auditor")
PARTS = ("verdict", "totals", "sessions", "findings", "hosts", "services", "terms", "capacity")
"""Parts of a report that have to be the same, but for moments and what is reckoned from them (``timeless``)."""
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z")
RECKONED = re.compile(r"seconds|per_second|_ns$|_us$|_ms$|^reply_slowest_at$|^longest_silence_packet$")
SPAN = re.compile(r"[\d.,]+ (?:ns|\u00b5s|ms|s|min|h|[KMG]?i?B/s)\b")
OTHER_PORTS = " (other ports)"
SENT_AT_ONCE = 25


def scenarios() -> list[str]:
    """Return the names of all that can be run."""
    made = [*lab.SCENARIOS, *sessions.SCENARIOS]
    again = [name + OTHER_PORTS for name in ("two-way", "three-way", "at-once", "mover-listen")]
    return made + again + [f"sent:{folder.name}" for folder in sorted(CAPTURES.iterdir()) if _committed(folder)]


def _committed(folder: Path) -> Path | None:
    return next(iter(sorted(folder.glob(f"{folder.name}.pcap*"))), None)


def run(name: str, folder: Path) -> Json:
    """Run one scenario, watched and recorded; return what differs. Raises RuntimeError where a tool fails."""
    base, _, other = name.removeprefix("sent:").partition(OTHER_PORTS[:2])
    policy = folder / "policy.yaml"
    declared = _declared(base, sent=name.startswith("sent:"))
    policy.write_text(re.sub(r"dynamic_ports: .*", "dynamic_ports: 61000-61010", declared) if other else declared)
    with Network() as network:
        before, during = _play(name, base)
        if before is not None:
            before(network)
        _signal_all(network, signal.SIGSTOP)  # who connects to a host that is away would fail
        _ports(network, "down")
        with _Listeners(network, folder, policy) as listeners:
            _ports(network, "up")
            _signal_all(network, signal.SIGCONT)
            during(network, folder)
            time.sleep(0.5)  # the last segments
            _ports(network, "down")
            listeners.stop()
    return compare(folder, policy)


def _declared(base: str, *, sent: bool) -> str:
    """Return the policy that fits: that of the committed capture, where it is of this lab's hosts or is sent itself."""
    declared = (CAPTURES / base / "policy.yaml").read_text()
    return declared if sent or address("media") in declared else lab.policy_of(base, lab.scenarios.policy())


def _play(name: str, base: str) -> tuple[Any, Callable[[Network, Path], Any]]:
    """Return what happens before the listeners begin, and meanwhile."""
    if name.startswith("sent:"):
        return None, lambda network, _: send(network, CAPTURES / base)
    if base in sessions.SCENARIOS:
        shape = sessions.SCENARIOS[base]()
        _needed(shape.tools)
        return shape.before, lambda *_: shape.run()
    tools, play = lab.SCENARIOS[base]
    _needed(tools)
    return None, play


def _needed(tools: tuple[str, ...]) -> None:
    if lacking := missing(tools):
        raise LookupError(f"missing: {', '.join(lacking)}")


def _ports(network: Network, state: str) -> None:
    """Set all ports of the bridge up or down: what is sent meanwhile comes to nobody."""
    for host in HOSTS:
        subprocess.run(["ip", "-n", network.namespace("switch"), "link", "set", host, state], check=True)


def _signal_all(network: Network, number: signal.Signals) -> None:
    """Send a signal to all programs on the hosts, but not to those on the bridge."""
    for host in HOSTS:
        listed = subprocess.run(
            ["ip", "netns", "pids", network.namespace(host)], capture_output=True, text=True, check=True
        )
        for pid in map(int, listed.stdout.split()):
            os.kill(pid, number)


def send(network: Network, folder: Path) -> None:
    """Send the frames of a committed capture, a few at a time, from one port of the bridge."""
    capture = _committed(folder)
    assert capture is not None
    code = f"import sys; sys.path.insert(0, {str(HERE)!r}); import watched; watched.send_frames({str(capture)!r})"
    done = network.run("rogue", sys.executable, "-c", code, timeout=120)
    if done.returncode:
        raise RuntimeError(done.stderr)


def send_frames(path: str) -> None:
    """Send the frames of a capture on ``eth0``, whatever namespace this is."""
    plain = subprocess.run(
        ["tcpdump", "-r", path, "-w", "-", "--time-stamp-precision=nano"], capture_output=True, check=True
    ).stdout
    at, count = 24, 0
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
        out.bind(("eth0", 0))
        while at < len(plain):
            length = int.from_bytes(plain[at + 8 : at + 12], sys.byteorder)
            out.send(plain[at + 16 : at + 16 + length])
            at, count = at + 16 + length, count + 1
            if count % SENT_AT_ONCE == 0:
                time.sleep(0.01)


class _Listeners:
    """tcpdump and a watch on the bridge, both of them listening from ``with`` on until ``stop``."""

    def __init__(self, network: Network, folder: Path, policy: Path) -> None:
        self._network, self._folder = network, folder
        words = (
            "tcpdump",
            "-i",
            "br0",
            "-B",
            "65536",
            "--immediate-mode",
            "--time-stamp-precision=nano",
            "-U",
            "-Z",
            "root",
        )
        self._tcpdump = network.start("switch", *words, "-w", folder / "tcpdump.pcap", stderr=subprocess.PIPE)
        watch = (AUDITOR, "watch", "br0", "--policy", policy, "--source", "ring", "--format", "jsonl", "--exit-zero")
        files = (
            "--report",
            folder / "watch.json",
            "--journal",
            folder / "journal",
            "--interval",
            "0.5s",
            "--observe",
            "0.01s",
        )
        self._told = (folder / "told.jsonl").open("wb")
        self._watch = network.start("switch", *watch, *files, stdout=self._told, stderr=subprocess.PIPE)

    def __enter__(self) -> Self:
        assert self._tcpdump.stderr is not None
        while "listening on" not in (line := self._tcpdump.stderr.readline()):
            if not line:
                raise RuntimeError("tcpdump does not listen")
        told = self._folder / "told.jsonl"
        while not told.read_bytes():  # the first piece of news comes when it listens
            if self._watch.poll() is not None:
                raise RuntimeError(self._watch.communicate()[1])
            time.sleep(0.02)
        return self

    def stop(self) -> None:
        """End both; raises RuntimeError where either lost a packet or failed."""
        self._tcpdump.send_signal(signal.SIGINT)
        closing = self._tcpdump.communicate(timeout=60)[1]
        self._watch.send_signal(signal.SIGTERM)
        complaints = self._watch.communicate(timeout=120)[1]
        if self._watch.returncode not in {0, 3} or not re.search(
            r"^0 packets dropped by kernel", closing, re.MULTILINE
        ):
            raise RuntimeError(f"{complaints}{closing}")

    def __exit__(self, *_: object) -> None:
        self._told.close()


def timeless(value: Any, key: str = "") -> Any:
    """Return a part of a report without moments and what is reckoned from them.

    The kernel reads the clock for each listener anew, some 100 ns apart, where TCP has put its own time into the packet.
    """
    if isinstance(value, dict):
        return {name: timeless(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [timeless(one, key) for one in value]
    if isinstance(value, str):
        return SPAN.sub("(span)", TIME.sub("(time)", value))
    return "(reckoned)" if isinstance(value, float) or RECKONED.search(key) else value


def compare(folder: Path, policy: Path) -> Json:
    """Return what was seen, and how the watch's report and news differ from an audit of tcpdump's file."""
    words = [AUDITOR, "audit", folder / "tcpdump.pcap", "--policy", policy, "--format", "json", "--exit-zero"]
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, check=False)
    if done.returncode not in {0, 3}:
        raise RuntimeError(done.stderr)
    audited = json.loads(done.stdout.replace(str(folder / "tcpdump.pcap"), "br0"))
    watched = json.loads((folder / "watch.json").read_text())
    told = [json.loads(line) for line in (folder / "told.jsonl").read_text().splitlines()]
    differs = [part for part in PARTS if timeless(watched[part]) != timeless(audited[part])]
    count = Counter(one["kind"] for one in told)
    still = {one["key"] for one in told if one["kind"] == "finding-opened"}
    still -= {one["key"] for one in told if one["kind"] == "finding-closed"}
    if still != {one["key"] for one in audited["findings"]}:
        differs.append("news of findings")
    if count["session-opened"] != len(audited["sessions"]):
        differs.append("news of sessions")
    if count["loss"]:
        differs.append("loss")
    data = sum(len(one["data"]) for one in audited["sessions"])
    seen = {"packets": audited["totals"]["packets"], "sessions": len(audited["sessions"]), "data": data}
    return {**seen, "findings": len(audited["findings"]), "told": sum(count.values()), "differs": differs}


def main() -> int:
    """Run what was asked for; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO")
    parser.add_argument("--list", action="store_true", help="name all scenarios")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep recordings and reports here")
    told = parser.parse_args()
    if told.list:
        print("\n".join(scenarios()))
        return 0
    if lacking := missing(()):
        print("watched: missing:", ", ".join(lacking), file=sys.stderr)
        return 2
    print(
        "| scenario | packets | sessions | data connections | findings | news | watch and audit |\n|---|---|---|---|---|---|---|"
    )
    failed = 0
    # Frames that two processors deliver at the same moment come to each listener in an order of its own: with one there is one.
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    for name in told.scenarios or scenarios():
        if told.keep:
            told.keep.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="auditor-watched-", dir=told.keep))
        try:
            seen = run(name, folder.resolve())
        except (LookupError, RuntimeError, OSError, subprocess.SubprocessError) as error:
            print(f"| {name} | | | | | | not run: {' '.join(str(error).split())} |", flush=True)
            failed += not isinstance(error, LookupError)
            continue
        finally:
            if not told.keep:
                shutil.rmtree(folder)
        numbers = " | ".join(str(seen[key]) for key in ("packets", "sessions", "data", "findings", "told"))
        verdict = f"differ: {', '.join(seen['differs'])}" if seen["differs"] else "the same"
        print(f"| {name} | {numbers} | {verdict} |", flush=True)
        failed += bool(seen["differs"])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
