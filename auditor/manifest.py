"""Manifests: what a run read and wrote, with SHA-256, so that a report can be proved later.

A manifest names files from its own folder, never by a machine's own paths where that can be helped: a folder that holds
captures, policy, reports and manifest can be moved as a whole. It holds no time and no name of a machine or user.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from auditor.digests import file_sha256
from auditor.errors import AuditorError, UsageError
from auditor.records import record

MANIFEST_SCHEMA = "auditor.manifest/1"
STDIN = "-"
_HEX = frozenset("0123456789abcdef")


@record
class Entry:
    """A file of a run. ``role`` says what it was for; ``sha256`` is None where it could not be taken (a pipe)."""

    role: str
    path: str
    sha256: str | None
    bytes: int | None


@record
class Manifest:
    """What a run read and wrote. ``rules`` is the digest of the rules and services that were applied, empty for none."""

    version: str
    command: str
    options: dict[str, str]
    rules: str
    inputs: tuple[Entry, ...]
    outputs: tuple[Entry, ...]
    schema: str = MANIFEST_SCHEMA


@record
class Checked:
    """An entry as it is now: ``ok``, ``changed``, ``missing`` or ``unprovable`` (it was no file). ``why`` may say more."""

    entry: Entry
    kind: str
    state: str
    why: str = ""


def entry(role: str, path: str, folder: Path, *, sha256: str | None = None) -> Entry:
    """Return a file as a manifest in ``folder`` names it; ``sha256`` is what was read where that is known already.

    Raises UsageError where the file cannot be read.
    """
    if not _is_file(Path(path)):
        return Entry(role, path if path == STDIN else _named(path, folder), sha256, None)
    try:
        digest = sha256 or file_sha256(Path(path))
        return Entry(role, _named(path, folder), digest, Path(path).stat().st_size)
    except OSError as error:
        raise UsageError(f"cannot read {path} for the manifest: {error.strerror or error}") from None


def render_manifest(manifest: Manifest) -> bytes:
    """Return a manifest as UTF-8 JSON. Odd bytes of names are escaped, and come back."""
    document = {
        "schema": manifest.schema,
        "version": manifest.version,
        "command": manifest.command,
        "options": manifest.options,
        "rules": manifest.rules,
        "inputs": [_plain(one) for one in manifest.inputs],
        "outputs": [_plain(one) for one in manifest.outputs],
    }
    return f"{json.dumps(document, indent=2)}\n".encode("ascii")


def load_manifest(data: bytes) -> Manifest:
    """Return the manifest that ``render_manifest`` wrote. Raises AuditorError for anything else."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise AuditorError(f"not a manifest: {error}", fix=_FIX) from None
    if not isinstance(document, dict) or document.get("schema") != MANIFEST_SCHEMA:
        raise AuditorError(f"not a manifest of schema {MANIFEST_SCHEMA}", fix=_FIX)
    texts = [document.get(name) for name in ("version", "command", "rules")]
    options = document.get("options")
    if not all(isinstance(text, str) for text in texts) or not isinstance(options, dict):
        raise AuditorError("not a whole manifest: version, command, rules or options are missing", fix=_FIX)
    inputs, outputs = (_entries(document, name) for name in ("inputs", "outputs"))
    said = {str(name): str(value) for name, value in options.items()}
    return Manifest(str(texts[0]), str(texts[1]), said, str(texts[2]), inputs, outputs)


def verify(manifest: Manifest, folder: Path) -> tuple[Checked, ...]:
    """Take the digest of every file of a manifest that lies in ``folder`` again."""
    return tuple(
        _checked(one, kind, folder)
        for kind, entries in (("input", manifest.inputs), ("output", manifest.outputs))
        for one in entries
    )


_FIX = "name a file that auditor wrote with --manifest"


def _checked(one: Entry, kind: str, folder: Path) -> Checked:
    if one.sha256 is None or one.path == STDIN:
        return Checked(one, kind, "unprovable", "it was a pipe or a device, and is not kept")
    path = folder / one.path
    try:
        if not path.exists():
            return Checked(one, kind, "missing")
        if not _is_file(path):
            return Checked(one, kind, "missing", "no regular file is there")
        digest = file_sha256(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return Checked(one, kind, "missing", f"cannot be read: {reason}")
    return Checked(one, kind, "ok") if digest == one.sha256 else Checked(one, kind, "changed", f"now {digest}")


def _is_file(path: Path) -> bool:
    """Return whether a path is a regular file: a device or pipe would be read without an end."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def _named(path: str, folder: Path) -> str:
    """Return a path as it is called from a folder, with slashes; as it is where the two share no drive."""
    try:
        return PurePosixPath(*Path(os.path.relpath(Path(path).resolve(), folder.resolve())).parts).as_posix()
    except ValueError:
        return Path(path).as_posix()


def _plain(one: Entry) -> dict[str, Any]:
    return {"role": one.role, "path": one.path, "sha256": one.sha256, "bytes": one.bytes}


def _entries(document: Mapping[str, Any], name: str) -> tuple[Entry, ...]:
    rows = document.get(name)
    if not isinstance(rows, list):
        raise AuditorError(f"not a whole manifest: {name} is missing", fix=_FIX)
    return tuple(_entry(row, f"{name}[{index}]") for index, row in enumerate(rows))


def _entry(row: Any, place: str) -> Entry:
    if not isinstance(row, dict) or set(row) != {"role", "path", "sha256", "bytes"}:
        raise AuditorError(f"{place}: role, path, sha256 and bytes are expected", fix=_FIX)
    role, path, digest, size = row["role"], row["path"], row["sha256"], row["bytes"]
    sound = (
        isinstance(role, str)
        and isinstance(path, str)
        and (digest is None or (isinstance(digest, str) and len(digest) == 64 and set(digest) <= _HEX))
        and (size is None or (isinstance(size, int) and not isinstance(size, bool)))
    )
    if not sound:
        raise AuditorError(f"{place}: not a file with its SHA-256", fix=_FIX)
    return Entry(role, path, digest, size)
