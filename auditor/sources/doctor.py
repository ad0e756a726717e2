"""What this machine allows for listening: which source will be used and why, what is missing and how to give it."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from pathlib import Path

from auditor import _native
from auditor.records import record
from auditor.sources.bpf import compiler
from auditor.sources.cards import hardware_times
from auditor.sources.interface import Availability
from auditor.sources.registry import FOR_INTERFACES, available, kind_of

RING_BYTES = 64 << 20
_UNSYNCHRONISED = 5
"""TIME_ERROR of adjtimex."""


@record
class Check:
    """One thing looked at. ``state``: ``ok``, ``note`` (worth knowing), or ``missing``; ``fix`` what to do, or nothing."""

    name: str
    state: str
    text: str
    fix: str = ""


@record
class Diagnosis:
    """What was found for a target. ``source``: the one that will be used, or nothing."""

    target: str
    source: str
    why: str
    checks: tuple[Check, ...]


def diagnose(target: str) -> Diagnosis:
    """Look at what a target needs: an interface, a folder, a file, ``-``."""
    kind = kind_of(target)
    names = FOR_INTERFACES if kind == "interface" else (kind,)
    answers = {name: available(name, target) for name in names}
    best = next((name for name, answer in answers.items() if answer.usable), "")
    why = answers[best].reason if best else "no source can be used"
    if best and best != names[0]:
        why += f"; {names[0]} cannot be used: {answers[names[0]].reason}"
    sources = tuple(_of_source(name, answer) for name, answer in answers.items())
    machine = (_privilege(), _filters(), _memory(), _clock(), _card(target), _disk())
    rest = machine if kind == "interface" else (_disk(),)
    return Diagnosis(target, best, why, (*sources, *rest))


def _of_source(name: str, answer: Availability) -> Check:
    return Check(f"source {name}", "ok" if answer.usable else "missing", answer.reason, answer.fix)


def _privilege() -> Check:
    if sys.platform != "linux":
        return Check("privileges", "note", "told by trying on this system")
    if os.geteuid() == 0:
        return Check(
            "privileges",
            "note",
            "this is root, which is more than is needed",
            "CAP_NET_RAW is enough; the rest is given up",
        )
    held = _native.holds_net_raw()
    return Check(
        "privileges", "ok" if held else "note", f"CAP_NET_RAW is {'' if held else 'not '}held; root is not needed"
    )


def _filters() -> Check:
    by = compiler()
    if by:
        return Check("filters", "ok", f"filter expressions are compiled by {by}")
    return Check(
        "filters",
        "note",
        "filter expressions cannot be compiled; filters out of a policy need nothing",
        "apt install tcpdump, or libpcap",
    )


def _memory() -> Check:
    """Rings are the kernel's memory, not locked memory of the process: ulimit -l does not matter, a container's limit does."""
    try:
        rows = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        free = int(rows["MemAvailable"].split()[0]) >> 10
    except (OSError, KeyError, ValueError):
        return Check("memory", "note", "how much memory is available is not known on this system")
    need = RING_BYTES >> 20
    state = "ok" if free > 4 * need else "missing"
    fix = "" if state == "ok" else "ask for a smaller ring, and a smaller --max-flows"
    return Check("memory", state, f"{free} MB available; a ring takes {need} MB (not counted by ulimit -l)", fix)


def _clock() -> Check:
    try:
        source = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource").read_text().strip()
    except OSError:
        return Check("clock", "note", "where its time comes from is not known on this system")
    # struct timex, zeroed: modes 0 only reads. 208 bytes on 64-bit systems; more does no harm.
    state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))
    if state == _UNSYNCHRONISED:
        return Check(
            "clock", "note", f"clock source {source}; not synchronised, so times may not fit those of other machines",
            "run a time service: chrony, systemd-timesyncd",
        )  # fmt: skip
    return Check("clock", "ok", f"clock source {source}, synchronised")


def _card(target: str) -> Check:
    """Whether --hardware-times would give other times than the kernel's."""
    words = {
        "on": ("ok", "the card stamps packets: --hardware-times takes its times", ""),
        "off": (
            "note",
            "the card can stamp packets and does not: times are the kernel's",
            f"for --hardware-times: hwstamp_ctl -i {target} -r 1, and phc2sys for its clock (linuxptp)",
        ),
        "none": ("ok", "the card stamps no packets: times are the kernel's, --hardware-times changes nothing", ""),
        "": ("note", "whether the card stamps packets is not told on this system: times are the kernel's", ""),
    }
    return Check("card times", *words[hardware_times(target)])


def _disk() -> Check:
    free = shutil.disk_usage(Path.cwd()).free >> 20
    state = "ok" if free > 1024 else "note"
    return Check("disk", state, f"{free} MB free here, for reports and the journal; packets are not written")
