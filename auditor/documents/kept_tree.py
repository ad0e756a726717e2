"""The tree of a document as the last start read it: the parser of YAML takes longer to import than NumPy.

It counts only for exactly the same text and code (``auditor.compiled``), and one is kept under each name, the last.
"""

from __future__ import annotations

from typing import Any

from auditor.compiled import remembered_text
from auditor.documents.yaml_tree import Duplicate, Mapping, Node, Place, Scalar, Sequence

Tree = tuple[Node | None, list[Duplicate]]
"""What ``yaml_events.build_tree`` returns."""


def kept_tree(name: str, text: str, path: str) -> Tree:
    """Return the tree of ``text`` as ``build_tree`` does, without the parser where it is kept under ``name``.

    Raises TreeError as that does; such an outcome is never kept.
    """

    def read() -> Any:
        from auditor.documents.yaml_events import build_tree

        root, duplicates = build_tree(text, path)
        return _flat(root), tuple((one.key, *_spot(one.place), *_spot(one.first)) for one in duplicates)

    root, duplicates = remembered_text(name, text, (Place,), read)
    return _node(root, path), [
        Duplicate(key, Place(path, *spots[:2]), Place(path, *spots[2:])) for key, *spots in duplicates
    ]


def _spot(place: Place) -> tuple[int, int]:
    return place.line, place.column


def _flat(node: Node | None) -> Any:
    """Return a node as numbers, words and tuples: its place, and what is in it. Keys are words like others: they stand in
    no mapping, where one of them could be taken for something else."""
    if node is None:
        return None
    if isinstance(node, Scalar):
        return (*_spot(node.place), "plain" if node.plain else "quoted", node.text)
    if isinstance(node, Sequence):
        return (*_spot(node.place), "sequence", tuple(map(_flat, node.items)))
    keys = ((key, *_spot(node.keys[key]), _flat(value)) for key, value in node.values.items())
    return (*_spot(node.place), "mapping", tuple(keys))


def _node(flat: Any, path: str) -> Node | None:
    """Return what ``_flat`` was given."""
    if flat is None:
        return None
    line, column, kind, held = flat
    place = Place(path, line, column)
    if kind == "sequence":
        return Sequence(place, [one for item in held if (one := _node(item, path)) is not None])
    if kind != "mapping":
        return Scalar(place, held, kind == "plain")
    mapping = Mapping(place)
    for key, *spot, item in held:
        value = _node(item, path)
        if value is not None:
            mapping.values[key], mapping.keys[key] = value, Place(path, *spot)
    return mapping
