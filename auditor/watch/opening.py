"""Opens what a watch reads from."""

from __future__ import annotations

import socket
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from auditor import _native
from auditor.errors import UsageError
from auditor.pipeline.yardstick import Yardstick
from auditor.policy.model import DEFAULT_NDMP_PORT
from auditor.sources.interface import Source, SourceOptions
from auditor.sources.registry import open_source as open_named
from auditor.watch.live import Live
from auditor.watch.memory import default_flows

BY_POLICY = "policy"
"""Instead of a filter: what the hosts of the policy send or get."""
_FILTERED = (
    "only what the policy's hosts send or get is looked at; what undeclared hosts have with one another is not seen"
)


@dataclass(frozen=True, slots=True)
class Opened:
    """A source that is open. ``interface``: its packets have the time of now; ``again``: a regular file, which is read from
    its beginning at every start. ``note``: what it does not show, in a sentence, or nothing."""

    live: Live
    name: str
    interface: bool = False
    again: bool = False
    note: str = ""


class Sourced:
    """A reading that goes on and the source that feeds it, as one ``Live``."""

    def __init__(self, reading: _native.LiveReading, source: Source) -> None:
        self._reading, self._source = reading, source

    @property
    def ended(self) -> bool:
        """Whether nothing more can come."""
        return self._source.ended(self._reading)

    @property
    def error(self) -> str:
        """One sentence of the latest trouble with the source."""
        return self._reading.error

    def pump(self, milliseconds: int) -> int:
        """Take what comes within that time."""
        return self._source.pump(self._reading, milliseconds)

    def snapshot(self) -> _native.Reading:
        """Return all that is known by now."""
        return self._reading.snapshot()

    def evict(self, now_ns: int | None = None) -> dict[str, int]:
        """Let go of flows that are over or silent."""
        return self._reading.evict(now_ns)

    def counters(self) -> dict[str, Any]:
        """Return what was counted since the beginning."""
        return self._reading.counters()

    def close(self) -> None:
        """End, with what is still under way taken in."""
        self._source.close(self._reading)


def is_interface(source: str) -> bool:
    """Return whether this machine has an interface of that name."""
    return source != "-" and not Path(source).exists() and any(name == source for _, name in socket.if_nameindex())


def open_source(
    source: str,
    yardstick: Yardstick,
    *,
    max_flows: int | None = None,
    snaplen: int = 262_144,
    promiscuous: bool = True,
    expression: str = "",
    by: str | None = None,
    rings: int = 1,
    ring_bytes: int = 64 << 20,
    hardware_times: bool = False,
) -> Opened:
    """Open an interface, a folder of captures, a capture file, a FIFO, or ``-`` for standard input.

    ``expression`` is a filter in libpcap's language, or ``policy`` for what the hosts of the policy send or get; ``by`` a
    name of ``auditor.sources.registry.SOURCES``; the rest as ``SourceOptions`` has it.

    Raises
    ------
    UsageError
        There is no such source.
    CaptureError
        It cannot be opened: the sentence says why, and what to do about it.
    """
    listens = is_interface(source)
    if source != "-" and not listens and not Path(source).exists():
        names = ", ".join(name for _, name in socket.if_nameindex())
        raise UsageError(
            f"{source} is no interface of this machine, and no file or folder",
            fix=f"interfaces: {names}; or name a capture, a FIFO, a folder, or - for standard input",
        )
    ports = yardstick.policy.ndmp_ports() if yardstick.policy is not None else (DEFAULT_NDMP_PORT,)
    reading = _native.LiveReading(
        known_ports=yardstick.catalogue.known_ports(),
        ndmp_ports=ports,
        max_flows=default_flows() if max_flows is None else max_flows,
    )
    networks = _declared(yardstick) if expression == BY_POLICY and listens else ()
    told = SourceOptions(source, snaplen, promiscuous, "" if networks else expression, networks)
    told = replace(told, rings=rings, ring_bytes=ring_bytes, hardware_times=hardware_times)
    chosen = open_named(told, by)
    chosen.open(reading)
    name = "standard input" if source == "-" else source
    notes = [chosen.note, _FILTERED if networks else ""]
    note = "; ".join(filter(None, notes))
    return Opened(Sourced(reading, chosen), name, interface=listens, again=Path(source).is_file(), note=note)


def _declared(yardstick: Yardstick) -> tuple[tuple[str, int], ...]:
    """Return the networks that the policy declares. Raises UsageError where none does."""
    zones = yardstick.policy.zones if yardstick.policy is not None else ()
    networks = {(str(one.network_address), one.prefixlen) for zone in zones for one in zone.networks}
    if not networks:
        raise UsageError("--filter policy needs a policy that declares hosts", fix="add --policy FILE")
    return tuple(sorted(networks))
