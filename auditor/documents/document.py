"""Reads YAML documents that people write: policies, rules, service catalogues.

A ``Document`` is asked for values of the kind that is expected, and collects a complaint with file, line, column, the
reason and a fix for each that is not so. Nothing is raised before ``raise_problems``: a user sees all mistakes at once.

    document = read_document(path)
    fields = document.fields(document.root, known=("name", "ports"), required=("name",))
    name = document.text(fields.get("name"))
    document.raise_problems(PolicyError)
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from collections.abc import Mapping as MappingType

from auditor.documents.yaml_tree import MAX_CHARACTERS, Duplicate, Mapping, Node, Place, Scalar, Sequence, TreeError
from auditor.errors import DocumentError, DocumentProblem
from auditor.ports import PortError, PortSet, parse_ports

_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_EXCERPT_WIDTH = 160
MAX_PROBLEMS = 100
"""A hostile or hopeless file gets this many complaints, not millions."""
_UTF_16 = re.compile(rb"([\t-~]\0){4}|(\0[\t-~]){4}")
"""How UTF-16 without its mark begins: every other byte of plain letters is zero."""


def _nothing(_: str) -> None:
    """Know of no word what it means."""


class Document:
    """A document being read: its tree (``root``, None when there is none) and every complaint about it so far."""

    def __init__(self, path: str, text: str, *, kept: str | None = None) -> None:
        """Read the tree of ``text``; ``kept`` is the name that it is kept under for the next start, if it is to be."""
        self.path = path
        self.problems: list[DocumentProblem] = []
        self.root: Node | None = None
        self._lines = text.splitlines()
        try:
            self.root, duplicates = _tree(text, path, kept)
        except TreeError as error:
            self.complain(error.place, error.message, error.fix)
            return
        for duplicate in duplicates:
            self.complain(
                duplicate.place,
                f"{_quoted(duplicate.key)} is given twice; the first is on line {duplicate.first.line}",
                "keep one of them",
            )
        if self.root is None:
            self.complain(Place(path, 1), "the file is empty", "write the document, or name another file")

    def complain(self, at: Node | Place, message: str, fix: str = "") -> None:
        """Note a problem at a node or place."""
        if len(self.problems) < MAX_PROBLEMS:
            place = at if isinstance(at, Place) else at.place
            self.problems.append(problem_at(place, message, fix, self._lines))

    def raise_problems(self, error: type[DocumentError]) -> None:
        """Raise ``error`` with all problems in order of lines, if there are any."""
        if self.problems:
            raise error(sorted(self.problems, key=lambda problem: (problem.path, problem.line, problem.column)))

    def mapping(self, node: Node | None, what: str) -> Mapping | None:
        """Return ``node`` as a mapping; ``what`` says in a complaint what was expected."""
        if isinstance(node, Mapping):
            return node
        if node is not None:
            self.complain(node, f"expected {what}, found {_kind(node)}", "write it as key: value lines")
        return None

    def fields(
        self,
        node: Node | None,
        known: Iterable[str],
        *,
        required: Iterable[str] = (),
        may_be_empty: Iterable[str] = (),
        what: str = "a mapping",
    ) -> dict[str, Node]:
        """Return the values of a mapping whose keys are all ``known``.

        Complains about unknown keys, with the nearest known one, about ``required`` keys that are missing, and about keys
        without a value, but for those that ``may_be_empty``, which count as absent.
        """
        mapping = self.mapping(node, what)
        if mapping is None:
            return {}
        names, found = tuple(known), {}
        for key, value in mapping.values.items():
            if key not in names:
                self.complain(mapping.keys[key], f"unknown key {_quoted(key)}", did_you_mean(key, names))
            elif not (isinstance(value, Scalar) and value.empty):
                found[key] = value
            elif key not in may_be_empty:
                self.complain(mapping.keys[key], f"{_quoted(key)} has no value", "give it one or remove the line")
        for key in required:
            if key not in mapping.values:
                self.complain(mapping, f"{_quoted(key)} is missing", f"add a line {key}: …")
        return found

    def text(self, node: Node | None) -> str | None:
        """Return a scalar's text as written (numbers included), without surrounding blanks."""
        if node is None:
            return None
        if not isinstance(node, Scalar):
            self.complain(node, f"expected one value, found {_kind(node)}", "write a single word or number")
            return None
        if node.empty or not node.text.strip():
            self.complain(node, "the value is missing", "write it, or remove the key")
            return None
        return node.text.strip()

    def whole_number(self, node: Node | None, low: int, high: int) -> int | None:
        """Return a whole number from ``low`` to ``high``."""
        text = self.text(node)
        if text is None or node is None:
            return None
        if not _WHOLE_NUMBER.fullmatch(text):
            self.complain(node, f"{_quoted(text)} is not a whole number", f"write a number from {low} to {high}")
            return None
        if not low <= int(text) <= high:
            self.complain(node, f"{int(text)} is out of range", f"write a number from {low} to {high}")
            return None
        return int(text)

    def boolean(self, node: Node | None) -> bool | None:
        """Return ``true`` or ``false``; no other spelling counts."""
        text = self.text(node)
        if text is None or node is None:
            return None
        if text not in ("true", "false"):
            self.complain(node, f"{_quoted(text)} is neither true nor false", "write true or false")
            return None
        return text == "true"

    def choice(
        self, node: Node | None, choices: Iterable[str], meant: Callable[[str], str | None] = _nothing
    ) -> str | None:
        """Return a text that is one of ``choices``; ``meant`` knows which of them other words stand for."""
        text = self.text(node)
        if text is None or node is None:
            return None
        names = tuple(choices)
        if text not in names:
            self.complain(
                node, f"{_quoted(text)} is not one of: {', '.join(names)}", _meaning(meant(text), text, names)
            )
            return None
        return text

    def ports(self, node: Node | None) -> PortSet | None:
        """Return a port, a range, or a list of these; None where nothing usable was written."""
        parts: list[tuple[int, int]] = []
        for text, item in self.texts(node, single=True, some=True):
            try:
                parts += parse_ports(text).ranges
            except PortError as error:
                self.complain(item, error.message, error.fix)
        return PortSet.of(parts) if parts else None

    def items(self, node: Node | None, *, single: bool = False) -> list[Node]:
        """Return the items of a list; with ``single`` one value alone counts as a list of one."""
        if node is None:
            return []
        if isinstance(node, Sequence):
            return node.items
        if single and isinstance(node, Scalar):
            return [node]
        self.complain(node, f"expected a list, found {_kind(node)}", "write each item on a line of its own after '- '")
        return []

    def texts(self, node: Node | None, *, single: bool = False, some: bool = False) -> list[tuple[str, Node]]:
        """Return the texts of a list, each with its node; with ``some`` an empty list is a mistake."""
        if some and isinstance(node, Sequence) and not node.items:
            self.complain(node, "the list is empty", "write at least one item, or remove the line above")
        pairs = [(self.text(item), item) for item in self.items(node, single=single)]
        return [(text, item) for text, item in pairs if text is not None]


def _tree(text: str, path: str, kept: str | None) -> tuple[Node | None, list[Duplicate]]:
    """Return the tree of a text and the keys given twice. Raises TreeError."""
    # Only here: a start that finds all it needs compiled never loads the parser.
    if kept is not None:
        from auditor.documents.kept_tree import kept_tree

        return kept_tree(kept, text, path)
    from auditor.documents.yaml_events import build_tree

    return build_tree(text, path)


def read_document(path: str | os.PathLike[str], *, shown: str | None = None, kept: str | None = None) -> Document:
    """Read a file; one that cannot be read gives a document without ``root`` and with the reason as a problem.

    ``shown`` is the name that complaints use; the path itself when not given. ``kept`` is as for ``Document``.
    """
    name = os.fspath(path) if shown is None else shown
    text, problem = read_text(path, name)
    if text is None:
        document = Document(name, "{}")
        document.root = None
        if problem is not None:
            document.problems.append(problem)
        return document
    return Document(name, text, kept=kept)


def read_text(path: str | os.PathLike[str], shown: str) -> tuple[str | None, DocumentProblem | None]:
    """Return the UTF-8 text of a file, or None and why not. Never raises for what the file is or holds."""
    data, problem = read_bytes(path, shown)
    if data is None:
        return None, problem
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or _UTF_16.match(data):
        return None, DocumentProblem(shown, 0, 0, "the file is UTF-16, not UTF-8", "save it as UTF-8")
    try:
        return data.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1
        message = f"byte 0x{data[error.start]:02x} is not UTF-8"
        return None, DocumentProblem(shown, line, column, message, "save the file as UTF-8")


def read_bytes(path: str | os.PathLike[str], shown: str) -> tuple[bytes | None, DocumentProblem | None]:
    """Return the bytes of a regular file of sane size, or None and why not."""
    try:
        if os.path.isdir(path):
            return None, DocumentProblem(shown, 0, 0, "this is a directory, not a file")
        with open(path, "rb") as stream:
            data = stream.read(MAX_CHARACTERS + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return None, DocumentProblem(shown, 0, 0, f"cannot be read: {reason}", "check the name and its permissions")
    if len(data) > MAX_CHARACTERS:
        return None, DocumentProblem(shown, 0, 0, f"the file is larger than {MAX_CHARACTERS:,} bytes")
    return data, None


def problem_at(place: Place, message: str, fix: str, lines: list[str]) -> DocumentProblem:
    """Return a complaint with the source line as excerpt, made safe to print."""
    line = lines[place.line - 1] if 0 < place.line <= len(lines) else ""
    excerpt = "".join(c if c.isprintable() else "\ufffd" for c in line.expandtabs(4)[:_EXCERPT_WIDTH])
    return DocumentProblem(place.path, place.line, place.column, message, fix, excerpt)


def did_you_mean(word: str, known: Iterable[str] | MappingType[str, object]) -> str:
    """Return advice that names the nearest known word, or all of them when none is near."""
    # Only here: it takes as long to import as to read a policy, and most have no mistake.
    import difflib

    names = tuple(known)
    near = difflib.get_close_matches(word[:80].lower(), names, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"known here: {', '.join(names)}" if names else ""


def _meaning(meant: str | None, text: str, names: tuple[str, ...]) -> str:
    return f"did you mean {meant!r}?" if meant in names else did_you_mean(text, names)


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:60] + "…")


def _kind(node: Node) -> str:
    if isinstance(node, Scalar):
        return "nothing" if node.empty else f"the value {_quoted(node.text)}"
    return "a list" if isinstance(node, Sequence) else "a mapping"
