"""Reads ``rules/controls.yaml``, and holds rules against it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from auditor.controls.model import Control
from auditor.documents.document import Document, did_you_mean, read_document
from auditor.documents.yaml_tree import Node, Place
from auditor.errors import DocumentProblem, RuleError
from auditor.packs.model import Pack

_KEYS = ("title", "why", "follows", "of", "supports")


def read_controls(path: Path) -> tuple[Control, ...]:
    """Return the controls of a file. Raises RuleError with all problems at once."""
    document = read_document(path, shown=path.name)
    fields = document.fields(document.root, ("frameworks",), required=("frameworks",), what="controls")
    frameworks = document.mapping(fields.get("frameworks"), "catalogues by name")
    controls: list[Control] = []
    for name, node in frameworks.values.items() if frameworks else ():
        controls += _framework(document, name, node)
    known = {control.id for control in controls if control.keys == (control.id,)}
    for control in controls:
        for key in control.keys:
            if key not in known:
                document.complain(
                    Place(path.name, 1), f"{control.id} follows {key!r}, which is no control", did_you_mean(key, known)
                )
    if document.problems:
        raise RuleError(document.problems)
    return tuple(controls)


def _framework(document: Document, name: str, node: Node) -> list[Control]:
    fields = document.fields(node, ("title", "controls"), required=("title", "controls"), what="a catalogue")
    title = document.text(fields.get("title")) or name
    mapping = document.mapping(fields.get("controls"), "controls by number")
    controls = []
    for number, value in mapping.values.items() if mapping else ():
        said = document.fields(value, _KEYS, required=("title", "why"), what="a control")
        follows = tuple(text for text, _ in document.texts(said.get("follows")))
        controls.append(
            Control(
                framework=title,
                id=number,
                title=document.text(said.get("title")) or "",
                why=document.text(said.get("why")) or "",
                keys=follows or (number,),
                supports=document.boolean(said.get("supports")) is not False,
                of=tuple(text for text, _ in document.texts(said.get("of"))),
            )
        )
    return controls


def lint_controls(pack: Pack, controls: Sequence[Control]) -> list[DocumentProblem]:
    """Return a complaint for each control that a rule names and no catalogue has."""
    known = {control.id for control in controls if control.keys == (control.id,)}
    return [
        DocumentProblem(rule.path, 1, 1, f"there is no control {key!r}", did_you_mean(key, known))
        for rule in pack.rules
        for key in rule.controls
        if key not in known
    ]
