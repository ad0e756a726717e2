"""A packet ring of the kernel's (Linux, AF_PACKET): the fastest source, in the core."""

from __future__ import annotations

import errno
import socket
import sys

from auditor import _native
from auditor.errors import CaptureError
from auditor.sources.bpf import compile_expression
from auditor.sources.interface import Availability, SourceOptions, drain

BLOCK = 1 << 20

HOW_TO_ALLOW = (
    "as a service: AmbientCapabilities=CAP_NET_RAW in its systemd unit; once: sudo setpriv --reuid=$(id -u) "
    "--regid=$(id -g) --init-groups --inh-caps=+net_raw --ambient-caps=+net_raw $(command -v auditor) watch …; in a container: "
    "--cap-add=NET_RAW --network=host. Not setcap on python itself: every script of every user would have it"
)
"""The least that must be given, and how."""


def available(target: str) -> Availability:
    """Return whether a ring can be opened on an interface; a small one is, and closed again."""
    if sys.platform != "linux":
        return Availability(False, "the packet ring is Linux's", "use dumpcap, or scapy, which serve other systems")
    try:
        _native.LiveReading().open_ring(target, block_size=4096, blocks=2)
    except OSError as error:
        return explain(error, target)
    return Availability(True, "a packet ring of the kernel's can be opened")


def explain(error: OSError, target: str) -> Availability:
    """Return what went wrong in the words of who has to mend it."""
    if error.errno in {errno.EPERM, errno.EACCES}:
        return Availability(False, "the privilege CAP_NET_RAW is missing; root is not needed", HOW_TO_ALLOW)
    if error.errno == errno.ENODEV:
        names = ", ".join(name for _, name in socket.if_nameindex())
        return Availability(False, f'there is no interface "{target}"', f"interfaces here: {names}")
    if error.errno == errno.ENOMEM:
        return Availability(False, "there is no memory for the ring", "ask for a smaller one")
    return Availability(False, str(error.strerror or error), "")


class RingSource:
    """Rings on one interface."""

    note = ""

    def __init__(self, options: SourceOptions) -> None:
        self._options = options

    def open(self, live: _native.LiveReading) -> None:
        """Open the rings. Raises UsageError for a filter that is none, CaptureError where there can be no ring."""
        told = self._options
        try:
            live.open_ring(
                told.target,
                snaplen=told.snaplen,
                promiscuous=told.promiscuous,
                rings=told.rings,
                block_size=BLOCK,
                blocks=max(2, told.ring_bytes // BLOCK),
                program=self._program(),
                hardware_times=told.hardware_times,
            )
        except OSError as error:
            why = explain(error, told.target)
            raise CaptureError(f'cannot listen on "{told.target}": {why.reason}', fix=why.fix) from error

    def _program(self) -> list[tuple[int, int, int, int]] | None:
        told = self._options
        if told.expression:
            return compile_expression(told.expression, told.snaplen)
        if not told.networks:
            return None
        program = _native.network_filter(list(told.networks), snaplen=told.snaplen)
        if program is None:
            self.note = (
                "the policy names more networks than a filter of the kernel's can hold: all packets are looked at"
            )
        return program

    def pump(self, live: _native.LiveReading, milliseconds: int) -> int:
        """Take what comes within the time, or until a signal."""
        return live.pump(milliseconds)

    def ended(self, live: _native.LiveReading) -> bool:
        """Return whether it was closed: an interface may go and come."""
        return live.ended

    def close(self, live: _native.LiveReading) -> None:
        """Take what the rings still hold, and close them."""
        drain(live)
        live.close()
