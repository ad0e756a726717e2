"""The quick way out of a process that has done all it had to do."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys


def leave(code: int) -> None:
    """End the process with an exit code, at once: what is to be done at exit is done, and what is buffered is written.

    Left out is what Python does beyond that, taking modules and objects apart one by one: 10 of 150 ms, for memory that
    the system takes back anyway. Whoever traces or profiles the process gets the usual end; so does a process with other
    threads, whose end somebody may be waiting for. Returns only then.
    """
    if sys.gettrace() is not None or sys.getprofile() is not None or len(sys._current_frames()) > 1:  # noqa: SLF001
        return
    atexit._run_exitfuncs()  # noqa: SLF001 - as the interpreter itself does first
    for stream in filter(None, (sys.stdout, sys.stderr)):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
