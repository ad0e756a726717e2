"""``auditor watch`` as a user runs it: streams, signals, exit codes, reports."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auditor.cli.commands import command
from auditor.cli.failures import run
from tests.helpers.pcap import Pcap
from tests.support import CAPTURES, COMMAND, ROOT, run_auditor

CAPTURE = CAPTURES / "out-of-range" / "out-of-range.pcap"
POLICY = CAPTURES / "out-of-range" / "policy.yaml"


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("name", ["out-of-range", "pcapng"])
def test_a_file_that_is_watched_gives_what_an_audit_gives(name: str, tmp_path: Path) -> None:
    (capture,) = (CAPTURES / name).glob(f"{name}.pcap*")
    policy, saved = CAPTURES / name / "policy.yaml", tmp_path / "watched.json"
    done = run_auditor("watch", capture, "--policy", policy, "--format", "jsonl", "--report", saved)
    audited = run_auditor("audit", capture, "--policy", policy, "--format", "json")
    assert done.code == audited.code
    ours, theirs = json.loads(saved.read_text()), json.loads(audited.out)
    for part in ("verdict", "summary", "findings", "sessions", "hosts", "services", "terms", "totals", "capacity"):
        assert ours[part] == theirs[part]
    news = lines(done.out)
    assert [one["number"] for one in news] == list(range(1, len(news) + 1))
    assert sum(one["kind"] == "session-opened" for one in news) == len(theirs["sessions"])


def test_what_can_be_wrong_is_said_before_the_first_packet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words, said in (
        (["nosuch"], "no interface of this machine"),
        ([CAPTURE, "--interval", "soon"], "--interval"),
        ([CAPTURE, "--syslog", "nowhere"], "names no receiver"),
        ([CAPTURE, "--journal", tmp_path / "no" / "journal"], "there is no directory"),
        ([CAPTURE, "--report", "site.odd"], "names no report format"),
        ([CAPTURE, "--metrics", "0.0.0.0:0"], "who backs up what"),
        ([CAPTURE, "--policy", tmp_path / "none.yaml"], "none.yaml"),
    ):
        code = run(command, ["watch", *map(str, words)])
        out, err = capsys.readouterr()
        assert (code, out) == (2, "")
        assert said in err


@contextlib.contextmanager
def watching(folder: Path, *words: str | Path) -> Iterator[tuple[subprocess.Popen[str], Any]]:
    """Watch a FIFO into which the test writes."""
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    environment = {**os.environ, "NO_COLOR": "1", "LC_ALL": "C.UTF-8"}
    line = [COMMAND, "watch", pipe, "--format", "jsonl", "--interval", "0.1s", *words]
    running = subprocess.Popen(
        [*map(str, line)], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        with pipe.open("wb", buffering=0) as stream:
            yield running, stream
    finally:
        running.kill()
        running.communicate()


def until(path: Path, what: str) -> list[dict[str, Any]]:
    """Wait for a kind of news in a log and return all that is there."""
    for _ in range(10_000):
        news = lines(path.read_text()) if path.exists() else []
        if any(one["kind"] == what for one in news):
            return news
        time.sleep(0.01)
    raise AssertionError(f"no {what}")


def test_signals_write_reports_read_the_policy_anew_and_end_cleanly(tmp_path: Path) -> None:
    policy, log, saved = tmp_path / "site.yaml", tmp_path / "log", tmp_path / "site.json"
    policy.write_text(POLICY.read_text())
    pcap = Pcap.read(CAPTURE)
    with watching(tmp_path, "--policy", policy, "--log", log, "--report", saved) as (running, stream):
        stream.write(pcap.part(0, 300))
        until(log, "role-learnt")
        running.send_signal(signal.SIGUSR1)
        until(log, "report-written")
        assert len(json.loads(saved.read_text())["sessions"]) == 2
        policy.write_text("zones: [")
        running.send_signal(signal.SIGHUP)
        until(log, "policy-kept")
        policy.write_text(POLICY.read_text())
        running.send_signal(signal.SIGHUP)
        until(log, "policy-reloaded")
        stream.write(b"".join(pcap.records[300:]))
        running.send_signal(signal.SIGTERM)
        out, err = running.communicate(timeout=100)
        assert (running.returncode, err) == (1, "")
    # SIGTERM ends with all that came before it.
    assert len(json.loads(saved.read_text())["sessions"]) == 4
    news = lines(out)
    assert news == lines(log.read_text())
    assert news[-1]["kind"] == "watch-ended"
    assert sum(one["facts"].get("code") == "BX301" for one in news if one["kind"] == "finding-opened") == 3


def test_a_watch_that_is_killed_is_resumed(tmp_path: Path) -> None:
    log, journal = tmp_path / "log", tmp_path / "journal"
    pcap = Pcap.read(CAPTURE)
    words = ("--policy", POLICY, "--log", log, "--journal", journal)
    with watching(tmp_path, *words) as (running, stream):
        # The second session (packet 20 to 350 or so) is open.
        stream.write(pcap.part(0, 100))
        until(log, "session-opened")
        running.kill()
    (tmp_path / "pipe").unlink()
    with watching(tmp_path, *words) as (running, stream):
        stream.write(pcap.part(340, len(pcap.records)))
        stream.close()
        out, _ = running.communicate(timeout=100)
    news = lines(out)
    fresh = [one for one in news if not one["again"]]
    assert fresh[0]["kind"] == "watch-resumed"
    assert not fresh[0]["facts"]["clean"]
    assert any(one["kind"] == "session-interrupted" for one in news)
    keys = [(one["kind"], one["key"]) for one in lines(log.read_text()) if one["kind"] == "finding-opened"]
    assert len(keys) == len(set(keys)) >= 3


def test_a_duration_ends_a_watch_of_nothing_as_inconclusive(tmp_path: Path) -> None:
    with watching(tmp_path, "--duration", "0.5s") as (running, stream):
        stream.write(Pcap.read(CAPTURE).part(0, 0))
        out, err = running.communicate(timeout=100)
    assert (running.returncode, err) == (3, "")
    assert [one["kind"] for one in lines(out)] == ["watch-began", "watch-ended"]
