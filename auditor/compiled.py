"""What was read from the files that come with auditor, kept for the next start: a hundred YAML files take longer to read
than a small capture does.

Kept as JSON (nothing in it can run) in the user's own cache folder, ``$XDG_CACHE_HOME/auditor`` or ``~/.cache/auditor``. It
counts only for exactly the files and the code that it was made from, and only where nobody else could have written it;
where it cannot be read or written, the files are read as if it were not there. ``AUDITOR_CACHE=off`` does without.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, TypeVar

from auditor import _native
from auditor.records import names_of
from auditor.whole_files import write_whole

T = TypeVar("T")

_TYPE, _VALUES = "@", "="
"""Keys of a JSON object that stands for a dataclass or an enumeration; no key in the files looks like these."""
_MOST_BYTES = 8 << 20


def remembered(name: str, paths: Iterable[str], types: Iterable[type], read: Callable[[], T]) -> T:
    """Return what ``read`` returns for these files, or what it returned when they, and the code, were the same.

    ``types`` are the dataclasses and enumerations in it, whose fields hold text, numbers, flags, tuples, mappings by text,
    and each other. Raises what ``read`` raises; such an outcome is never kept.
    """
    kinds, folder = tuple(types), _folder()
    if folder is None:
        return read()
    names = list(paths)
    try:
        digests = _native.sha256_of_files(names)
    except OSError:
        return read()
    lines = [f"{name}\0{digest}" for name, digest in zip(names, digests, strict=True)]
    return _remembered(os.path.join(folder, f"{name}.json"), _key(lines, kinds), kinds, read)


def remembered_text(name: str, text: str, types: Iterable[type], read: Callable[[], T]) -> T:
    """Return what ``read`` returns for this text, as ``remembered`` does for files; ``types`` tell where its code stands."""
    kinds, folder = tuple(types), _folder()
    if folder is None:
        return read()
    lines = [_native.sha256(text.encode("utf-8", "surrogatepass"))]
    return _remembered(os.path.join(folder, f"{name}.json"), _key(lines, kinds), kinds, read)


def _remembered(place: str, key: str | None, types: Iterable[type], read: Callable[[], T]) -> T:
    if key is None:
        return read()
    known = {one.__name__: one for one in types}
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
        found: T = _load(place, key, known)
        return found
    value = read()
    # Only here: what is kept is read by the core, in a third of the time.
    import json

    with contextlib.suppress(OSError):
        _save(place, json.dumps({"key": key, "value": _plain(value)}, separators=(",", ":")))
    return value


def _folder() -> str | None:
    if os.environ.get("AUDITOR_CACHE", "") == "off" or not hasattr(os, "geteuid"):
        return None
    base, home = os.environ.get("XDG_CACHE_HOME", ""), os.environ.get("HOME", "")
    if os.path.isabs(base):
        return os.path.join(base, "auditor")
    return os.path.join(home, ".cache", "auditor") if os.path.isabs(home) else None


def _key(read: Iterable[str], types: Iterable[type]) -> str | None:
    """Return a digest of what was read and of the code that reads it; None where that cannot be read."""
    lines = [repr(sys.version_info[:2]), *read]
    try:
        for source in _sources(types):
            facts = os.stat(source)
            lines.append(f"{source}\0{facts.st_size}\0{facts.st_mtime_ns}")
    except OSError:
        return None
    return _native.sha256("\n".join(lines).encode("utf-8", "surrogateescape"))


def _sources(types: Iterable[type]) -> list[str]:
    """Return the modules that have a say in what the files mean: those beside the types, and the reading of documents."""
    here, own = os.path.split(__file__)
    modules = {str(sys.modules[one.__module__].__file__) for one in types}
    rooms = {os.path.dirname(module) for module in modules} - {here} | {os.path.join(here, "documents")}
    beside = {os.path.join(room, name) for room in rooms for name in os.listdir(room) if name.endswith(".py")}
    return sorted(modules | beside | {os.path.join(here, name) for name in (own, "ports.py")})


def _load(path: str, key: str, known: dict[str, type]) -> Any:
    """Return the value kept in a file. Raises what :func:`remembered` suppresses where it is not ours, other, or broken."""
    with open(path, "rb") as stream:
        facts = os.fstat(stream.fileno())
        if facts.st_uid != os.geteuid() or facts.st_mode & 0o022:
            raise ValueError("others may have written it")
        text = stream.read(_MOST_BYTES)

    # The first look is at the key alone: what is kept of other files need not be revived.
    if not text.startswith(b'{"key":"%s",' % key.encode()):
        raise ValueError("of other files")
    return _native.revived(text, known)["value"]


def _plain(value: Any) -> Any:
    """Return a value as JSON has it. Raises TypeError for what ``_load`` could not bring back."""
    if isinstance(value, Enum):
        return {_TYPE: type(value).__name__, _VALUES: [value.value]}
    names = names_of(type(value))
    if names is not None:
        return {_TYPE: type(value).__name__, _VALUES: [_plain(getattr(value, name)) for name in names]}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if value is None or isinstance(value, str | int):
        return value
    raise TypeError(f"{type(value).__name__} cannot be kept")


def _save(place: str, text: str) -> None:
    """Write a file whole or not at all, for this user alone."""
    os.makedirs(os.path.dirname(place), mode=0o700, exist_ok=True)
    write_whole(place, [text.encode()])
