"""JSON: the report as outside tools read it, and the way back. The schema is ``schemas/report-1.schema.json``.

Names and order are those of ``auditor.model``, the head of the document first. The bytes depend on nothing but the
report, and ``load(render(report))`` is the report again.
"""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any

from auditor.errors import AuditorError
from auditor.model import SCHEMA, Report
from auditor.records import metadata_of, names_of, with_defaults
from auditor.report.interface import RenderOptions
from auditor.report.json_text import harmless, json_text

_SCALARS = frozenset({str, int, float, bool, type(None)})

_HEAD = ("schema", "version", "verdict", "summary", "limits", "policy", "totals")
"""Fields that come first in the document, before the long lists."""


def render(report: Report, options: RenderOptions) -> bytes:  # noqa: ARG001 - the interface of all formats
    """Return the report as UTF-8 JSON, indented by two, with a line feed at the end."""
    return dump({name: getattr(report, name) for name in _names()})


def dump(document: Any) -> bytes:
    """Return a document of plain values or parts of a report as indented UTF-8 JSON that is harmless to print."""
    return _bytes(json_text(document))


def json_bytes(document: Any) -> bytes:
    """Return a document of plain values as one line of UTF-8 JSON that is harmless to print."""
    import json

    return _bytes(harmless(json.dumps(document, ensure_ascii=False)))


def _bytes(text: str) -> bytes:
    # A lone surrogate, as an odd file name may hold, becomes its JSON escape and comes back as itself.
    return f"{text}\n".encode("utf-8", "backslashreplace")


def to_dict(report: Report) -> dict[str, Any]:
    """Return the report as dicts, lists, text, numbers, booleans and None."""
    return {name: plain(getattr(report, name)) for name in _names()}


def _names() -> list[str]:
    """Return the names of a saved report in their order."""
    return [*_HEAD, *(name for name in _saved(Report) if name not in _HEAD)]


def _saved(kind: type) -> list[str]:
    """Return the names of the fields of a record of the model that a saved report has."""
    return [name for name in names_of(kind) or () if metadata_of(kind, name).get("saved", True)]


def load(data: bytes | str) -> Report:
    """Return the report that ``render`` wrote, or the format json-flows; its flows are left out.

    Raises AuditorError, naming the place, for anything that is not a report of this schema.
    """
    import json

    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise AuditorError(f"not a JSON report: {error}") from None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise AuditorError(f"not a report of schema {SCHEMA}", fix="make the report again with this version of auditor")
    # What the format json-flows adds is no part of a report: whoever wants the flows reads them themselves.
    document.pop("flows", None)
    return typing.cast(Report, _typed(document, Report, "report"))


def plain(value: Any) -> Any:
    """Return a part of a report in terms of JSON: dicts, lists, text, numbers, booleans and None."""
    # Most values are such, and a report of ten thousand findings has hundreds of thousands of them.
    kind: Any = type(value)
    if kind in _SCALARS:
        return value
    names = names_of(kind)
    if names is not None:
        return {name: item if type(item := getattr(value, name)) in _SCALARS else plain(item) for name in names}
    # An enumeration of numbers is a number too, and must be told from one first.
    if isinstance(value, enum.IntEnum):
        return value.name.lower()
    if isinstance(value, enum.StrEnum):
        return value.value
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
        one = arguments[0]
        # Plain values are of their type as they stand; there are hundreds of thousands of them in a long report.
        return tuple(
            item if type(item) is one else _typed(item, one, f"{place}[{index}]") for index, item in enumerate(value)
        )
    if origin is dict:
        _expect(value, dict, place)
        return {key: _typed(item, arguments[1], f"{place}.{key}") for key, item in value.items()}
    if names_of(kind) is not None:
        return _record(value, kind, place)
    if issubclass(kind, enum.Enum):
        return _member(value, kind, place)
    _expect(value, kind, place)
    return value


def _record(value: Any, kind: Any, place: str) -> Any:
    """Return a JSON object as a dataclass of the model."""
    _expect(value, dict, place)
    hints, needed = _shape(kind)
    if not hints.keys() >= value.keys():
        unknown = sorted(value.keys() - hints.keys())
        raise AuditorError(f"{place}: unknown name {unknown[0]!r}")
    if not needed <= value.keys():
        missing = [name for name in hints if name in needed and name not in value]
        raise AuditorError(f"{place}: {missing[0]!r} is missing")
    return kind(
        **{
            name: item if type(item) is (hint := hints[name]) else _typed(item, hint, f"{place}.{name}")
            for name, item in value.items()
        }
    )


@cache
def _shape(kind: Any) -> tuple[dict[str, Any], frozenset[str]]:
    """Return the types of the saved fields of a dataclass by name, and the names that have no default."""
    told, saved = typing.get_type_hints(kind), _saved(kind)
    return {name: told[name] for name in saved}, frozenset(saved) - with_defaults(kind)


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
