"""Builds the tree of a YAML text from parser events, without recursion.

A module of its own: a start that finds all it needs compiled never loads the parser.
"""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from auditor.documents.yaml_tree import (
    MAX_CHARACTERS,
    MAX_DEPTH,
    MAX_NODES,
    Duplicate,
    Mapping,
    Node,
    Place,
    Scalar,
    Sequence,
    TreeError,
)
from auditor.records import draft, field

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def build_tree(text: str, path: str) -> tuple[Node | None, list[Duplicate]]:
    """Return the tree of ``text`` (None when it holds nothing) and the keys given twice.

    Raises
    ------
    TreeError
        Not YAML, several documents, an anchor, alias or tag, or larger than the limits of this module.
    """
    if len(text) > MAX_CHARACTERS:
        raise TreeError(Place(path, 1), f"the file is larger than {MAX_CHARACTERS:,} characters")
    builder = _Builder(path)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, text, path) from None
    except yaml.reader.ReaderError as error:
        raise _character_error(text, path, error) from None
    return builder.root, builder.duplicates


@draft
class _Builder:
    """Takes parser events, one after another, and hangs nodes into the tree."""

    path: str
    root: Node | None = None
    duplicates: list[Duplicate] = field(default_factory=list)
    _open: list[Sequence | Mapping] = field(default_factory=list)
    _pending: list[tuple[str, Place] | None] = field(default_factory=list)
    _nodes: int = 0
    _documents: int = 0

    def take(self, event: yaml.Event) -> None:
        """Take one event."""
        mark = event.start_mark
        place = Place(self.path, mark.line + 1, mark.column + 1) if mark else Place(self.path, 1)
        if isinstance(event, yaml.NodeEvent):
            self._refuse_indirection(event, place)
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event, place)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._start(Sequence(place))
        elif isinstance(event, yaml.MappingStartEvent):
            self._start(Mapping(place))
        elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            self._open.pop()
            self._pending.pop()
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise TreeError(place, "a second document begins here", "keep one document in a file")

    def _refuse_indirection(self, event: yaml.NodeEvent, place: Place) -> None:
        if isinstance(event, yaml.AliasEvent):
            raise TreeError(place, f"alias *{event.anchor} is not allowed here", "write the value itself")
        if event.anchor is not None:
            raise TreeError(place, f"anchor &{event.anchor} is not allowed here", "remove it")
        tag = getattr(event, "tag", None)
        if tag not in (None, "!"):
            raise TreeError(place, f"tag {tag} is not allowed here", "write the plain value")
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise TreeError(place, f"the file holds more than {MAX_NODES:,} values")

    def _scalar(self, event: yaml.ScalarEvent, place: Place) -> None:
        if self._expects_key():
            self._pending[-1] = (event.value, place)
        else:
            self._hang(Scalar(place, event.value, plain=event.style in (None, "")))

    def _start(self, node: Sequence | Mapping) -> None:
        if self._expects_key():
            raise TreeError(
                node.place,
                "a key must be plain text, not a list or mapping",
                "put quotes around it, or remove the bracket",
            )
        if len(self._open) >= MAX_DEPTH:
            raise _too_deep(node.place)
        self._hang(node)
        self._open.append(node)
        self._pending.append(None)

    def _expects_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1], Mapping) and self._pending[-1] is None

    def _hang(self, node: Node) -> None:
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        if isinstance(parent, Sequence):
            parent.items.append(node)
            return
        key, place = self._pending[-1] or ("", node.place)
        self._pending[-1] = None
        if key in parent.values:
            self.duplicates.append(Duplicate(key, place, parent.keys[key]))
        else:
            parent.values[key] = node
            parent.keys[key] = place


def _too_deep(place: Place) -> TreeError:
    return TreeError(place, f"nested more than {MAX_DEPTH} levels deep", "close some of the brackets")


def _syntax_error(error: yaml.MarkedYAMLError, text: str, path: str) -> TreeError:
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return TreeError(Place(path, 1), f"not YAML: {error.problem}")
    place = Place(path, mark.line + 1, mark.column + 1)
    if "nesting depth" in str(error.problem):
        # The parser of PyYAML 6.0.4 has a limit of its own, and scans ahead of its events.
        return _too_deep(place)
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return TreeError(place, "a tab is used for indentation, which YAML does not allow", "use spaces")
    context = f" {error.context}" if error.context else ""
    return TreeError(
        place, f"not YAML: {error.problem}{context}", "check indentation, colons and quotes here and on the line above"
    )


def _character_error(text: str, path: str, error: yaml.reader.ReaderError) -> TreeError:
    for place, character in _characters(text, path):
        if not (character.isprintable() or character in "\t\ufeff\u0085"):
            return TreeError(place, f"character U+{ord(character):04X} is not allowed in YAML", "remove it")
    return TreeError(Place(path, 1), f"not YAML: {error.reason}")


def _characters(text: str, path: str) -> Iterator[tuple[Place, str]]:
    for number, line in enumerate(text.split("\n"), 1):
        for column, character in enumerate(line.rstrip("\r"), 1):
            yield Place(path, number, column), character
