"""What every live source is told, and what it can do."""

from __future__ import annotations

import time
from typing import Protocol

from auditor import _native
from auditor.records import record

LAST = 2.0
"""Seconds that the end waits for packets, where they do not cease."""
_QUIET_MS = 250
"""Longer than the kernel keeps a block of the ring that is not full."""


@record
class SourceOptions:
    """What a source is told.

    ``target``: an interface, a folder, a file, a FIFO, or ``-``. ``snaplen``: bytes kept of each frame. ``expression``: a
    filter in libpcap's language. ``networks``: address and prefix length of the networks of which packets are wanted, all
    where there are none; an expression goes before them. ``rings``: packet rings that share the frames of an interface.
    ``ring_bytes``: memory of each. ``hardware_times``: those of the network card, where it gives them.
    """

    target: str
    snaplen: int = 262_144
    promiscuous: bool = False
    expression: str = ""
    networks: tuple[tuple[str, int], ...] = ()
    rings: int = 1
    ring_bytes: int = 64 << 20
    hardware_times: bool = False


@record
class Availability:
    """Whether a source can be used here: ``reason`` in a sentence either way, ``fix`` what to do where it cannot."""

    usable: bool
    reason: str
    fix: str = ""


class Source(Protocol):
    """A source of packets. ``note``: what its user should know about what it cannot see, or nothing."""

    note: str

    def open(self, live: _native.LiveReading) -> None:
        """Begin. Raises UsageError for what it was told, CaptureError where it cannot be opened."""

    def pump(self, live: _native.LiveReading, milliseconds: int) -> int:
        """Take what comes within the time, or until a signal; return the number of packets."""

    def ended(self, live: _native.LiveReading) -> bool:
        """Return whether nothing more will come."""

    def close(self, live: _native.LiveReading) -> None:
        """End, with what is still under way taken in."""


class Pumped(Protocol):
    """What packets can be taken from."""

    @property
    def ended(self) -> bool:
        """Whether nothing more can come."""

    def pump(self, milliseconds: int) -> int:
        """Take what comes within the time; return the number of packets."""


def drain(live: Pumped) -> None:
    """Take what is under way: until nothing comes for a moment, the source ends, or ``LAST`` seconds are over."""
    deadline = time.monotonic() + LAST
    while live.pump(_QUIET_MS) and not live.ended and time.monotonic() < deadline:
        pass
