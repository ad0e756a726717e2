"""Files that are written as a whole or not at all: under another name beside them first, which then takes their place.

What ``tempfile`` is for, without what it imports: that takes as long as an audit of a small capture takes to judge.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

_TRIES = 100
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
"""A file that is there already, or a link that somebody put there, is never written to."""


def write_whole(path: str, pieces: Iterable[bytes], mode: int = 0o600) -> None:
    """Write a file with these permissions, in the place of one that may be there. Raises OSError, and what ``pieces`` raises."""
    handle, made = _fresh(path)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(pieces)
        os.chmod(made, mode)
        os.replace(made, path)
    except BaseException:
        os.unlink(made)
        raise


def _fresh(path: str) -> tuple[int, str]:
    """Open a new file beside ``path``, for this user alone, and return it with its name."""
    folder, name = os.path.split(path)
    for _ in range(_TRIES):
        made = os.path.join(folder, f".{name}.{os.urandom(4).hex()}")
        try:
            return os.open(made, _FLAGS, 0o600), made
        except FileExistsError:
            continue
    raise FileExistsError(f"no name is free beside {path}")
