"""``auditor watch`` on a real interface in a network namespace of the run's own: privileges, signals, what befalls the interface."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.pcap import Pcap
from tests.netns import Pair, ip, needs_namespaces
from tests.support import CAPTURES, COMMAND

pytestmark = needs_namespaces
CAPTURE = CAPTURES / "out-of-range" / "out-of-range.pcap"
POLICY = CAPTURES / "out-of-range" / "policy.yaml"
LONG = 100.0
"""Seconds after which waiting is given up: no measure of anything, the machine may be busy."""
NET_RAW = f"{1 << 13:016x}"
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


@pytest.fixture
def pair() -> Iterator[Pair]:
    with Pair() as pair:
        yield pair


class Watched:
    """A watch of ``tap`` that runs, and what it told and complained of so far (both go to files)."""

    def __init__(self, running: subprocess.Popen[bytes], told: Path, complaints: Path) -> None:
        self.running, self._told, self._complaints = running, told, complaints

    def news(self) -> list[dict[str, Any]]:
        """Return what was told; the last line may be under way."""
        whole = self._told.read_text().rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    def until(self, kind: str, holds: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
        """Wait for a piece of news."""
        deadline = time.monotonic() + LONG
        while time.monotonic() < deadline:
            ended = self.running.poll() is not None
            for one in self.news():
                if one["kind"] == kind and holds(one):
                    return one
            if ended:
                said = self._complaints.read_text()
                raise AssertionError(f"no {kind}, it ended with {self.running.returncode}: {said} {self.news()}")
            time.sleep(0.02)
        raise AssertionError(f"no {kind} in {self.news()}")

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """End it; return exit code and what it complained of."""
        self.running.send_signal(number)
        return self.running.wait(LONG), self._complaints.read_text()


RING = ("--source", "ring")


def command(pair: Pair, *words: str | Path, user: tuple[str, ...] = (), source: tuple[str, ...] = RING) -> list[str]:
    line = ["ip", "netns", "exec", pair.listening, *user, COMMAND, "watch", "tap", *source]
    return [*map(str, line), "--format", "jsonl", "--interval", "0.1s", *map(str, words)]


@contextmanager
def watching(pair: Pair, folder: Path, *words: str | Path, user: tuple[str, ...] = ()) -> Iterator[Watched]:
    """Watch ``tap``; what it tells first is that it began, when it listens."""
    told, complaints = folder / "told", folder / "complaints"
    line = command(pair, "--journal", folder / "journal", *words, user=user)
    with told.open("wb") as out, complaints.open("wb") as err:
        running = subprocess.Popen(line, stdout=out, stderr=err)
        try:
            watched = Watched(running, told, complaints)
            watched.until("watch-began")
            yield watched
        finally:
            running.kill()
            running.wait()


def frames() -> list[bytes]:
    return [record[16:] for record in Pcap.read(CAPTURE).records]


def privileges(pid: int) -> set[tuple[tuple[str, str], ...]]:
    """Return what the kernel says that each thread may do."""
    wanted = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs")
    told = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        rows = dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines() if ":\t" in line)
        told.add(tuple((name, rows[name]) for name in wanted))
    return told


def one_privilege(bounding: str = NET_RAW) -> set[tuple[tuple[str, str], ...]]:
    none = "0" * 16
    sets = (("CapInh", none), ("CapPrm", NET_RAW), ("CapEff", NET_RAW), ("CapBnd", bounding), ("CapAmb", none))
    return {(*sets, ("NoNewPrivs", "1"))}


def test_root_keeps_cap_net_raw_alone_and_the_audit_is_whole(pair: Pair, tmp_path: Path) -> None:
    saved = tmp_path / "site.json"
    more = (
        "--policy",
        POLICY,
        "--report",
        saved,
        "--log",
        tmp_path / "log",
        "--metrics",
        "0",
        "--syslog",
        "udp://127.0.0.1:9",
    )
    with watching(pair, tmp_path, *more) as watched:
        pair.send(*frames())
        watched.until("finding-opened", lambda one: one["facts"]["code"] == "BX301")
        # Those of the audit, the couriers and the metrics among them.
        assert privileges(watched.running.pid) == one_privilege()
        code, complaints = watched.end()
    assert (code, complaints) == (1, "")
    report = json.loads(saved.read_text())
    # truth.json: four jobs, three of their data ports outside the range.
    assert len(report["sessions"]) == 4
    assert sum(one["code"] == "BX301" for one in report["findings"]) == 3
    assert watched.news() == [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]


@pytest.fixture
def nobodys() -> Iterator[Path]:
    """A folder of nobody's; skips where nobody cannot run the program.

    Not one of pytest's: the next run of pytest on this machine takes away who may pass to those, for all but their owner.
    """
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv (util-linux) is not installed")
    if subprocess.run([*NOBODY, COMMAND, "--version"], capture_output=True, check=False).returncode:
        pytest.skip("nobody may not read this checkout")
    with tempfile.TemporaryDirectory(prefix="auditor-nobody-") as folder:
        os.chown(folder, 65534, 65534)
        yield Path(folder)


def test_nobody_with_cap_net_raw_alone_sees_what_root_sees(pair: Pair, nobodys: Path) -> None:
    user = (*NOBODY, "--inh-caps=+net_raw", "--ambient-caps=+net_raw", "--bounding-set=-all,+net_raw")
    with watching(pair, nobodys, "--report", nobodys / "site.json", user=user) as watched:
        pair.send(*frames())
        watched.until("session-opened")
        assert privileges(watched.running.pid) == one_privilege()
        _, complaints = watched.end()
    assert complaints == ""
    assert len(json.loads((nobodys / "site.json").read_text())["sessions"]) == 4
    assert (nobodys / "site.json").stat().st_uid == 65534


@pytest.mark.parametrize(
    ("source", "said"), [(RING, 'cannot listen on "tap": '), ((), 'nothing can listen on "tap": ring: ')]
)
def test_nobody_without_it_is_told_what_to_do_and_that_is_what_helps(
    pair: Pair, nobodys: Path, source: tuple[str, ...], said: str
) -> None:
    words = ("--journal", nobodys / "journal", "--duration", "0.1s")
    line = command(pair, *words, user=NOBODY, source=source)
    done = subprocess.run(line, capture_output=True, text=True, timeout=LONG, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    told = done.stderr.split("\n", 1)
    assert told[0].startswith(f"error: {said}the privilege CAP_NET_RAW is missing; root is not needed")
    # The words of the message, as they stand there, are given to setpriv; then it listens.
    advised = tuple(word for word in told[1].split() if word.startswith(("--inh-caps", "--ambient-caps")))
    assert len(advised) == 2
    done = subprocess.run(
        command(pair, *words, user=(*NOBODY, *advised), source=source),
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )
    assert done.stderr == ""
    assert json.loads(done.stdout.splitlines()[0])["kind"] == "watch-began"


def test_a_report_that_root_could_not_write_any_more_is_refused_before_the_first_packet(
    pair: Pair, tmp_path: Path
) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir(mode=0o755)
    os.chown(theirs, 65534, 65534)
    line = command(pair, "--journal", tmp_path / "journal", "--report", theirs / "site.json")
    done = subprocess.run(line, capture_output=True, text=True, timeout=LONG, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "belongs to another user" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_reach_a_watch_that_waits_for_packets(pair: Pair, tmp_path: Path, number: signal.Signals) -> None:
    policy, saved = tmp_path / "site.yaml", tmp_path / "site.json"
    policy.write_text(POLICY.read_text())
    with watching(pair, tmp_path, "--policy", policy, "--report", saved) as watched:
        pair.send(*frames()[:300])
        watched.until("session-opened")
        policy.write_text("zones: [")
        watched.running.send_signal(signal.SIGHUP)
        watched.until("policy-kept")
        policy.write_text(POLICY.read_text())
        watched.running.send_signal(signal.SIGHUP)
        watched.until("policy-reloaded")
        watched.running.send_signal(signal.SIGUSR1)
        watched.until("report-written")
        assert len(json.loads(saved.read_text())["sessions"]) == 2
        # What came just before the signal is in the report of the end.
        pair.send(*frames()[300:])
        code, complaints = watched.end(number)
    assert (code, complaints) == (1, "")
    assert len(json.loads(saved.read_text())["sessions"]) == 4
    assert watched.news()[-1]["kind"] == "watch-ended"


def test_what_befalls_the_interface_is_told_and_survived(pair: Pair, tmp_path: Path) -> None:
    sent = frames()
    with watching(pair, tmp_path, "--policy", POLICY, "--report", tmp_path / "site.json") as watched:
        pair.send(*sent[:300])
        watched.until("session-opened")
        ip("-n", pair.listening, "link", "set", "tap", "down")
        watched.until("source", lambda one: "went down" in one["text"])
        ip("-n", pair.listening, "link", "set", "tap", "up")
        watched.until("source", lambda one: "well again" in one["text"])
        # Larger frames are allowed, and a VLAN begins: neither of them is any trouble.
        for name, there in ((pair.listening, "tap"), (pair.sending, "gen")):
            ip("-n", name, "link", "set", there, "mtu", "9000")
        pair.send(*sent[300:700], *(one[:12] + b"\x81\x00\x00\x07" + one[12:] for one in sent[700:]), b"\xff" * 8000)
        watched.until("session-opened", lambda one: "10.77.0.23" in one["text"])
        watched.until("source", lambda one: "first time: VLAN 7" in one["text"])
        # Gone, and made anew under the same name.
        ip("-n", pair.listening, "link", "delete", "tap")
        watched.until("source", lambda one: "there is no interface tap at the moment" in one["text"])
        pair.join()
        watched.until("source", lambda one: "opened again" in one["text"])
        code, complaints = watched.end()
    assert (code, complaints) == (1, "")
    assert len(json.loads((tmp_path / "site.json").read_text())["sessions"]) == 4


def test_a_watch_that_was_stopped_for_a_while_goes_on_with_what_the_ring_kept(pair: Pair, tmp_path: Path) -> None:
    with watching(pair, tmp_path, "--policy", POLICY, "--report", tmp_path / "site.json") as watched:
        watched.running.send_signal(signal.SIGSTOP)
        pair.send(*frames())
        watched.running.send_signal(signal.SIGCONT)
        code, complaints = watched.end()
    assert (code, complaints) == (1, "")
    assert len(json.loads((tmp_path / "site.json").read_text())["sessions"]) == 4
    assert not [one for one in watched.news() if one["kind"] == "loss"]


def test_with_the_filter_of_the_policy_the_kernel_passes_on_its_hosts_alone(pair: Pair, tmp_path: Path) -> None:
    strangers = [one.replace(bytes([10, 77, 0]), bytes([10, 99, 0])) for one in frames()[:50]]
    with watching(
        pair, tmp_path, "--policy", POLICY, "--filter", "policy", "--report", tmp_path / "site.json"
    ) as watched:
        assert "undeclared hosts" in watched.until("source")["text"]
        pair.send(*strangers, *frames())
        code, _ = watched.end()
    report = json.loads((tmp_path / "site.json").read_text())
    # Hosts of the policy only, and of these what is no ARP.
    packets = sum(one[12:14] == b"\x08\x00" for one in frames())
    assert (code, len(report["sessions"]), report["totals"]["packets"]) == (1, 4, packets)


def test_several_rings_give_the_same_report(pair: Pair, tmp_path: Path) -> None:
    # All packets may come to one ring, where they take a little more than 1 MB: with 2 MB a few of them are lost when the
    # half of it that has the first ones is not read before the other is full.
    with watching(
        pair, tmp_path, "--policy", POLICY, "--rings", "2", "--buffer", "4", "--report", tmp_path / "site.json"
    ) as watched:
        pair.send(*frames())
        code, _ = watched.end()
    report = json.loads((tmp_path / "site.json").read_text())
    assert (code, len(report["sessions"]), report["totals"]["packets"]) == (1, 4, 1252)


def test_files_that_may_not_be_reached_are_told(pair: Pair, nobodys: Path) -> None:
    (nobodys / "closed").mkdir(mode=0o700)
    for option in ("--report", "--journal"):
        line = command(pair, option, nobodys / "closed" / "inner" / "site.json", user=NOBODY)
        done = subprocess.run(line, capture_output=True, text=True, timeout=LONG, check=False)
        assert (done.returncode, done.stdout) == (2, "")
        assert "cannot be reached: Permission denied" in done.stderr
