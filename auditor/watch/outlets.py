"""Where news goes: each outlet is fed from the journal, in order, and the journal notes how far each has come."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

from auditor.watch.journal import Journal
from auditor.watch.lines import number_of
from auditor.watch.news import News

_TAIL = 1 << 17
"""Bytes at the end of a file that are looked at; no line is longer."""
_AT_ONCE = 200


class Outlet(Protocol):
    """A place where news goes. ``name`` is stable between runs, ``trouble`` one sentence, empty where all is well."""

    name: str
    trouble: str

    def begin(self, last: int) -> int | None:
        """Return up to which number everything is there already, if the place itself can tell; ``last`` is the latest."""
        ...

    def room(self) -> int:
        """Return how many pieces of news can be taken now without waiting."""
        ...

    def offer(self, news: Sequence[News]) -> int:
        """Take news, from the first on, and return how many were taken; never waits for a network."""
        ...

    def delivered(self) -> int | None:
        """Return the latest number that has arrived for certain; None before the first."""
        ...

    def close(self) -> None:
        """Deliver what can be delivered in a short time, and let go."""
        ...


class Round:
    """Feeds outlets from the journal and notes what has arrived."""

    def __init__(self, journal: Journal, outlets: Sequence[Outlet]) -> None:
        self._journal, self._outlets = journal, outlets
        self._fed: dict[str, int] = {}
        self._noted: dict[str, int] = {}
        self._told: dict[str, str] = {}
        for outlet in outlets:
            noted = journal.shown(outlet.name)
            # An outlet that is new to this journal is told what is new from now on.
            start = journal.last if noted is None else noted
            there = outlet.begin(journal.last)
            if there is not None and noted is not None and start <= there <= journal.last:
                start = there
            self._fed[outlet.name] = self._noted[outlet.name] = start
            if start != noted:
                journal.note_shown(outlet.name, start)

    def show(self) -> None:
        """Give each outlet what it lacks, as far as it has room, and note what has arrived."""
        for outlet in self._outlets:
            while True:
                news = self._journal.after(self._fed[outlet.name], min(outlet.room(), _AT_ONCE))
                if not news:
                    break
                taken = outlet.offer(news)
                if taken:
                    self._fed[outlet.name] = news[taken - 1].number
                if taken < len(news):
                    break
            self._note(outlet)

    def _note(self, outlet: Outlet) -> None:
        arrived = outlet.delivered()
        if arrived is not None and arrived > self._noted[outlet.name]:
            self._noted[outlet.name] = arrived
            self._journal.note_shown(outlet.name, arrived)

    def troubles(self) -> list[tuple[str, str]]:
        """Return the outlets whose trouble has changed since this was asked last, with it."""
        changed = [(one.name, one.trouble) for one in self._outlets if one.trouble != self._told.get(one.name, "")]
        self._told.update(changed)
        return [(name, trouble or "well again") for name, trouble in changed]

    def close(self) -> None:
        """Close all outlets and note what has arrived."""
        for outlet in self._outlets:
            outlet.close()
            self._note(outlet)


class StreamOutlet:
    """Lines on an open stream, as standard output.

    Where the stream is a file that is appended to, its end tells what was shown, also after a kill between showing and
    noting: nothing stands there twice. A line that was torn is cut off and written again.
    """

    def __init__(self, stream: BinaryIO, write: Callable[[News], bytes], name: str = "output") -> None:
        self.name, self.trouble = name, ""
        self._stream, self._write = stream, write
        self._last: int | None = None

    def begin(self, last: int) -> int | None:
        """Look at the end of the file, if the stream is one that is appended to."""
        del last
        with contextlib.suppress(OSError, ValueError, ImportError):
            import fcntl

            number = self._stream.fileno()
            if fcntl.fcntl(number, fcntl.F_GETFL) & os.O_APPEND and os.path.isfile(f"/dev/fd/{number}"):  # noqa: PTH113
                return last_number(Path(f"/dev/fd/{number}"), lambda size: os.ftruncate(number, size))
        return None

    def room(self) -> int:
        """Return a fixed number: whoever reads the stream sets the pace."""
        return _AT_ONCE

    def offer(self, news: Sequence[News]) -> int:
        """Write the lines in one go."""
        self._stream.write(b"".join(map(self._write, news)))
        self._stream.flush()
        self._last = news[-1].number
        return len(news)

    def delivered(self) -> int | None:
        """Return the number of the latest line."""
        return self._last

    def close(self) -> None:
        """Leave the stream open; it is not ours."""


def last_number(path: Path, cut: Callable[[int], None]) -> int | None:
    """Return the number of the last line of ours at the end of a file; a torn line is cut off with ``cut(size)`` first."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL))
        tail = file.read()
    whole = tail.rfind(b"\n") + 1
    if whole < len(tail):
        cut(size - len(tail) + whole)
    numbers = (number_of(line) for line in reversed(tail[:whole].splitlines()))
    return next((number for number in numbers if number is not None), None)
