"""Reading captures, in a thread beside what Python does meanwhile. Imports no NumPy: the reading begins before it is there."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, Self

from auditor import _native
from auditor.errors import UsageError
from auditor.inputs import expand
from auditor.pipeline.options import OWN_DECODER, TSHARK_DECODER, AuditOptions, Progress
from auditor.policy.model import DEFAULT_NDMP_PORT, Policy
from auditor.services import Catalogue

_TICK = 50
"""Milliseconds between two looks at the reading: how long an interrupt and the progress bar may have to wait."""


def captures_of(paths: Iterable[str | os.PathLike[str]]) -> list[str]:
    """Return the captures that are meant by files, folders and patterns. Raises UsageError where there is none."""
    names = expand(paths)
    if not names:
        raise UsageError("there is no capture to audit", fix="name at least one capture file")
    return names


def read(
    paths: Sequence[str],
    catalogue: Catalogue,
    policy: Policy | None,
    *,
    options: AuditOptions | None = None,
    progress: Progress | None = None,
) -> _native.Reading:
    """Read captures into flows and NDMP messages, in order of their first packets, whatever order they are named in.

    Raises UsageError where ``options`` ask for a decoder that is not there.
    """
    with UnderWay(paths, catalogue, policy, options or AuditOptions(), progress) as reading:
        return reading.result()


class UnderWay:
    """Captures that are being read: ``result()`` waits for them. A context manager: left without, it reads no further.

    Plain files are read by a thread of the core from the start, while NumPy and our own modules are imported: on two
    processors a hundred megabytes cost no time of their own. A pipe may keep a read waiting for ever, and Wireshark takes
    its own time: these are read when the result is asked for, where an interrupt ends the waiting.
    """

    def __init__(
        self,
        paths: Sequence[str],
        catalogue: Catalogue,
        policy: Policy | None,
        options: AuditOptions,
        progress: Progress | None,
    ) -> None:
        """Begin. Raises UsageError as ``read`` does."""
        if options.decoder not in (OWN_DECODER, TSHARK_DECODER):
            raise UsageError(f'there is no decoder "{options.decoder}"', fix=f"say {OWN_DECODER} or {TSHARK_DECODER}")
        self._paths = paths
        self._tshark = options.decoder == TSHARK_DECODER
        self._progress = progress or _no_progress
        self._wanted: dict[str, Any] = {
            "known_ports": catalogue.known_ports(),
            "ndmp_ports": policy.ndmp_ports() if policy is not None else (DEFAULT_NDMP_PORT,),
            "hash_files": options.hash_files,
            "keep_duplicates": options.keep_duplicates,
            "threads": _threads(),
        }
        plain = not self._tshark and all(map(os.path.isfile, self._paths))
        self._ahead: _native.ReadingAhead | None = None
        if plain:
            # Where no thread can be started, they are read as pipes are.
            with contextlib.suppress(OSError):
                self._ahead = _native.begin_reading(self._paths, **self._wanted)

    def __enter__(self) -> Self:
        """Nothing more to begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Read no further: whoever leaves without the result wants none."""
        if self._ahead is not None:
            self._ahead.stop()

    def result(self) -> _native.Reading:
        """Return what was read, once. Raises UsageError where Wireshark is asked and not there, and what ``progress`` raises."""
        if self._ahead is not None:
            return self._attended(self._ahead)
        if not self._tshark:
            return _native.read_flows(self._paths, **self._wanted, progress=self._progress)
        # Only here: it starts programs, and loads what that takes.
        from auditor.wireshark import find_tshark, no_settings

        with no_settings() as settings:
            tshark = (find_tshark(), settings)
            return _native.read_flows(self._paths, **self._wanted, tshark=tshark, progress=self._progress)

    def _attended(self, ahead: _native.ReadingAhead) -> _native.Reading:
        """Wait for the core; between two looks Python sees to its signals, and progress is told where there was any."""
        told, ended = (0, 0), False
        while not ended:
            ended = ahead.wait(_TICK)
            if ahead.progress() != told:
                told = ahead.progress()
                self._progress(*told)
        return ahead.take()


def _threads() -> int:
    """Return how many threads ``AUDITOR_THREADS`` wants, 0 for as many as are worth it; raise a UsageError for nonsense."""
    text = os.environ.get("AUDITOR_THREADS", "0")
    if text not in {"0", "1", "2"}:
        raise UsageError(f"AUDITOR_THREADS is {text!r}: 1 or 2 threads read captures, 0 leaves it to auditor")
    return int(text)


def _no_progress(done: int, total: int) -> None:
    """Be called, and let Python see to its signals."""
