"""``dumpcap`` as a child process: any system with Wireshark, and whoever may use it needs no other privilege."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from typing import IO

from auditor import _native
from auditor.errors import CaptureError
from auditor.sources.interface import Availability, SourceOptions
from auditor.text import escape

_START = 20.0
"""Seconds that it has to begin to listen."""


def available(target: str) -> Availability:
    """Return whether dumpcap is there and may listen on the interface.

    It lists interfaces for everybody (``-D``); what it says of one (``-L``) takes what capturing takes.
    """
    if shutil.which("dumpcap") is None:
        return Availability(False, "dumpcap is not installed", "on Debian: apt install wireshark-common")
    if _asked("-L", "-i", target).returncode == 0:
        return Availability(True, "dumpcap is there and may capture")
    listed = [line.split("\t")[0].split(". ", 1)[-1] for line in _asked("-D", "-M").stdout.splitlines()]
    if listed and target not in listed:
        return Availability(False, f'dumpcap knows no interface "{target}"', f"interfaces: {', '.join(listed)}")
    return Availability(
        False,
        "dumpcap is there and may not capture",
        "on Debian: dpkg-reconfigure wireshark-common (answer yes), then usermod -aG wireshark USER and log in anew",
    )


def _asked(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["dumpcap", *words], capture_output=True, text=True, timeout=20, check=False)  # noqa: S603, S607


class DumpcapSource:
    """A child that writes pcapng into a pipe."""

    note = "dumpcap tells how many packets were dropped when it ends, not before"

    def __init__(self, options: SourceOptions) -> None:
        self._options = options
        self._child: subprocess.Popen[bytes] | None = None
        self._words: IO[bytes] | None = None

    def _command(self) -> list[str]:
        told = self._options
        command = [
            "dumpcap",
            "-q",
            "-i",
            told.target,
            "-s",
            str(told.snaplen),
            "-B",
            str(max(2, told.ring_bytes >> 20)),
        ]
        command += [] if told.promiscuous else ["-p"]
        expression = told.expression or " or ".join(f"net {address}/{length}" for address, length in told.networks)
        if expression and not told.expression:
            expression = f"({expression}) or vlan or (vlan and ({expression}))"
        return [*command, *(["-f", expression] if expression else []), "-w", "-"]

    def open(self, live: _native.LiveReading) -> None:
        """Start it. Raises CaptureError when it ends at once, with its own words."""
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the child
        try:
            child = subprocess.Popen(  # noqa: S603 - arguments, no shell
                self._command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._words
            )
        except FileNotFoundError as error:
            self._words.close()
            raise CaptureError("dumpcap is not installed", fix="on Debian: apt install wireshark-common") from error
        assert child.stdout is not None
        self._child = child
        live.open_fd(child.stdout.fileno(), self._options.target)
        child.stdout.close()
        # It names its file once it listens; what came before that would be missed without a word.
        deadline = time.monotonic() + _START
        while child.poll() is None and "File:" not in self._told() and time.monotonic() < deadline:
            time.sleep(0.02)
        if child.poll() not in {None, 0}:
            told = self._told()
            self._words.close()
            self._child = None
            live.close()
            raise CaptureError(f"dumpcap cannot capture: {told}", fix=available(self._options.target).fix)

    def _told(self) -> str:
        """Return what the child said."""
        if self._words is None:
            return ""
        self._words.seek(0)
        return escape(" ".join(self._words.read(8192).decode(errors="replace").split()))

    def pump(self, live: _native.LiveReading, milliseconds: int) -> int:
        """Take what comes within the time, or until a signal."""
        return live.pump(milliseconds)

    def ended(self, live: _native.LiveReading) -> bool:
        """Return whether the child ended and all that it wrote was read."""
        return live.ended

    def close(self, live: _native.LiveReading) -> None:
        """Ask the child to end, take the rest and its count of dropped packets."""
        child, self._child = self._child, None
        if child is None:
            return
        if child.poll() is None:
            child.send_signal(signal.SIGINT)
        deadline = time.monotonic() + 5
        while not live.ended and time.monotonic() < deadline:
            live.pump(100)
        live.close()
        if child.poll() is None:
            child.terminate()
        child.wait(10)
        if self._words is not None:
            self._words.close()
