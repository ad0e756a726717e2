"""Wireshark's view of packets, through pyshark and the tshark that is installed. The only module that names pyshark."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from auditor.errors import MissingExtra, UsageError

MOST_LINES = 400
"""Lines of one packet that are shown."""

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def check_installed() -> None:
    """Raise MissingExtra without pyshark, UsageError without tshark."""
    if find_spec("pyshark") is None:
        raise MissingExtra("pyshark", "wireshark")
    if shutil.which("tshark") is None:
        raise UsageError(
            "--dissect shows what Wireshark's tshark says, and that is not installed",
            fix="install it (Debian: apt install tshark; elsewhere it comes with Wireshark)",
        )


def dissect(capture: Path, ndmp_ports: Iterable[int] = ()) -> Iterator[list[str]]:
    """Yield the lines of each packet of a carved file that proves the finding: hostile text, to be escaped when shown.

    Such a packet has a comment; the others only tell Wireshark what went before. ``ndmp_ports`` are decoded as NDMP. Raises what ``check_installed`` does, and UsageError where tshark fails.
    """
    check_installed()
    # It brings no types.
    pyshark: Any = import_module("pyshark")
    crash: Any = import_module("pyshark.capture.capture").TSharkCrashException
    ports = {f"tcp.port=={int(port)}": "ndmp" for port in ndmp_ports}
    # A pipe to tshark that is closed in good time leaves no process behind.
    with pyshark.FileCapture(
        str(capture), display_filter="frame.comment", decode_as=ports, keep_packets=False
    ) as packets:
        try:
            for packet in packets:
                lines = [line for layer in packet.layers for line in _layer_lines(str(layer))]
                left = len(lines) - MOST_LINES
                yield [*lines[:MOST_LINES], *([f"… {left} more lines"] if left > 0 else [])]
        except crash as error:
            raise UsageError(f"tshark cannot read the packets: {error}") from None


def _layer_lines(text: str) -> list[str]:
    """Return the lines of a layer without pyshark's colours, and without the colon that it leaves after the heading."""
    return [line.removeprefix(":") for line in _COLOUR.sub("", text).splitlines()]
