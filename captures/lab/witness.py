"""The truth of an NDMP job, from the processes that took part: system calls and ndmjob's own log. No packet is read.

strace tells which endpoints ``accept`` and ``connect`` saw and how many bytes ``read`` returned; ndmjob's log of
level 7 tells each message of the data agent's control connection with its sequence number.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Json = dict[str, Any]

CALLS = "trace=accept,connect,read,close"
_ACCEPT = re.compile(
    r"^(?P<time>[\d.]+) accept\(\d+, \{sa_family=AF_INET, sin_port=htons\((?P<port>\d+)\), "
    r'sin_addr=inet_addr\("(?P<address>[\d.]+)"\)\}.* = (?P<fd>\d+)$'
)
_CONNECT = re.compile(
    r"^(?P<time>[\d.]+) connect\(\d+, \{sa_family=AF_INET, sin_port=htons\((?P<port>\d+)\), "
    r'sin_addr=inet_addr\("(?P<address>[\d.]+)"\)\}, \d+\) = 0$'
)
_MESSAGE = re.compile(
    r"^(?P<time>\w+ \w+ +\d+ [\d:]+\.\d{6})\d* (?P<year>\d{4}): .*#C\(\d+\)\s+(?P<way>C>|>C|R>) "
    r"NDMP(?P<version>\d)_(?P<name>\w+) (?P<first>\d+)(?: \((?P<second>\d+)\))?$"
)
_WHO = {"C>": "server request", ">C": "client request", "R>": "server reply"}


def accepts(traces: list[Path]) -> list[re.Match[str]]:
    """Return every accepted IPv4 connection, in order of time."""
    return _found(traces, _ACCEPT)


def connects(traces: list[Path]) -> list[re.Match[str]]:
    """Return every IPv4 connection that was opened with success, in order of time."""
    return _found(traces, _CONNECT)


def _found(traces: list[Path], pattern: re.Pattern[str]) -> list[re.Match[str]]:
    lines = (line for trace in traces for line in trace.read_text(errors="replace").splitlines())
    return sorted(filter(None, map(pattern.match, lines)), key=lambda match: float(match["time"]))


def bytes_read(traces: list[Path], accepted: re.Match[str]) -> int:
    """Return how many bytes were read from an accepted connection until it was closed."""
    fd, began, total = accepted["fd"], float(accepted["time"]), 0
    for trace in traces:
        lines = trace.read_text(errors="replace").splitlines()
        if accepted.string not in lines:
            continue
        for line in lines:
            time, _, call = line.partition(" ")
            if float(time) <= began:
                continue
            if call.startswith(f"close({fd})"):
                break
            if call.startswith(f"read({fd},"):
                total += max(0, int(call.rpartition("= ")[2].split()[0]))
    return total


def messages(log: Path) -> tuple[int, list[Json]]:
    """Return the NDMP version of a session and its messages, as the data agent logged them."""
    version, told = 0, []
    for line in log.read_text(errors="replace").splitlines():
        match = _MESSAGE.match(line)
        if match is None:
            continue
        version = int(match["version"])  # the greeting and CONNECT_OPEN are logged in the highest one
        when = datetime.strptime(f"{match['time']} {match['year']}", "%a %b %d %H:%M:%S.%f %Y").astimezone(UTC)
        record: Json = {"t": when.timestamp(), "who": _WHO[match["way"]], "message": match["name"]}
        if match["second"]:
            record |= {"seq": int(match["second"]), "reply_to": int(match["first"])}
        else:
            record["seq"] = int(match["first"])
        told.append(record)
    return version, told
