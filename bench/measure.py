"""Runs programs and tells what they cost; medians, and the machine that they ran on."""

from __future__ import annotations

import datetime as dt
import os
import platform
import resource
import shlex
import signal
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run, or the median of several, took: seconds of CPU time and elapsed, MB resident at the peak."""

    cpu: float
    elapsed: float
    peak: float


class FailedError(Exception):
    """A program ended otherwise than it should have, or not in time."""


def run(command: Sequence[str | Path], output: Path, *, seconds: float = 900, stdin: int | None = None) -> Cost:
    """Run a command, what it prints going into a file, and return its cost, that of programs it started included.

    Raises FailedError where it does not end in time, or not well: 1 and 3 are how auditor tells
    of findings, and that there was nothing to judge.
    """
    begun = time.monotonic()
    # What forbids Python to keep compiled modules would make every start compile all of them.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with output.open("wb") as out:
        source = subprocess.DEVNULL if stdin is None else stdin
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=source,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
        # wait4 tells the cost of this process alone; a child that hangs is ended with all that it started.
        signal.signal(signal.SIGALRM, lambda *_: os.killpg(process.pid, signal.SIGKILL))
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            _, status, used = os.wait4(process.pid, 0)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1, 3):
        last = output.read_text(errors="replace").strip().splitlines()[-1:]
        raise FailedError(f"exit {process.returncode}: {''.join(last)[:200]}")
    return Cost(used.ru_utime + used.ru_stime, time.monotonic() - begun, used.ru_maxrss / 1024)


def shell(*steps: Sequence[str | Path]) -> list[str]:
    """Return several commands, one after the other, as one."""
    return ["sh", "-ec", "\n".join(shlex.join(map(str, step)) for step in steps)]


def median(costs: Sequence[Cost]) -> Cost:
    """Return the medians of several runs."""
    return Cost(*(statistics.median(getattr(cost, name) for cost in costs) for name in ("cpu", "elapsed", "peak")))


def machine() -> str:
    """Return a sentence about this machine."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    bounded = "" if limit == resource.RLIM_INFINITY else f" ({limit >> 30} GB for a process)"
    day, release = dt.datetime.now(dt.UTC).date(), platform.release().partition("-")[0]
    return (
        f"{model}, {os.cpu_count()} processors, {memory:.0f} GB{bounded}, Linux {release}, Python"
        f" {platform.python_version()}, {day}; load at the start {os.getloadavg()[0]:.1f}, files in the page cache"
    )
