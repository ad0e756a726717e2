"""What a watch reads from: packets that keep coming, and the flows and messages that they have made so far."""

from __future__ import annotations

from typing import Any, Protocol

from auditor import _native


class Live(Protocol):
    """A reading that goes on; ``_native.LiveReading`` is one."""

    @property
    def ended(self) -> bool:
        """Whether nothing more can come."""
        ...

    @property
    def error(self) -> str:
        """One sentence of the latest trouble with the source; empty without any."""
        ...

    def pump(self, milliseconds: int) -> int:
        """Take what comes within that time; return the number of packets. Returns early at a signal."""
        ...

    def snapshot(self) -> _native.Reading:
        """Return all that is known by now, as ``read_flows`` would; the reading goes on."""
        ...

    def evict(self, now_ns: int | None = None) -> dict[str, int]:
        """Let go of flows that are over or silent; return how many, by reason."""
        ...

    def counters(self) -> dict[str, Any]:
        """Return what was counted since the beginning: ``packets``, ``kernel_drops``, ``own_drops``, ``latest`` and others."""
        ...

    def close(self) -> None:
        """Let go of the source."""
        ...


LOSSES = {"kernel_drops": "by the kernel", "own_drops": "by auditor itself"}
"""Counters of packets that nobody has seen -> who dropped them."""

INCIDENTS = {
    "ring_freezes": "the ring of the kernel was full",
    "clock_steps": "the clock was set by a minute or more",
    "interface_downs": "the interface went down",
    "reopened": "the source was opened again",
}
"""Counters of what befell the source -> the same in words."""
