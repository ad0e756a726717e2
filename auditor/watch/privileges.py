"""What a watch on an interface may still do once it listens: nothing that listening does not take."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from auditor import _native
from auditor.errors import CaptureError, UsageError
from auditor.sources.ring import HOW_TO_ALLOW

NET_RAW = 13
"""CAP_NET_RAW: an interface that is made anew has to be opened anew."""
OF_OTHERS = (2, 19)
"""CAP_DAC_READ_SEARCH and CAP_SYS_PTRACE: which program of another user owns a port (``--processes``)."""


def give_up(*, processes: bool, written: Iterable[tuple[str, Path]]) -> None:
    """Give up, for good, every privilege that a watch does not need; call it once the source is open.

    ``written`` are options and files that are written later on, which has to be possible without the privileges that went.
    Threads that run already keep theirs: none may have been started. Does nothing on other systems than Linux.

    Raises
    ------
    CaptureError
        The system does not let them go.
    UsageError
        One of the files could only be written with what is given up.
    """
    if sys.platform != "linux":
        return
    try:
        _native.drop_privileges((NET_RAW, *(OF_OTHERS if processes else ())))
    except OSError as error:
        raise CaptureError(
            f"privileges that are not needed cannot be given up: {error.strerror or error}",
            fix="start it with CAP_NET_RAW alone: auditor doctor tells how",
        ) from error
    for option, path in written:
        folder = path.resolve().parent
        wanted = path if path.exists() else folder
        if os.access(wanted, os.W_OK) and os.access(folder, os.X_OK):
            continue
        if os.geteuid():
            raise UsageError(f"{option} {path} cannot be written", fix="name a file in a folder of your own")
        raise UsageError(
            f"{option} {path} belongs to another user, and root's privilege to write it all the same is given up",
            fix=f"name a file in a folder of root's, or run it as that user: {HOW_TO_ALLOW}",
        )
