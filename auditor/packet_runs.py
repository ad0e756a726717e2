"""Where in their files the packets are that a report names: their numbers count over all captures."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Any

from auditor import _native
from auditor.model import PacketRun, Report
from auditor.records import names_of, replace

_NAMING = frozenset({"packet", "packets", "first_packet", "last_packet", "end_packet"})
"""Fields of hosts, sessions and findings that hold numbers of packets; 0 stands for none."""

_NAMED = r"\bpackets? (\d{1,18}(?:, \d{1,18})*)"
_PARTS = ("hosts", "sessions", "undecided", "findings")


def placed(report: Report, reading: _native.Reading) -> Report:
    """Return the report with the runs of each of several captures: all packets of files that follow each other; of files
    that took turns, those that the report names."""
    if len(report.captures) < 2:
        return report
    runs: list[list[PacketRun]] = [[] for _ in report.captures]
    known = reading.runs()
    for number, file, number_in_file, packets in known:
        runs[file].append(PacketRun(number, number_in_file, packets))
    total = sum(capture.packets for capture in report.captures)
    if total > sum(packets for *_, packets in known):
        for number in _unknown(known, sorted(set(_numbers(report))), total):
            file, number_in_file = reading.place(number)
            _append(runs[file], number, number_in_file)
    captures = (
        replace(capture, runs=tuple(sorted(own, key=lambda run: run.number)))
        for capture, own in zip(report.captures, runs, strict=True)
    )
    return replace(report, captures=tuple(captures))


def _unknown(known: list[tuple[int, int, int, int]], numbers: Iterable[int], total: int) -> Iterator[int]:
    """Yield the numbers that are in no run so far."""
    starts = [start for start, *_ in known]
    for number in numbers:
        at = bisect_right(starts, number) - 1
        if number <= total and (at < 0 or number >= known[at][0] + known[at][3]):
            yield number


def _append(runs: list[PacketRun], number: int, number_in_file: int) -> None:
    """Add a packet, to the run that it continues or as one of its own."""
    last = runs[-1] if runs else None
    if last is not None and (last.number + last.packets, last.number_in_file + last.packets) == (
        number,
        number_in_file,
    ):
        runs[-1] = replace(last, packets=last.packets + 1)
    else:
        runs.append(PacketRun(number, number_in_file, 1))


def _numbers(report: Report) -> Iterator[int]:
    """Yield the numbers of packets that the report names, in fields and in texts."""
    for name in _PARTS:
        yield from _within(getattr(report, name), naming=False)


def _within(value: Any, *, naming: bool) -> Iterator[int]:
    if isinstance(value, str):
        for match in re.finditer(_NAMED, value, re.ASCII):
            yield from map(int, match[1].split(", "))
    elif naming and type(value) is int:
        if value > 0:
            yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _within(item, naming=naming)
    else:
        for name in names_of(type(value)) or ():
            yield from _within(getattr(value, name), naming=name in _NAMING)
