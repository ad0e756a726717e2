"""YAML text as a tree whose every node knows its line and column.

Scalars stay text, so the surprises of YAML 1.1 (``on`` as a boolean, ``22:30`` as a number) cannot happen. Anchors,
aliases, tags and several documents in a file are refused: nothing that auditor reads needs them, and aliases are how a
small file becomes a huge one. `yaml_events` builds the tree.
"""

from __future__ import annotations

from auditor.records import draft, field, record

MAX_CHARACTERS = 4 * 1024 * 1024
MAX_DEPTH = 32
MAX_NODES = 200_000


@record
class Place:
    """Where something stands in a file; ``line`` and ``column`` count from 1."""

    path: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        """Return ``path:line``, enough for a person to find it."""
        return f"{self.path}:{self.line}"


@draft
class Scalar:
    """A plain or quoted value. ``plain`` tells ``null`` the word from ``"null"`` the text."""

    place: Place
    text: str
    plain: bool = True

    @property
    def empty(self) -> bool:
        """Whether nothing was written: ``key:`` alone, ``~`` or ``null``."""
        return self.plain and self.text in ("", "~", "null")


@draft
class Sequence:
    """A list."""

    place: Place
    items: list[Node] = field(default_factory=list)


@draft
class Mapping:
    """Keys with values, in the order written. ``keys`` holds each key's own place."""

    place: Place
    values: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, Place] = field(default_factory=dict)


Node = Scalar | Sequence | Mapping


class TreeError(Exception):
    """Text that is no usable YAML; the first cause, with its place."""

    def __init__(self, place: Place, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.place = place
        self.message = message
        self.fix = fix


@record
class Duplicate:
    """A key that a mapping already has."""

    key: str
    place: Place
    first: Place
