"""A reading that goes on, made from growing prefixes of a capture: for tests of what tells, not of what reads."""

from __future__ import annotations

import shutil
import struct
import tempfile
import time
import weakref
from pathlib import Path
from typing import Any

from auditor import _native
from auditor.services import load_catalogue
from tests.helpers.pcap import Pcap


class FakeLive:
    """Gives ``per_pump`` packets of a pcap file at each pump; ``counted`` adds to the counters what a test wants lost."""

    def __init__(self, capture: Path, *, per_pump: int = 100, pause: float = 0.0) -> None:
        self._pcap = Pcap.read(capture)
        self._per_pump, self._pause = per_pump, pause
        self._taken = 0
        folder = tempfile.mkdtemp()
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self.path = str(Path(folder) / "prefix.pcap")
        self.ended, self.error = False, ""
        self.counted: dict[str, int] = {}

    def pump(self, milliseconds: int) -> int:
        del milliseconds
        time.sleep(self._pause)
        before = self._taken
        self._taken = min(len(self._pcap.records), before + self._per_pump)
        self.ended = self._taken == len(self._pcap.records)
        return self._taken - before

    def snapshot(self) -> _native.Reading:
        Path(self.path).write_bytes(self._pcap.part(0, self._taken))
        return _native.read_flows([self.path], known_ports=load_catalogue().known_ports(), ndmp_ports=(10000,))

    def evict(self, now_ns: int | None = None) -> dict[str, int]:
        del now_ns
        return {}

    def counters(self) -> dict[str, Any]:
        latest = None
        if self._taken:
            record = self._pcap.records[self._taken - 1]
            seconds, micro = struct.unpack_from("<II", record)
            latest = seconds * 10**9 + micro * 1000
        return {"packets": self._taken, "latest": latest, **self.counted}

    def close(self) -> None:
        """Nothing is under way; the folder goes with this object."""
