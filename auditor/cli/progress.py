"""A progress bar on standard error, for work that takes longer than half a second on a terminal."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Self

_PATIENCE = 0.5
"""Seconds before anything is shown."""


class ReadingProgress:
    """Called with bytes read and bytes in all; shows nothing where nobody watches, or nobody has to wait.

    A context manager: the bar is gone when the work is done, however it ends.
    """

    def __init__(self, *, wanted: bool = True) -> None:
        self._wanted = wanted and sys.stderr.isatty()
        self._began = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        """Begin to count the time."""
        self._began = time.monotonic()
        return self

    def __call__(self, done: int, total: int) -> None:
        """Show how far the reading has come."""
        if not self._wanted or (self._bar is None and time.monotonic() - self._began < _PATIENCE):
            return
        if self._bar is None:
            self._open(total)
        self._bar.update(self._task, completed=done, total=total)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()

    def _open(self, total: int) -> None:
        # Rich's bars take a while to import; a short audit never pays for them.
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        self._bar = Progress(
            TextColumn("reading"),
            BarColumn(bar_width=24),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(compact=True),
            console=Console(stderr=True),
            transient=True,
        )
        self._bar.start()
        self._task = self._bar.add_task("reading", total=total)
