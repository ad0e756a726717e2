"""What every live source is told, and what it can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from auditor import _native


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
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
