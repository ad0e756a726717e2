"""Which captures a command line means: files, ``-`` for standard input, folders, and patterns the shell left alone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from auditor import _native
from auditor.errors import UsageError

STDIN = "-"
"""Standard input, as command lines name it."""

_WILD = frozenset("*?[")
_CALLED_CAPTURE = r"(?i)\.(pcap|pcapng|cap|snoop|erf)[0-9]*(\.(gz|zst|lz4|xz|bz2))?$"
"""Names that promise a capture."""


def expand(paths: Iterable[str | os.PathLike[str]]) -> list[str]:
    """Return the captures that are meant, each file once: what is counted twice would look like twice the traffic.

    A folder means the captures in it and in its sub-folders, known by their content; a file that is called a capture
    and is none belongs to them, so that it is told. Hidden names and links to folders are left out. A folder that holds none stays as it is, to be told as unreadable. A name with ``*``, ``?`` or ``[``
    that no file bears is a pattern; ``**`` in it means any number of folders.

    Raises
    ------
    UsageError
        No file matches a pattern.
    """
    seen: dict[str, str] = {}
    for path in paths:
        for name in _meant(os.fspath(path)):
            seen.setdefault(STDIN if name == STDIN else os.path.realpath(name), name)
    return list(seen.values())


def _meant(name: str) -> list[str]:
    """Return what one argument means."""
    if name == STDIN or not (_is_folder(name) or (_WILD & set(name) and not os.path.lexists(name))):
        return [name]
    if _is_folder(name):
        return list(_captures_in(name)) or [name]
    import glob

    found = sorted(glob.glob(name, recursive=True))  # noqa: PTH207 - the names stay as they were given
    if not found:
        raise UsageError(f"no file matches {name}", fix="check the pattern, or name the captures")
    # What a pattern catches beside captures was named, if vaguely: it is tried, and told when it is none.
    return [file for match in found for file in (_captures_in(match) if _is_folder(match) else (match,))]


def _is_folder(name: str) -> bool:
    # Path.is_dir raises where a name is longer than any file has; such a capture is told as unreadable, like any other.
    return os.path.isdir(name)  # noqa: PTH112


def _captures_in(folder: str) -> Iterator[str]:
    """Yield the captures below a folder, by name; whatever else it holds was not meant."""
    import re

    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = os.path.join(root, name)  # noqa: PTH118 - the names stay as they were given
            if name.startswith("."):
                continue
            if _native.capture_format(path) or re.search(_CALLED_CAPTURE, name):
                yield path
