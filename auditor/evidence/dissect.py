"""Wireshark's view of packets, in lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from auditor.dissection import check_installed, packets

__all__ = ["MOST_LINES", "check_installed", "dissect"]

MOST_LINES = 400
"""Lines of one packet that are shown."""

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def dissect(capture: Path, ndmp_ports: Iterable[int] = ()) -> Iterator[list[str]]:
    """Yield the lines of each packet of a carved file that proves the finding: hostile text, to be escaped when shown.

    Such a packet has a comment; the others only tell Wireshark what went before. ``ndmp_ports`` are decoded as NDMP.
    Raises what ``check_installed`` does, and UsageError where tshark fails.
    """
    ports = {f"tcp.port=={int(port)}": "ndmp" for port in ndmp_ports}
    with packets(str(capture), display_filter="frame.comment", decode_as=ports) as shown:
        for packet in shown:
            lines = [line for layer in packet.layers for line in _layer_lines(str(layer))]
            left = len(lines) - MOST_LINES
            yield [*lines[:MOST_LINES], *([f"… {left} more lines"] if left > 0 else [])]


def _layer_lines(text: str) -> list[str]:
    """Return the lines of a layer without pyshark's colours, and without the colon that it leaves after the heading."""
    return [line.removeprefix(":") for line in _COLOUR.sub("", text).splitlines()]
