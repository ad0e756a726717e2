"""Reads the NDMP port from a ``services`` file as Windows and Unix keep it.

    ndmp    10000/tcp    alias    # Network Data Management Protocol

The file belongs to a host, not to us: what does not concern NDMP is skipped, whatever it looks like.
"""

from __future__ import annotations

import os
import re

from auditor.documents.document import problem_at, read_bytes
from auditor.documents.yaml_tree import Place
from auditor.errors import DocumentProblem
from auditor.records import record

NAME = "ndmp"
_PORT = re.compile(r"([0-9]{1,9})/([a-z]+)", re.ASCII)


@record
class ServicesFile:
    """What a services file says of NDMP: ``port`` (None where it says nothing usable), why not, and remarks.

    ``problems`` make the file unusable; ``notes`` are oddities that someone should look at.
    """

    port: int | None
    problems: tuple[DocumentProblem, ...]
    notes: tuple[DocumentProblem, ...]


@record
class _Entry:
    line: int
    names: tuple[str, ...]
    port: int
    transport: str


def read_services_file(path: str | os.PathLike[str], shown: str) -> ServicesFile:
    """Read a file; ``shown`` is the name that complaints use. Never raises for what the file is or holds."""
    data, problem = read_bytes(path, shown)
    if data is None:
        return ServicesFile(None, (problem,) if problem else (), ())
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        utf16 = DocumentProblem(shown, 1, 1, "the services file is UTF-16", "save it as plain text (ANSI or UTF-8)")
        return ServicesFile(None, (utf16,), ())
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")  # comments in an old Windows code page; names and numbers are ASCII
    return parse_services_file(text, shown)


def parse_services_file(text: str, shown: str) -> ServicesFile:
    """Read the text of a services file. The service is ``ndmp`` in exactly this spelling, as a name or an alias."""
    return _Parser(text, shown).result()


class _Parser:
    def __init__(self, text: str, shown: str) -> None:
        self._shown = shown
        self._lines = text.splitlines()
        self._notes: list[DocumentProblem] = []
        self._problems: list[DocumentProblem] = []
        self._entries: list[_Entry] = []
        self._commented = 0
        for number, line in enumerate(self._lines, 1):
            self._take(number, line)

    def result(self) -> ServicesFile:
        """Weigh the entries that were found."""
        exact = [entry for entry in self._entries if NAME in entry.names]
        for entry in self._entries:
            if entry not in exact:
                spelling = next(name for name in entry.names if name.lower() == NAME)
                self._note(entry.line, f"{spelling!r} is not the name that Backup Exec looks up", f"write {NAME}")
        tcp = [entry for entry in exact if entry.transport == "tcp"]
        for entry in tcp[1:]:
            if entry.port == tcp[0].port:
                self._note(
                    entry.line, f"{NAME} is given twice; the first is on line {tcp[0].line}", "remove one of them"
                )
            else:
                message = f"{NAME} has two TCP ports: {tcp[0].port} on line {tcp[0].line} and {entry.port} here"
                self._problem(entry.line, message, "keep the line that is in force")
        if not tcp:
            self._missing(exact)
        port = tcp[0].port if tcp and not self._problems else None
        return ServicesFile(port, tuple(self._problems), tuple(self._notes))

    def _take(self, number: int, line: str) -> None:
        content, _, comment = line.partition("#")
        words = content.split()
        if not words:
            if comment.split()[:1] == [NAME]:
                self._commented = number
            return
        mentioned = [word for word in (words[0], *words[2:]) if word.lower() == NAME]
        if not mentioned:
            return
        match = _PORT.fullmatch(words[1].lower()) if len(words) > 1 else None
        if match is None:
            found = repr(words[1][:40]) if len(words) > 1 else "nothing"
            self._problem(number, f"expected a port and a transport after the name, found {found}", self._example())
        elif not 1 <= int(match[1]) <= 65535:
            self._problem(number, f"port {int(match[1])} does not exist", self._example())
        else:
            self._entries.append(_Entry(number, (words[0], *words[2:]), int(match[1]), match[2]))

    def _missing(self, exact: list[_Entry]) -> None:
        if self._problems:
            return
        if exact:
            message = f"{NAME} is given for {exact[0].transport} only; Backup Exec uses TCP"
            self._problem(exact[0].line, message, self._example(exact[0].port))
        elif self._notes:
            first = self._notes[0]
            self._problem(first.line, f"the file has no entry named {NAME}, only another spelling", self._example())
        elif self._commented:
            self._problem(self._commented, f"the only {NAME} entry is a comment", "remove the # before it")
        else:
            self._problem(1, f"the file has no {NAME}/tcp entry", f"add the line: {self._example()}, or use ndmp_port")

    def _example(self, port: int = 10000) -> str:
        return f"{NAME} {port}/tcp"

    def _problem(self, line: int, message: str, fix: str) -> None:
        self._problems.append(problem_at(Place(self._shown, line), message, fix, self._lines))

    def _note(self, line: int, message: str, fix: str) -> None:
        self._notes.append(problem_at(Place(self._shown, line), message, fix, self._lines))
