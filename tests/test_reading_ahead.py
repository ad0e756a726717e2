"""A reading in a thread of its own gives what the plain one gives, and ends when it is told to."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from auditor import _native
from auditor.errors import UsageError
from auditor.pipeline.options import AuditOptions
from auditor.pipeline.reading import UnderWay, read
from auditor.services import load_catalogue
from tests.support import CAPTURES, COMMAND, run_auditor

CAPTURE = CAPTURES / "compliant" / "compliant.pcap"
EVERYTHING = ("flow_columns", "ndmp_messages", "ndmp_fields", "ndmp_streams", "control_beats", "names")
FACTS = [name for name in dir(_native.FileFacts) if not name.startswith("_")]


def long_capture(path: Path, size: int) -> Path:
    """Write a capture of about ``size`` bytes."""
    whole = CAPTURE.read_bytes()
    path.write_bytes(whole[:24] + whole[24:] * (size // len(whole) + 1))
    return path


def under_way(paths: list[str], options: AuditOptions | None = None, progress: object = None) -> UnderWay:
    return UnderWay(paths, load_catalogue(), None, options or AuditOptions(), progress)  # type: ignore[arg-type]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("hash_files", [False, True])
def test_it_is_what_the_plain_reading_gives(threads: int, hash_files: bool) -> None:
    captures = sorted(map(str, CAPTURES.glob("*/*.pcap")))
    plain = _native.read_flows(captures, known_ports=[445], threads=threads, hash_files=hash_files)
    ahead = _native.begin_reading(captures, known_ports=[445], threads=threads, hash_files=hash_files).take()
    assert len(plain) > 100
    for columns in EVERYTHING:
        first, second = (getattr(reading, columns)() for reading in (plain, ahead))
        assert list(first) == list(second)
        assert all(np.array_equal(first[name], second[name]) for name in first), columns
    assert np.array_equal(plain.addresses(), ahead.addresses())
    assert (plain.texts(), plain.name_texts()) == (ahead.texts(), ahead.name_texts())
    for name in FACTS:
        assert [getattr(facts, name) for facts in plain.files] == [getattr(facts, name) for facts in ahead.files], name


def test_a_file_that_is_none_is_told_and_not_raised(tmp_path: Path) -> None:
    (facts,) = _native.begin_reading([tmp_path / "none.pcap"]).take().files
    assert facts.status == "unreadable"
    assert facts.error


def test_a_reading_is_taken_once() -> None:
    ahead = _native.begin_reading([str(CAPTURE)])
    assert len(ahead.take()) > 0
    assert ahead.wait(0)
    with pytest.raises(RuntimeError, match="already"):
        ahead.take()


def test_it_stops_when_told_to(tmp_path: Path) -> None:
    long = long_capture(tmp_path / "long.pcap", 200 << 20)
    ahead = _native.begin_reading([str(long)], threads=1)
    ahead.stop()
    read_, total = ahead.progress()
    assert read_ < long.stat().st_size
    assert total in (0, long.stat().st_size)
    with pytest.raises(RuntimeError):
        ahead.take()


def test_whoever_leaves_without_the_result_reads_no_further(tmp_path: Path) -> None:
    long = long_capture(tmp_path / "long.pcap", 200 << 20)
    with pytest.raises(KeyError), under_way([str(long)]) as reading:
        raise KeyError
    with pytest.raises(RuntimeError):
        reading.result()


def test_progress_is_told_and_may_stop_it(tmp_path: Path) -> None:
    long = long_capture(tmp_path / "long.pcap", 60 << 20)
    told: list[tuple[int, int]] = []
    done = read([str(long)], load_catalogue(), None, progress=lambda *state: told.append(state))
    assert sum(facts.packets for facts in done.files) > 0
    assert told
    assert all(0 < now <= of == long.stat().st_size for now, of in told)
    assert told == sorted(set(told))

    def stop(_now: int, _of: int) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        read([str(long)], load_catalogue(), None, progress=stop)


def test_pipes_are_read_when_they_are_asked_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.pcap"
    os.mkfifo(pipe)
    reading = under_way([str(pipe)])
    # Were it read already, opening it here would not have to wait for the other end.
    with pytest.raises(OSError):  # noqa: PT011 - ENXIO: nobody reads
        os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    feeder = threading.Thread(target=pipe.write_bytes, args=(CAPTURE.read_bytes(),))
    feeder.start()
    with reading:
        result = reading.result()
    feeder.join()
    assert len(result) == len(_native.read_flows([str(CAPTURE)]))


def test_a_decoder_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="no decoder"):
        under_way([str(CAPTURE)], AuditOptions(decoder="nonsense"))


def test_mistakes_in_a_policy_are_told_before_anything_is_read(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("zones: nonsense\n")
    done = run_auditor("audit", tmp_path / "none.pcap", "--policy", policy)
    assert done.code == 2
    assert "policy.yaml" in done.err
    assert "none.pcap" not in done.err


def reads(process: int, names: list[str]) -> bool:
    """Return whether a process has one of these files open."""
    found = []
    for entry in Path(f"/proc/{process}/fd").iterdir():
        with contextlib.suppress(OSError):
            found.append(str(entry.readlink()))
    return not set(found).isdisjoint(names)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc to see what another process has open")
@pytest.mark.parametrize("later", [0.0, 0.2])
def test_an_interrupt_while_files_are_read(tmp_path: Path, later: float) -> None:
    """As soon as the core reads, while NumPy is imported; and when that is over: 130, and one line."""
    captures = [tmp_path / f"{number}.pcap" for number in range(40)]
    long_capture(captures[0], 60 << 20)
    for other in captures[1:]:
        os.link(captures[0], other)
    # Forty names of one file: what they say is read forty times, and takes the disk once.
    running = subprocess.Popen(
        [COMMAND, "audit", *captures, "--output", tmp_path / "report.txt"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "AUDITOR_THREADS": "1"},
    )
    while not reads(running.pid, [str(capture) for capture in captures]):
        assert running.poll() is None
        time.sleep(0.002)
    time.sleep(later)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, out, err.split()) == (130, "", ["error:", "interrupted"])
    assert not (tmp_path / "report.txt").exists()


def test_the_command_reads_ahead() -> None:
    """NumPy is not there yet when the reading begins."""
    code = (
        "import sys, auditor._native as native; begin = native.begin_reading\n"
        "def told(*names, **options):\n"
        "    print('numpy' in sys.modules, 'click' in sys.modules, file=sys.stderr); return begin(*names, **options)\n"
        "native.begin_reading = told\n"
        "from auditor.cli import main; main(sys.argv[1:])"
    )
    policy = CAPTURE.with_name("policy.yaml")
    for more in ([], ["--policy", str(policy)]):
        arguments = [sys.executable, "-c", code, "audit", str(CAPTURE), "--format", "json", *more]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=100)
        assert done.returncode == 0
        assert done.stderr.splitlines() == ["False False"]


def test_the_end_of_the_process_loses_nothing() -> None:
    """The quick way out: all of the report arrives in a pipe, with the exit code."""
    done = subprocess.run([COMMAND, "audit", CAPTURE, "--format", "json"], capture_output=True, timeout=100)
    assert done.returncode == 0
    assert done.stdout.endswith(b"}\n")
    assert done.stderr == b""
