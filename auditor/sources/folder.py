"""A folder into which a capturing program drops files, one after another (``dumpcap -b``, ``tcpdump -G`` or ``-C``).

A file is read when it is complete: when a newer one is there, or when it has not grown for a while.
"""

from __future__ import annotations

import time
from pathlib import Path

from auditor import _native
from auditor.errors import CaptureError, UsageError
from auditor.sources.interface import Availability, SourceOptions

QUIET = 30.0
"""Seconds without a change after which the newest file is taken for complete, too."""


def available(target: str) -> Availability:
    """A folder can be looked into, or not."""
    try:
        next(Path(target).iterdir(), None)
    except OSError as error:
        return Availability(False, f'"{target}" cannot be looked into: {error.strerror}')
    return Availability(True, f'files that are dropped into "{target}" are read when they are complete')


class FolderSource:
    """The captures of a folder, oldest first, and those that come. ``quiet``: see ``QUIET``."""

    note = "files that are removed before they were read are not seen"

    def __init__(self, options: SourceOptions, *, quiet: float = QUIET) -> None:
        self._options = options
        self._folder = Path(options.target)
        self._quiet = quiet
        self._read: set[tuple[int, int]] = set()
        self._closed = False

    def open(self, live: _native.LiveReading) -> None:  # noqa: ARG002 - files are opened as they come
        """Look whether it can be. Raises UsageError for a filter, CaptureError where there is no such folder."""
        if self._options.expression:
            raise UsageError("a filter is for interfaces", fix="filter where the files are written")
        answer = available(self._options.target)
        if not answer.usable:
            raise CaptureError(answer.reason, fix="name a folder that can be read")

    def pump(self, live: _native.LiveReading, milliseconds: int) -> int:
        """Read what is complete and new within the time, or until a signal."""
        deadline = time.monotonic() + milliseconds / 1000
        packets = 0
        while (left := deadline - time.monotonic()) > 0:
            if live.ended:
                path = self._next()
                if path is None:
                    time.sleep(min(left, 0.2))
                    continue
                try:
                    live.open_stream(path)
                except OSError:
                    continue  # gone, or no capture: what was told of a file that was opened is in the report
            packets += live.pump(max(1, int(left * 1000)))
        return packets

    def _next(self) -> Path | None:
        """Return the oldest complete file that was not read."""
        files = []
        for path in self._folder.iterdir():
            try:
                facts = path.stat()
            except OSError:
                continue
            if path.is_file() and ".pcap" in path.name and facts.st_size:
                files.append((facts.st_mtime, path.name, (facts.st_dev, facts.st_ino), path))
        files.sort()
        # Files that are gone need not be remembered; a new one may get the same number.
        self._read &= {identity for _, _, identity, _ in files}
        for place, (changed, _, identity, path) in enumerate(files):
            complete = place + 1 < len(files) or time.time() - changed > self._quiet
            if complete and identity not in self._read:
                self._read.add(identity)
                return path
        return None

    def ended(self, live: _native.LiveReading) -> bool:
        """Return whether it was closed: files may always come."""
        return self._closed and live.ended

    def close(self, live: _native.LiveReading) -> None:
        """Leave what is not read."""
        self._closed = True
        live.close()
