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

from auditor.pipeline import prepare
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


def lasts(capture: Path, policy: Path) -> float:
    """Seconds that a watch takes on this machine, as it is now, when nobody kills it."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        child = os.fork()
        if not child:
            watch(capture, policy, Path(folder))
            os._exit(0)
        os.waitpid(child, 0)
        return time.monotonic() - began


def main() -> None:
    """Do what the module says."""
    capture, policy, folder = map(Path, sys.argv[1:4])
    kills, chance = int(sys.argv[4]), random.Random(int(sys.argv[5]))  # noqa: S311 - moments, no secrets
    longest, hit = (lasts(capture, policy) if kills else 0.0), 0
    for turn in range(kills + 1):
        child = os.fork()
        if not child:
            watch(capture, policy, folder)
            os._exit(0)
        if turn < kills:
            time.sleep(chance.uniform(0.0, longest))
            os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
        hit += os.WIFSIGNALED(status)
        if turn == kills and status:
            sys.exit(f"the last watch ended with {status}")
    print(hit)


if __name__ == "__main__":
    main()
