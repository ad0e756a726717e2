"""Runs a watch of a capture again and again and kills it at random moments, then lets it come to its end.

    python -m tests.helpers.watch_killed CAPTURE POLICY FOLDER KILLS SEED

Standard output of the watch is FOLDER/shown, opened for appending, its log FOLDER/log, its journal FOLDER/journal. Prints
how many of the kills hit a watch that was running.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from auditor.pipeline.yardstick import prepare
from auditor.watch.journal import Journal
from auditor.watch.lines import json_line_of
from auditor.watch.loop import Watcher
from auditor.watch.outlets import StreamOutlet
from auditor.watch.settings import Settings
from auditor.watch.sinks.file import FileOutlet
from tests.helpers.live_fake import FakeLive


def watch(capture: Path, policy: Path, folder: Path) -> None:
    """Watch a capture from its beginning to its end."""
    live = FakeLive(capture, per_pump=60, pause=0.005)
    with (folder / "shown").open("ab") as stream:
        journal = Journal(str(folder / "journal"))
        outlets = [StreamOutlet(stream, json_line_of), FileOutlet(str(folder / "log"), most_bytes=20_000, keep=9)]
        settings = Settings(interval=0.01, hold=0.1, settle=0.5, most=3)
        Watcher(live, prepare(policy), journal, outlets, source="lab", again=True, settings=settings).run()
        journal.close(clean=True)


def life(capture: Path, policy: Path, folder: Path, kill_after: float | None) -> tuple[float, bool]:
    """Watch in a child; return how long it lived, and whether it was killed. Raises SystemExit where it failed."""
    began = time.monotonic()
    child = os.fork()
    if not child:
        watch(capture, policy, folder)
        os._exit(0)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    if status and not os.WIFSIGNALED(status):
        sys.exit(f"a watch ended with {status}")
    return time.monotonic() - began, os.WIFSIGNALED(status)


def main() -> None:
    """Do what the module says."""
    capture, policy, folder = map(Path, sys.argv[1:4])
    kills, chance = int(sys.argv[4]), random.Random(int(sys.argv[5]))  # noqa: S311 - moments, no secrets
    longest, hit = 0.0, 0
    if kills:
        with tempfile.TemporaryDirectory() as other:
            longest = life(capture, policy, Path(other), None)[0]
    for _ in range(20 * kills):
        if hit == kills:
            break
        killed = life(capture, policy, folder, chance.uniform(0.0, longest))[1]
        hit += killed
        # Who ended before lived on a machine that has become faster since that was measured.
        longest *= 1.0 if killed else 0.8
    if life(capture, policy, folder, None)[1]:
        sys.exit("the last watch was killed by somebody else")
    print(hit)


if __name__ == "__main__":
    main()
