"""SHA-256 of the files that a report rests on."""

from __future__ import annotations

import hashlib
from pathlib import Path


def file_sha256(path: Path) -> str:
    """Return the digest of a file in hexadecimal. Raises OSError where it cannot be read."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def folder_sha256(folder: Path, suffix: str) -> str:
    """Return one digest over all files below a folder whose names end in ``suffix``: their names and their bytes.

    It is the digest of lines ``DIGEST  NAME`` in the order of the names, as ``sha256sum`` prints them, so that anybody
    can take it again. Raises OSError.
    """
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob(f"*{suffix}") if path.is_file())
    lines = "".join(f"{file_sha256(folder / name)}  {name}\n" for name in names)
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()
