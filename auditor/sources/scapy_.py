"""scapy's socket, raw bytes only: the fallback on every system that scapy serves (Npcap on Windows, BPF on macOS).

scapy is licensed under the GPL: it is imported here alone, when it is asked for, and is an extra.
"""

from __future__ import annotations

import socket
import struct
import sys
import time
from importlib.util import find_spec
from typing import Any

from auditor import _native
from auditor.errors import CaptureError, MissingExtra
from auditor.sources.interface import Availability, SourceOptions
from auditor.sources.ring import HOW_TO_ALLOW

_SOL_PACKET = 263
_STATISTICS = 6
"""PACKET_STATISTICS of Linux."""
_BATCH = 512


def available(target: str) -> Availability:
    """Return whether scapy is installed and may listen; on other systems than Linux that shows when it is opened."""
    if find_spec("scapy") is None:
        return Availability(False, "scapy is not installed", 'pip install "auditor[scapy]"')
    if sys.platform == "linux":
        names = [name for _, name in socket.if_nameindex()]
        if target not in names:
            return Availability(False, f'there is no interface "{target}"', f"interfaces here: {', '.join(names)}")
        if not _native.holds_net_raw():
            return Availability(False, "scapy is installed; the privilege CAP_NET_RAW is missing", HOW_TO_ALLOW)
    return Availability(True, "scapy is installed; it is slow, and drops packets soonest")


class ScapySource:
    """A socket of scapy's, of which the bytes are taken and nothing else."""

    note = "scapy's socket is slow; where dumpcap or the packet ring can be used, they lose fewer packets"

    def __init__(self, options: SourceOptions) -> None:
        self._options = options
        self._socket: Any = None
        self._link = 0

    def open(self, live: _native.LiveReading) -> None:
        """Open the socket. Raises MissingExtra without scapy, CaptureError where it may not listen."""
        told = self._options
        try:
            from scapy.config import conf
        except ImportError as error:
            raise MissingExtra("scapy", "scapy") from error
        import scapy.all  # noqa: F401 - fills in the sockets of this system

        expression = told.expression or " or ".join(f"net {address}/{length}" for address, length in told.networks)
        try:
            self._socket = conf.L2listen(iface=told.target, promisc=told.promiscuous, filter=expression or None)
        except (OSError, ValueError) as error:
            raise CaptureError(
                f'scapy cannot listen on "{told.target}": {error}', fix="auditor doctor tells more"
            ) from error
        self._link = _number(conf.l2types.layer2num, getattr(self._socket, "LL", None))
        live.open_frames(told.target, self._link, told.snaplen)

    def pump(self, live: _native.LiveReading, milliseconds: int) -> int:
        """Take what comes within the time."""
        deadline = time.monotonic() + milliseconds / 1000
        frames: list[tuple[int, bytes, int]] = []
        packets = 0
        while self._socket is not None and (left := deadline - time.monotonic()) > 0:
            if not self._socket.select([self._socket], min(left, 0.1)):
                packets += live.push(frames)
                frames = []
                continue
            _, data, when = self._socket.recv_raw()
            if data:
                moment = int(when * 1e9) if when else time.time_ns()
                frames.append((moment, bytes(data[: self._options.snaplen]), len(data)))
            if len(frames) >= _BATCH:
                packets += live.push(frames)
                frames = []
        packets += live.push(frames)
        self._count_drops(live)
        return packets

    def _count_drops(self, live: _native.LiveReading) -> None:
        """Tell what the kernel dropped, where it says so."""
        own = getattr(self._socket, "ins", None)
        if isinstance(own, socket.socket) and sys.platform == "linux":
            received, dropped = struct.unpack("II", own.getsockopt(_SOL_PACKET, _STATISTICS, 8))
            live.add_statistics(received, dropped)

    def ended(self, live: _native.LiveReading) -> bool:
        """Return whether it was closed."""
        return live.ended

    def close(self, live: _native.LiveReading) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._count_drops(live)
            self._socket.close()
            self._socket = None
        live.close()


def _number(numbers: Any, layer: Any) -> int:
    """Return the link type of scapy's class for a link layer; Ethernet where it tells none."""
    return int(numbers.get(layer, 1))
