"""A report walked field by field, and made anew under other names."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import PurePosixPath
from typing import Any, cast

from auditor.anonymize.fields import FILES, FIXED, NAMES, VENDOR_ZONES, ZONES
from auditor.anonymize.key import Key
from auditor.anonymize.texts import Texts
from auditor.errors import AuditorError
from auditor.model import Report
from auditor.records import replace

LIMIT = "Addresses and names are replaced by a key; who has it can find them again, nobody else."

_SUFFIXES = (".pcapng", ".pcap", ".cap", ".snoop", ".erf", ".yaml", ".yml", ".json")
_CALLED = {".yaml": "policy", ".yml": "policy", ".json": "report"}


def anonymize(report: Report, key: Key) -> Report:
    """Return the report with addresses, names of hosts, jobs, accounts, zones and files replaced; without its flows.

    The same key gives the same pseudonyms in every report and capture. Ports, times and counts stay.
    Raises AuditorError where an address or a name would still be in it: nothing is better than that.
    """
    report = replace(report, flows=None)
    walk = _Walk(Texts(key), key)
    for zone in VENDOR_ZONES:
        if "-" in zone:
            # These words are not the site's, even where a host is called "media".
            walk.texts.know(zone, zone)
    for value, kind in _leaves(report, "Report"):
        walk.learn(value, kind)
    made = cast(Report, walk.made(report, ""))
    left = walk.texts.survivors(value for value, kind in _leaves(made, "Report") if kind == "text")
    if left:
        raise AuditorError(
            f"--anonymize: {len(left)} of the original addresses and names would still be in the result",
            fix="a pseudonym happens to be another's original; use another key",
        )
    return replace(made, limits=(*made.limits, LIMIT))


def _kind(owner: str, name: str) -> str:
    """Return what a field holds: fixed, file, name, zone or text."""
    tables = (("fixed", FIXED), ("file", FILES), ("name", NAMES), ("zone", ZONES))
    return next((kind for kind, table in tables if name in table.get(owner, ())), "text")


def _leaves(value: Any, kind: str) -> Iterator[tuple[str, str]]:
    """Yield every text below a value with what it is; keys of mappings count as texts."""
    if isinstance(value, enum.Enum) or kind == "fixed":
        return
    if isinstance(value, str):
        yield value, kind
    elif is_dataclass(value):
        owner = type(value).__name__
        for field in fields(value):
            inner = getattr(value, field.name)
            if owner == "PolicySummary" and field.name in ("zones", "dynamic_ports"):
                yield from ((zone, "zone") for zone in inner)
                inner = tuple(inner.values())
            elif owner == "TermSummary" and field.name == "name" and getattr(value, "origin", "") == "site":
                yield inner, "name"
                continue
            yield from _leaves(inner, _kind(owner, field.name))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key), "text"
            yield from _leaves(item, kind)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _leaves(item, kind)


class _Walk:
    """Makes the parts of a report anew."""

    def __init__(self, texts: Texts, key: Key) -> None:
        self.texts = texts
        self._key = key
        self._files: dict[str, str] = {}
        self._make: dict[str, Callable[[str], str]] = {
            "text": texts.free, "name": texts.name, "zone": self._zone, "file": self._file, "fixed": str,
        }  # fmt: skip

    def learn(self, value: str, kind: str) -> None:
        """Take note of a name, a zone or a file, to find it in free text too."""
        if kind == "name" or (kind == "zone" and value not in VENDOR_ZONES):
            self.texts.learn(value)
        elif kind == "file":
            self._know_file(_path(value))

    def made(self, value: Any, kind: str) -> Any:
        """Return a part of a report under other names."""
        if isinstance(value, enum.Enum) or kind == "fixed":
            return value
        if isinstance(value, str):
            return self._make[kind or "text"](value)
        if is_dataclass(value) and not isinstance(value, type):
            owner = type(value).__name__
            changed = {field.name: self._field(value, owner, field.name) for field in fields(value)}
            return replace(value, **changed)
        if isinstance(value, Mapping):
            return {self.texts.free(str(key)): self.made(item, kind) for key, item in value.items()}
        if isinstance(value, tuple | list):
            return tuple(self.made(item, kind) for item in value)
        return value

    def _field(self, value: Any, owner: str, name: str) -> Any:
        inner = getattr(value, name)
        if owner == "PolicySummary" and name in ("zones", "dynamic_ports"):
            return {self._zone(zone): self.made(item, "text") for zone, item in inner.items()}
        return self.made(inner, _kind(owner, name))

    def _zone(self, name: str) -> str:
        return name if name in VENDOR_ZONES else self.texts.name(name)

    def _know_file(self, path: str) -> None:
        if not path or path in self._files:
            return
        name = PurePosixPath(path).name.lower()
        suffix = next((one for one in _SUFFIXES if one in name), "")
        what = _CALLED.get(suffix, "capture")
        same = sum(made.startswith(what) for made in self._files.values())
        self._files[path] = f"{what}-{same + 1}{suffix}"
        self.texts.know(path, self._files[path])

    def _file(self, place: str) -> str:
        path = _path(place)
        return self._files.get(path, path) + place[len(path) :]


def _path(place: str) -> str:
    """Return a place without the line behind the colon, if it has one."""
    path, _, line = place.rpartition(":")
    return path if line.isdecimal() and path else place
