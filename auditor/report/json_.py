"""JSON: the report as outside tools read it, and the way back. The schema is ``schemas/report-1.schema.json``.

Names and order are those of ``auditor.model``, the head of the document first. The bytes depend on nothing but the
report, and ``load(render(report))`` is the report again.
"""

from __future__ import annotations

import enum
import json
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

from auditor.errors import AuditorError
from auditor.model import SCHEMA, Report
from auditor.report.interface import RenderOptions
from auditor.text import is_harmful

_BEYOND_ASCII = re.compile(r"[^ -~\n]")

_HEAD = ("schema", "version", "verdict", "summary", "limits", "policy", "totals")
"""Fields that come first in the document, before the long lists."""


def render(report: Report, options: RenderOptions) -> bytes:  # noqa: ARG001 - the interface of all formats
    """Return the report as UTF-8 JSON, indented by two, with a line feed at the end."""
    return json_bytes(to_dict(report), indent=2)


def dump(document: dict[str, Any]) -> bytes:
    """Return a document as indented UTF-8 JSON that is harmless to print."""
    return json_bytes(document, indent=2)


def json_bytes(document: Any, *, indent: int | None = None) -> bytes:
    """Return a document of plain values as UTF-8 JSON with a line feed at the end; on one line without ``indent``."""
    # A lone surrogate, as an odd file name may hold, becomes its JSON escape and comes back as itself.
    text = json.dumps(document, ensure_ascii=False, indent=indent)
    # What a terminal would obey or hide is escaped too: reports are printed and paged, not only parsed.
    harmless = text if text.isascii() else _BEYOND_ASCII.sub(_escaped, text)
    return f"{harmless}\n".encode("utf-8", "backslashreplace")


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    return json.dumps(character)[1:-1] if is_harmful(character) else character


def to_dict(report: Report) -> dict[str, Any]:
    """Return the report as dicts, lists, text, numbers, booleans and None."""
    names = [field.name for field in fields(report) if field.metadata.get("saved", True)]
    ordered = [*_HEAD, *(name for name in names if name not in _HEAD)]
    return {name: plain(getattr(report, name)) for name in ordered}


def load(data: bytes | str) -> Report:
    """Return the report that ``render`` wrote.

    Raises AuditorError, naming the place, for anything that is not a report of this schema.
    """
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise AuditorError(f"not a JSON report: {error}") from None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise AuditorError(f"not a report of schema {SCHEMA}", fix="make the report again with this version of auditor")
    return typing.cast(Report, _typed(document, Report, "report"))


def plain(value: Any) -> Any:
    """Return a part of a report in terms of JSON: dicts, lists, text, numbers, booleans and None."""
    # An enumeration of numbers is a number too, and must be told from one first.
    if isinstance(value, enum.IntEnum):
        return value.name.lower()
    if isinstance(value, enum.StrEnum):
        return value.value
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


def _typed(value: Any, kind: Any, place: str) -> Any:
    """Return a part of a JSON document as ``kind``, the annotation of a field of the model."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType:
        known = next(one for one in arguments if one is not types.NoneType)
        return None if value is None else _typed(value, known, place)
    if origin is tuple:
        _expect(value, list, place)
        return tuple(_typed(item, arguments[0], f"{place}[{index}]") for index, item in enumerate(value))
    if origin is dict:
        _expect(value, dict, place)
        return {key: _typed(item, arguments[1], f"{place}.{key}") for key, item in value.items()}
    if is_dataclass(kind):
        return _record(value, kind, place)
    if issubclass(kind, enum.Enum):
        return _member(value, kind, place)
    _expect(value, kind, place)
    return value


def _record(value: Any, kind: Any, place: str) -> Any:
    """Return a JSON object as a dataclass of the model."""
    _expect(value, dict, place)
    saved = {field.name for field in fields(kind) if field.metadata.get("saved", True)}
    hints = {name: hint for name, hint in typing.get_type_hints(kind).items() if name in saved}
    unknown = sorted(set(value) - set(hints))
    if unknown:
        raise AuditorError(f"{place}: unknown name {unknown[0]!r}")
    needed = [f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING]
    missing = [name for name in needed if name not in value]
    if missing:
        raise AuditorError(f"{place}: {missing[0]!r} is missing")
    return kind(**{name: _typed(item, hints[name], f"{place}.{name}") for name, item in value.items()})


def _member(value: Any, kind: Any, place: str) -> Any:
    """Return the member of an enumeration that a word of the document names."""
    for member in kind:
        if plain(member) == value:
            return member
    raise AuditorError(f"{place}: {value!r} is not one of {', '.join(str(plain(m)) for m in kind)}")


def _expect(value: Any, kind: type, place: str) -> None:
    # bool is an int to Python, but true is no number of packets.
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise AuditorError(f"{place}: {type(value).__name__} found where {kind.__name__} belongs")
