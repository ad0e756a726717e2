"""A file of JSON Lines that is rotated by size, and that may be rotated by others."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from auditor.watch.lines import json_line_of
from auditor.watch.news import News
from auditor.watch.outlets import last_number


class FileOutlet:
    """Appends news to ``path``; beyond ``most_bytes`` it becomes ``path.1``, that ``path.2``, up to ``keep``.

    What logrotate moves away is noticed by its inode: no signal is needed. The end of the file tells what it holds, so that
    nothing stands there twice and nothing is missing, also after a kill. A file that cannot be written is tried again with
    the next news; the journal holds what it lacks.
    """

    def __init__(self, path: str, *, most_bytes: int = 100 << 20, keep: int = 5) -> None:
        self.name, self.trouble = f"file {path}", ""
        self._path, self._most, self._keep = Path(path), most_bytes, keep
        self._file: BinaryIO | None = None
        self._arrived: int | None = None

    def begin(self, last: int) -> int | None:
        """Return the latest number that the file, or the one rotated last, holds."""
        del last
        for path in (self._path, self._rotated(1)):
            with contextlib.suppress(OSError):
                number = last_number(path, lambda size, path=path: os.truncate(path, size))  # type: ignore[misc]
                if number is not None:
                    return number
        return None

    def room(self) -> int:
        """Return a fixed number, or 1 while there is trouble."""
        return 1 if self.trouble else 200

    def offer(self, news: Sequence[News]) -> int:
        """Append the lines, as many as can be written."""
        taken = 0
        try:
            file = self._opened()
            for one in news:
                line = json_line_of(one)
                if file.tell() and file.tell() + len(line) > self._most:
                    self._rotate()
                    file = self._opened()
                file.write(line)
                file.flush()
                self._arrived = one.number
                taken += 1
        except OSError as error:
            self.trouble = f"cannot write: {error.strerror or error}"
            self._shut()
        else:
            self.trouble = ""
        return taken

    def delivered(self) -> int | None:
        """Return the number of the latest line that was written."""
        return self._arrived

    def close(self) -> None:
        """Write everything out to the disk and close."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.fsync(self._file.fileno())
        self._shut()

    def _opened(self) -> BinaryIO:
        if self._file is not None:
            with contextlib.suppress(OSError):
                own, there = os.fstat(self._file.fileno()), self._path.stat()
                if (own.st_dev, own.st_ino) == (there.st_dev, there.st_ino):
                    return self._file
            self._shut()
        number = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        self._file = os.fdopen(number, "ab", buffering=0)
        assert self._file is not None
        self._file.seek(0, os.SEEK_END)
        return self._file

    def _shut(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
        self._file = None

    def _rotate(self) -> None:
        self._shut()
        for number in range(self._keep, 0, -1):
            older = self._rotated(number - 1) if number > 1 else self._path
            if older.exists():
                older.replace(self._rotated(number))
        if self._keep == 0:
            self._path.unlink(missing_ok=True)

    def _rotated(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")
