"""Reads a listing of listening sockets: decodes it, tells by its content what printed it, and refuses one that is cut."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from auditor.documents.document import read_bytes
from auditor.errors import DocumentProblem, ListingError
from auditor.listeners.lines import (
    Complain,
    clean_address,
    ends_whole,
    other_language,
    read_lsof,
    read_netstat,
    read_ss,
    read_windows,
)
from auditor.listeners.model import Listener, Listing

_MOST_PROBLEMS = 20
_KNOWN = (
    "ss -tulpn, netstat -tulpn, lsof -i -P, netstat -abno (Windows), or Get-NetTCPConnection and Get-NetUDPEndpoint with "
    "Export-Csv"
)
_PROGRAM_COLUMNS = ("ProcessName", "Process", "Program", "Path", "Name")
_LISTEN_STATES = ("listen", "2")


def read_listing(path: str | Path, host: str) -> Listing:
    """Return the listening sockets in a file; ``host`` is the address of the host that printed it.

    Raises
    ------
    ListingError
        The file cannot be read, is no listing, is cut, in another language, or holds no listening socket.
    """
    shown = str(path)
    data, problem = read_bytes(Path(path), shown)
    if data is None:
        raise ListingError([problem or DocumentProblem(shown, 0, 0, "cannot be read")])
    problems: list[DocumentProblem] = []

    def complain(line: int, message: str, fix: str) -> None:
        if len(problems) < _MOST_PROBLEMS:
            problems.append(DocumentProblem(shown, line, 1 if line else 0, message, fix))

    text = _decode(data)
    lines = text.splitlines()
    kind, reader = _recognise(lines)
    if reader is None:
        problems.append(_unknown(shown, lines))
        raise ListingError(problems)
    found = tuple(reader(lines, complain))
    _check_end(text, lines, found, complain, kind)
    if not found and not problems:
        complain(0, "no listening socket is in it", f"known are: {_KNOWN}; run them as administrator")
    if problems:
        raise ListingError(problems)
    return Listing(host, shown, kind, found)


def _decode(data: bytes) -> str:
    """Return the text: PowerShell writes UTF-16, consoles of Windows their own code page."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if data[1:200:2].count(0) > len(data[1:200:2]) // 2:
        return data.decode("utf-16-le", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


_Reader = Callable[[list[str], Complain], Iterator[Listener]]


def _recognise(lines: list[str]) -> tuple[str, _Reader | None]:
    """Return what printed the lines, and how to read them."""
    head = [line.strip() for line in lines[:20] if line.strip()]
    for line in head:
        if line.startswith("COMMAND") and line.endswith("NAME"):
            return "lsof", read_lsof
        if re.match(r"(Netid\s+)?State\s+Recv-Q", line) or re.match(r"(tcp|udp)\s+(LISTEN|UNCONN)\s", line):
            return "ss", read_ss
        if line.startswith("Proto") and "Foreign Address" in line:
            return ("netstat", read_netstat) if "Recv-Q" in line else ("netstat of Windows", read_windows)
        if "LocalAddress" in line and "LocalPort" in line and ("," in line or ";" in line):
            return "PowerShell", read_csv
    return "", None


def _unknown(shown: str, lines: list[str]) -> DocumentProblem:
    if not any(line.strip() for line in lines):
        return DocumentProblem(shown, 0, 0, "the file is empty: the command printed nothing", f"known are: {_KNOWN}")
    for number, line in enumerate(lines[:200], 1):
        if re.match(r"\s*(TCP|UDP)\s+\S+:\d+\s+\S+", line):
            first = next((one.strip() for one in lines if one.strip()), "")
            return DocumentProblem(shown, number, 1, *other_language(first))
        if re.match(r"(tcp|udp)6?\s+\d+\s+\d+\s+\S+:\S+", line):
            return DocumentProblem(
                shown, number, 1, "its headings are not English, or missing", "run it with LC_ALL=C and save all of it"
            )
    return DocumentProblem(shown, 0, 0, "this is no listing of sockets that is known here", f"known are: {_KNOWN}")


def _check_end(text: str, lines: list[str], found: tuple[Listener, ...], complain: Complain, kind: str) -> None:
    """Complain where the last line has no end and lacks the program that other lines name."""
    if text.endswith(("\n", "\r")) or not found:
        return
    if kind == "netstat of Windows" and not ends_whole(lines[-1]):
        complain(len(lines), "the last line is cut", "save the whole output of the command once more")
        return
    last = found[-1]
    nameless = not last.program and any(one.program for one in found)
    # A line of lsof may end with the port, so that nothing shows whether digits are missing.
    if last.line == len(lines) and (nameless or (kind == "lsof" and last.transport == "udp")):
        complain(last.line, "the last line is cut", "save the whole output of the command once more")


def read_csv(lines: list[str], complain: Complain) -> Iterator[Listener]:
    """Yield the listeners of ``Get-NetTCPConnection`` or ``Get-NetUDPEndpoint``, written by ``Export-Csv``."""
    start = next(number for number, line in enumerate(lines) if "LocalAddress" in line)
    delimiter = ";" if lines[start].count(";") > lines[start].count(",") else ","
    try:
        rows = list(csv.reader(lines[start:], delimiter=delimiter, strict=True))
    except csv.Error as error:
        complain(len(lines), f"not CSV: {error}; the listing seems to be cut", "export it once more")
        return
    names = rows[0]
    transport = "tcp" if "State" in names or "RemotePort" in names else "udp"
    program = next((name for name in _PROGRAM_COLUMNS if name in names), None)
    for number, row in enumerate(rows[1:], start + 2):
        if not row:
            continue
        if len(row) != len(names):
            complain(
                number, f"{len(row)} fields instead of {len(names)}; the listing seems to be cut", "export it once more"
            )
            continue
        values = dict(zip(names, row, strict=True))
        if transport == "tcp" and "State" in values and values["State"].strip().lower() not in _LISTEN_STATES:
            continue
        port, pid = values["LocalPort"], values.get("OwningProcess", "")
        if not (port.isascii() and port.isdecimal() and int(port) <= 0xFFFF):
            complain(number, f"{port[:40]!r} is no port", "export it once more")
            continue
        owner = "" if program is None else values[program].strip()
        yield Listener(
            transport,
            clean_address(values["LocalAddress"]),
            int(port),
            owner,
            int(pid) if pid.isdecimal() else 0,
            number,
        )
