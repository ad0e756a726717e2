"""JSON as text, indented by two, straight from the parts of a report: no copy as plain values in between.

The text is, byte for byte, what ``json.dumps(plain, indent=2, ensure_ascii=False)`` makes of the same values: the layout
that every reader knows. Python's own encoder needs several times as long for it, since it only indents in Python; here
each dataclass is one template, filled in once for each value, and the C encoder of the standard library quotes the text.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

from auditor.records import names_of
from auditor.text import is_harmful

try:
    # What ``json.encoder`` has, without the decoder that comes with it: a hundredth of an audit of a small capture.
    from _json import encode_basestring as quoted
except ImportError:
    from json.encoder import encode_basestring as quoted

_BEYOND_ASCII = r"[^ -~\n]"

Writer = Callable[[Any, str], str]
"""Returns a value as JSON; the second argument is the line break and indentation of the line on which it begins."""


def json_text(value: Any) -> str:
    """Return a value as indented JSON: dataclasses, mappings, tuples, lists, enumerations, text, numbers and None.

    What a terminal would obey or hide is escaped: reports are printed and paged, not only parsed.
    """
    text = _WRITERS[type(value)](value, "\n")
    # The one harmful character of ASCII that JSON leaves as it is.
    return text.replace("\x7f", "\\u007f") if "\x7f" in text else text


def harmless(text: str) -> str:
    """Return JSON with what a terminal would obey or hide as JSON's own escapes, which any reader turns back."""
    if text.isascii() and "\x7f" not in text:
        return text
    return re.sub(_BEYOND_ASCII, _escaped, text)


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    if not is_harmful(character):
        return character
    import json

    return json.dumps(character)[1:-1]


def _text(value: str, line: str) -> str:  # noqa: ARG001 - as all writers
    return quoted(value) if value.isascii() else harmless(quoted(value))


def _list(value: tuple[Any, ...] | list[Any], line: str) -> str:
    if not value:
        return "[]"
    inner = f"{line}  "
    items = [_WRITERS[type(item)](item, inner) for item in value]
    return f"[{inner}{f',{inner}'.join(items)}{line}]"


def _mapping(value: Mapping[Any, Any], line: str) -> str:
    if not value:
        return "{}"
    inner = f"{line}  "
    items = [f"{_text(str(key), line)}: {_WRITERS[type(item)](item, inner)}" for key, item in value.items()]
    return f"{{{inner}{f',{inner}'.join(items)}{line}}}"


def _other(value: Any, line: str) -> str:  # noqa: ARG001 - as all writers
    # Only here: hardly a report has other numbers than whole ones.
    import json

    return json.dumps(value, ensure_ascii=False)


def _record(names: tuple[str, ...]) -> Writer:
    """Return the writer of a dataclass: one template for each depth at which it stands."""
    of = attrgetter(*names)
    values: Callable[[Any], tuple[Any, ...]] = of if len(names) > 1 else lambda value: (of(value),)
    templates: dict[str, str] = {}

    def write(value: Any, line: str) -> str:
        inner = f"{line}  "
        template = templates.get(line)
        if template is None:
            listed = f",{inner}".join(f"{quoted(name)}: %s" for name in names)
            template = templates[line] = f"{{{inner}{listed}{line}}}"
        # Most values are text of ASCII, for which a call of our own would cost more than the quoting.
        # A list in between takes four fifths of the time of a generator.
        return template % tuple(
            [
                quoted(item) if type(item) is str and item.isascii() else _WRITERS[type(item)](item, inner)
                for item in values(value)
            ]
        )

    return write


def _enumeration(kind: type[enum.Enum]) -> Writer:
    """Return the writer of an enumeration: those of numbers by name, those of words by word."""
    words = {one: quoted(one.name.lower() if isinstance(one, enum.IntEnum) else str(one.value)) for one in kind}
    return lambda value, line: words[value]  # noqa: ARG005 - as all writers


class _Writers(dict[type, Writer]):
    """The writer of each type, found when the type is first met."""

    def __missing__(self, kind: type) -> Writer:
        names = names_of(kind)
        if names:
            made = _record(names)
        elif issubclass(kind, enum.Enum):
            made = _enumeration(kind)
        elif issubclass(kind, Mapping):
            made = _mapping
        elif issubclass(kind, tuple | list):
            made = _list
        else:
            made = _other
        self[kind] = made
        return made


_WRITERS = _Writers(
    {
        str: _text,
        int: lambda value, line: int.__repr__(value),  # noqa: ARG005
        bool: lambda value, line: "true" if value else "false",  # noqa: ARG005
        type(None): lambda value, line: "null",  # noqa: ARG005
        tuple: _list,
        list: _list,
        dict: _mapping,
    }
)
