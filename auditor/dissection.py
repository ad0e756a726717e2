"""Wireshark's dissection through pyshark. The only module that names pyshark."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import InvalidOperation
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import Any

from auditor.errors import MissingExtra, UsageError
from auditor.wireshark import (
    ONLY,
    SETTINGS,
    TRANSPORTS,
    Endpoint,
    SecondReading,
    Segment,
    complaint_about,
    find_tshark,
    nanoseconds,
    no_settings,
    version_of,
)

_NETWORKS = ("ip", "ipv6")
_SHOWN = "frame ip ipv6 tcp udp"
"""What tshark is to write down for a comparison: a third of the time that all of it takes."""


def is_usable() -> bool:
    """Return whether pyshark is installed, and runs with this Python (0.6 needs what Python 3.14 no longer has)."""
    return find_spec("pyshark") is not None and hasattr(asyncio, "set_child_watcher")


def check_installed() -> None:
    """Raise MissingExtra without pyshark, UsageError without tshark."""
    if not is_usable():
        raise MissingExtra("pyshark", "wireshark")
    find_tshark()


@contextmanager
def packets(path: str, *, display_filter: str = "", decode_as: Mapping[str, str] | None = None, only: str = "") -> Any:
    """Give an iterator over pyshark's packets of a capture file, none of which is kept.

    ``only`` names the layers whose fields are wanted. Nothing of the user's own settings counts, and pyshark's search
    for tshark, which looks into the present folder, is passed by. Raises what ``check_installed`` does, and UsageError
    where tshark fails.
    """
    check_installed()
    # It brings no types.
    pyshark: Any = import_module("pyshark")
    crash: Any = import_module("pyshark.capture.capture").TSharkCrashException
    unknown: Any = import_module("pyshark.tshark.tshark").TSharkVersionException
    with _without_settings():
        try:
            # A pipe to tshark that is closed in good time leaves no process behind.
            with pyshark.FileCapture(
                path,
                keep_packets=False,
                display_filter=display_filter or None,
                decode_as=dict(decode_as or {}),
                tshark_path=find_tshark(),
                override_prefs={"ip.defragment": "TRUE"},
                custom_parameters=["-j", only] if only else None,
            ) as capture:
                yield capture
        # Output that is no XML is a SyntaxError to the parser that pyshark uses.
        except (crash, unknown, SyntaxError) as error:
            raise UsageError(f"tshark cannot read the packets: {error}") from None


@contextmanager
def _without_settings() -> Iterator[None]:
    """Have programs that are started see no settings of the user's; pyshark hands its environment on."""
    before = os.environ.get(SETTINGS)
    with no_settings() as settings:
        os.environ[SETTINGS] = settings
        try:
            yield
        finally:
            del os.environ[SETTINGS]
            if before is not None:
                os.environ[SETTINGS] = before


def read_with_pyshark(path: str) -> SecondReading:
    """Return what ``auditor.wireshark.read_with_tshark`` does, packet by packet through pyshark; raises likewise."""
    check_installed()
    tshark = find_tshark()
    reading = SecondReading(f"{version_of(tshark)} through pyshark {metadata.version('pyshark')}")
    # A tshark that stops early is not told from one that is done: pyshark ends it before it can say how it ended.
    reading.complaint = complaint_about(tshark, path)
    reading.take(_segments(path, reading))
    return reading


def _segments(path: str, reading: SecondReading) -> Iterator[Segment]:
    """Yield what there is up to the end, or up to where tshark fails, which is told in ``reading``."""
    try:
        with packets(path, display_filter=ONLY, only=_SHOWN) as capture:
            yield from (segment for segment in map(_segment, capture) if segment is not None)
    except UsageError as error:
        reading.complaint = reading.complaint or str(error).splitlines()[0]


def _segment(packet: Any) -> Segment | None:
    """Return the innermost TCP segment or UDP datagram of a packet; None where there is none with its addresses."""
    network: Any = None
    transport: Any = None
    below: Any = None
    for layer in packet.layers:
        if layer.layer_name in _NETWORKS:
            network = layer
        elif layer.layer_name in TRANSPORTS and network is not None:
            transport, below = layer, network
    if transport is None:
        return None
    frame = packet.frame_info
    try:
        ports = [_field(transport, name) for name in ("srcport", "dstport")]
        sending, receiving = map(int, ports) if all(ports) else (0, 0)
        ends: tuple[Endpoint, Endpoint] = ((str(below.src), sending), (str(below.dst), receiving))
        time = nanoseconds(_field(frame, "time_epoch"))
        return (
            str(transport.layer_name),
            _field(transport, "stream"),
            *ends,
            time,
            int(frame.len),
            int(frame.number),
        )
    except (AttributeError, ValueError, InvalidOperation):
        return None


def _field(layer: Any, name: str) -> str:
    """Return a field of a layer as text; empty where there is none."""
    return str(getattr(layer, name, ""))
