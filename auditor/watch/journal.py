"""The journal of a watch: what is told is written here first, and what the next start has to know.

It is one SQLite file in WAL mode with ``synchronous=FULL``, through Python's own ``sqlite3``. Why not an append-only file
with checksums: news and what is remembered because of it have to change together, old entries have to go again, and a torn
end has to be found and dropped; SQLite does all three and is tested against power loss by people who do little else. WAL
with FULL makes a commit one ``fsync`` of one file, and a commit that returned survives power loss (with NORMAL it would
survive a killed process only). ``locking_mode=EXCLUSIVE`` keeps a second watch out and lets go with the process, however
that dies; WAL then needs no shared memory, so that the file may lie where memory mapping does not work.

The order is: write news and memory in one transaction, show, note that it was shown. A process that is killed between the
second and the third step shows that news once more at its next start, marked ``again``, unless the receiver is a file, whose
end tells what it holds (``auditor.watch.outlets``).
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from auditor.errors import UsageError
from auditor.watch.news import News, Step

_LAYOUT = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS news (
    number INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL, written REAL NOT NULL, time TEXT NOT NULL,
    kind TEXT NOT NULL, key TEXT NOT NULL, severity TEXT NOT NULL, text TEXT NOT NULL, facts TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS memory (
    kind TEXT NOT NULL, key TEXT NOT NULL, touched REAL NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS shown (outlet TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
"""

KEEP_SECONDS = 30 * 86_400
"""News older than this goes, and what nothing has touched for as long: a month of traffic does not grow the file."""

Memory = dict[tuple[str, str], dict[str, Any]]
"""What is remembered: kind and key -> plain values of JSON."""

_T = TypeVar("_T")


class Journal:
    """An open journal; ``run`` counts the starts from 1, ``clean`` tells whether the run before this one ended by itself.

    ``path`` may be ``:memory:`` for a watch that is to leave nothing behind. Every method raises UsageError where the file
    cannot be read or written any more.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._file = self._tried(self._open)
        self.run = int(self._meta("run", "0")) + 1
        self.clean = self._meta("clean", "yes") == "yes"
        self.identity = self._meta("identity", os.urandom(8).hex())
        self._tried(self._begin_run)
        self.last = int(self._tried(lambda: self._one("SELECT coalesce(max(seq), 0) FROM sqlite_sequence")))

    def _open(self) -> sqlite3.Connection:
        if self.path != ":memory:":
            # Hostile names stand in it, and who backs up what: for the owner's eyes.
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        # The live view runs the watch in a thread of its own; still only one thread uses it.
        file = sqlite3.connect(self.path, timeout=0.2, isolation_level=None, check_same_thread=False)
        try:
            self._lay_out(file)
        except BaseException:
            file.close()
            raise
        return file

    def _lay_out(self, file: sqlite3.Connection) -> None:
        file.execute("PRAGMA locking_mode=EXCLUSIVE")
        file.execute("PRAGMA journal_mode=WAL")
        file.execute("PRAGMA synchronous=FULL")
        layout = int(file.execute("PRAGMA user_version").fetchone()[0])
        if layout not in (0, _LAYOUT):
            raise UsageError(
                f"the journal {self.path} was written by another version of auditor (layout {layout})",
                fix="name another file with --journal",
            )
        file.executescript(f"BEGIN IMMEDIATE;{_TABLES}PRAGMA user_version={_LAYOUT};COMMIT;")

    def _begin_run(self) -> None:
        with self._file:
            self._file.execute("BEGIN IMMEDIATE")
            for name, value in (("run", str(self.run)), ("clean", "no"), ("identity", self.identity)):
                self._file.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))
            self._prune()

    def memory(self) -> Memory:
        """Return what is remembered."""
        rows = self._tried(lambda: self._file.execute("SELECT kind, key, body FROM memory").fetchall())
        return {(kind, key): json.loads(body) for kind, key, body in rows}

    def write(self, steps: Iterable[Step]) -> int:
        """Write steps as one transaction that survives power loss once this returns; return the latest number."""
        steps = list(steps)
        if steps:
            self.last = self._tried(lambda: self._write(steps))
        return self.last

    def _write(self, steps: Sequence[Step]) -> int:
        now, last = time.time(), self.last
        with self._file:
            self._file.execute("BEGIN IMMEDIATE")
            for step in steps:
                for kind, key, body in step.changes:
                    self._remember(kind, key, body, now)
                if step.news is not None:
                    one = step.news
                    facts = json.dumps(one.facts)
                    row = (self.run, now, one.time, one.kind, one.key, one.severity, one.text, facts)
                    found = self._file.execute(
                        "INSERT INTO news (run, written, time, kind, key, severity, text, facts)"
                        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                        tuple(_storable(value) for value in row),
                    )
                    last = int(found.lastrowid or last)
        return last

    def _remember(self, kind: str, key: str, body: dict[str, Any] | None, now: float) -> None:
        if body is None:
            self._file.execute("DELETE FROM memory WHERE kind = ? AND key = ?", (kind, key))
        else:
            row = (kind, key, now, json.dumps(body))
            self._file.execute("INSERT OR REPLACE INTO memory VALUES (?, ?, ?, ?)", row)

    def after(self, number: int, limit: int) -> list[News]:
        """Return at most ``limit`` pieces of news that are later than ``number``, in order."""
        if number >= self.last or limit < 1:
            return []
        asked = "SELECT number, run, time, kind, key, severity, text, facts FROM news WHERE number > ? ORDER BY number"
        rows = self._tried(lambda: self._file.execute(f"{asked} LIMIT ?", (number, limit)).fetchall())
        return [
            News(kind, key, text, when, severity, json.loads(facts), number=number, again=run < self.run)
            for number, run, when, kind, key, severity, text, facts in rows
        ]

    def shown(self, outlet: str) -> int | None:
        """Return the number up to which an outlet has shown everything; None for one that the journal does not know."""
        row = self._tried(lambda: self._file.execute("SELECT number FROM shown WHERE outlet = ?", (outlet,)).fetchone())
        return None if row is None else int(row[0])

    def note_shown(self, outlet: str, number: int) -> None:
        """Write down that an outlet has shown everything up to ``number``."""
        self._tried(lambda: self._file.execute("INSERT OR REPLACE INTO shown VALUES (?, ?)", (outlet, number)))

    def prune(self) -> None:
        """Forget what is older than ``KEEP_SECONDS``, but for findings and sessions that are open."""

        def work() -> None:
            with self._file:
                self._file.execute("BEGIN IMMEDIATE")
                self._prune()

        self._tried(work)

    def _prune(self) -> None:
        old = time.time() - KEEP_SECONDS
        self._file.execute("DELETE FROM news WHERE written < ?", (old,))
        self._file.execute(
            "DELETE FROM memory WHERE touched < ? AND coalesce(json_extract(body, '$.open'), 0) = 0 AND kind <> 'role'",
            (old,),
        )

    def close(self, *, clean: bool) -> None:
        """Close the file; ``clean`` when everything was told."""
        if clean:
            self._tried(lambda: self._file.execute("INSERT OR REPLACE INTO meta VALUES ('clean', 'yes')"))
        self._file.close()

    def abandon(self) -> None:
        """Close the file as it was found: nothing was watched."""
        found = (("run", str(self.run - 1)), ("clean", "yes" if self.clean else "no"))
        self._tried(lambda: self._file.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", found))
        self._file.close()

    def _meta(self, name: str, default: str) -> str:
        row = self._tried(lambda: self._file.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone())
        return default if row is None else str(row[0])

    def _one(self, question: str) -> Any:
        return self._file.execute(question).fetchone()[0]

    def _tried(self, work: Callable[[], _T]) -> _T:
        """Do what SQLite may refuse. Raises UsageError with what to do about it."""
        try:
            return work()
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise UsageError(
                    f"the journal {self.path} is in use by another watch", fix="name another file with --journal"
                ) from None
            raise UsageError(f"the journal {self.path} cannot be used: {error}", fix="free space, or move it") from None
        except sqlite3.DatabaseError as error:
            raise UsageError(
                f"the journal {self.path} is no journal, or is damaged: {error}",
                fix="move it away; the next watch begins a new one",
            ) from None
        except OSError as error:
            raise UsageError(
                f"cannot open the journal {self.path}: {error.strerror or error}", fix="name a file with --journal"
            ) from None


def _storable(value: Any) -> Any:
    """Return a value as SQLite takes it: names of files may hold surrogates."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
