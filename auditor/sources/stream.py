"""A capture that is written while it is read: ``-``, a FIFO; or a file that lies there."""

from __future__ import annotations

from auditor import _native
from auditor.errors import CaptureError, UsageError
from auditor.sources.interface import Availability, SourceOptions


def available(target: str) -> Availability:
    """Whatever can be opened can be read."""
    return Availability(True, f'"{target}" is read as it is written')


class StreamSource:
    """One stream of pcap or pcapng."""

    note = ""

    def __init__(self, options: SourceOptions) -> None:
        self._options = options

    def open(self, live: _native.LiveReading) -> None:
        """Open it. Raises UsageError for a filter, which whoever writes must set; CaptureError where it cannot be read."""
        if self._options.expression:
            raise UsageError(
                "a filter is for interfaces; a stream is filtered where it is written",
                fix="for example: ssh sensor tcpdump -U -w - 'FILTER' | auditor watch -",
            )
        try:
            live.open_stream(self._options.target)
        except OSError as error:
            raise CaptureError(str(error), fix="name a file, a FIFO, or - for standard input") from error

    def pump(self, live: _native.LiveReading, milliseconds: int) -> int:
        """Take what comes within the time, or until a signal."""
        return live.pump(milliseconds)

    def ended(self, live: _native.LiveReading) -> bool:
        """Return whether it came to its end."""
        return live.ended

    def close(self, live: _native.LiveReading) -> None:
        """Leave the rest."""
        live.close()
