"""Reads rule files, one rule each; ``load`` keeps what was read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from auditor.documents.document import Document, did_you_mean, read_document
from auditor.documents.yaml_tree import Node
from auditor.errors import DocumentProblem
from auditor.model import Severity
from auditor.packs.columns import TABLES
from auditor.packs.conditions import read_select
from auditor.packs.model import Collapse, Escalation, Example, Rule, Template
from auditor.packs.words import COUNT
from auditor.services import generations

REQUIRED = (
    "code",
    "name",
    "title",
    "severity",
    "since",
    "on",
    "select",
    "message",
    "consequence",
    "remedy",
    "why",
    "sources",
    "false_alarms",
    "controls",
    "examples",
)
OPTIONAL = (
    "formerly",
    "generations",
    "subject",
    "threshold",
    "escalate",
    "collapse",
    "undermines",
    "absence",
)
KEYS = REQUIRED + OPTIONAL
"""Keys of a rule file."""

CODE = r"[A-Z]{2,8}-?[0-9]{1,6}"
"""What a code looks like: BX and three digits for the rules that come with auditor, SITE-101 and the like for others."""

_CODE = re.compile(CODE, re.ASCII)
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_SEVERITIES = {severity.word: severity for severity in Severity}
_MOST_ROWS = 1 << 53


def read_rules(folder: Path, paths: Iterable[Path]) -> tuple[list[Rule], list[DocumentProblem]]:
    """Return the sound rules of files below a folder, and what is wrong with the others."""
    rules: list[Rule] = []
    problems: list[DocumentProblem] = []
    for path in paths:
        document = read_document(path, shown=path.relative_to(folder.parent).as_posix())
        rule = read_rule(document)
        problems += sorted(document.problems, key=lambda problem: (problem.line, problem.column))
        if rule is not None:
            rules.append(rule)
    return rules, problems


def read_rule(document: Document) -> Rule | None:
    """Return the rule of a document, or None where it is not sound; the complaints are in the document."""
    fields = document.fields(document.root, known=KEYS, required=REQUIRED, what="a rule")
    if not fields:
        return None
    reader = _Reader(document, fields)
    rule = reader.rule()
    return None if document.problems else rule


class _Reader:
    """Reads the fields of one rule file. Wanting values are stand-ins: the complaint makes the rule void."""

    def __init__(self, document: Document, fields: dict[str, Node]) -> None:
        self._document = document
        self._fields = fields
        self._table = document.choice(fields.get("on"), TABLES) or ""
        self._columns = TABLES.get(self._table, {})
        self._subject = self._read_subject()

    def rule(self) -> Rule:
        """Return the rule."""
        document, fields = self._document, self._fields
        fires, silent = self._examples()
        return Rule(
            code=self._matching("code", _CODE, "write two to eight capitals and a number: BX101, SITE-101"),
            name=self._matching("name", _NAME, "write small letters, digits and single hyphens"),
            title=self._text("title"),
            severity=self._severity(fields.get("severity")),
            since=self._text("since"),
            table=self._table,
            select=read_select(document, fields.get("select"), self._columns) if self._columns else (),
            subject=self._subject,
            message=self._template(fields.get("message")),
            consequence=self._template(fields.get("consequence")),
            remedy=self._template(fields.get("remedy")),
            why=self._text("why"),
            sources=self._texts("sources"),
            false_alarms=self._texts("false_alarms"),
            controls=self._texts("controls"),
            fires=fires,
            silent=silent,
            threshold=document.whole_number(fields.get("threshold"), 1, _MOST_ROWS) or 1,
            escalate=self._escalations(),
            collapse=self._collapses(),
            undermines=bool(document.boolean(fields.get("undermines"))),
            absence=bool(document.boolean(fields.get("absence"))),
            path=document.path,
            formerly=self._texts("formerly"),
            generations=self._generations(),
        )

    def _text(self, key: str) -> str:
        return self._document.text(self._fields.get(key)) or ""

    def _texts(self, key: str) -> tuple[str, ...]:
        return tuple(text for text, _ in self._document.texts(self._fields.get(key)))

    def _generations(self) -> tuple[str, ...]:
        nodes = self._document.items(self._fields.get("generations"))
        return tuple(name for node in nodes if (name := self._document.choice(node, generations())) is not None)

    def _matching(self, key: str, pattern: re.Pattern[str], fix: str) -> str:
        text = self._text(key)
        if text and not pattern.fullmatch(text):
            self._document.complain(self._fields[key], f"{text!r} cannot be the {key} of a rule", fix)
        return text

    def _severity(self, node: Node | None) -> Severity:
        return _SEVERITIES.get(self._document.choice(node, _SEVERITIES) or "", Severity.INFO)

    def _read_subject(self) -> dict[str, str]:
        """Return the subject: a name in the finding -> a column."""
        node = self._fields.get("subject")
        mapping = None if node is None else self._document.mapping(node, "names with columns")
        subject: dict[str, str] = {}
        if mapping is None or not self._columns:
            return subject
        for name, value in mapping.values.items():
            column = self._document.choice(value, self._columns)
            if not name.isidentifier() or name == COUNT:
                self._document.complain(mapping.keys[name], f"{name!r} cannot be a name here", "write a plain word")
            elif column is not None:
                subject[name] = column
        return subject

    def _template(self, node: Node | None) -> Template:
        template = Template(self._document.text(node) or "")
        if node is None or not self._columns:
            return template
        try:
            names = template.names()
        except ValueError as error:
            self._document.complain(node, f"not a sentence with names in braces: {error}", "write {{ for a brace")
            return template
        known = (*self._subject, *self._columns, COUNT)
        for name in names:
            if name not in known:
                self._document.complain(node, f"unknown name {{{name}}}", did_you_mean(name, known))
        return template

    def _escalations(self) -> tuple[Escalation, ...]:
        found = []
        for item in self._document.items(self._fields.get("escalate")):
            fields = self._document.fields(item, known=("select", "severity"), required=("select", "severity"))
            select = read_select(self._document, fields.get("select"), self._columns) if self._columns else ()
            found.append(Escalation(select, self._severity(fields.get("severity"))))
        return tuple(found)

    def _collapses(self) -> tuple[Collapse, ...]:
        keys = ("when_over", "to", "message")
        found = []
        for item in self._document.items(self._fields.get("collapse")):
            fields = self._document.fields(item, known=keys, required=("when_over", "message"))
            over = self._document.whole_number(fields.get("when_over"), 1, _MOST_ROWS) or 1
            nodes = self._document.items(fields.get("to"))
            to = tuple(name for node in nodes if (name := self._document.choice(node, self._subject)) is not None)
            found.append(Collapse(over, to, self._template(fields.get("message"))))
        return tuple(found)

    def _examples(self) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
        keys = ("fires", "silent")
        fields = self._document.fields(self._fields.get("examples"), known=keys, required=keys, what="examples")
        fires, silent = (
            tuple(Example(text, node.place.line) for text, node in self._document.texts(fields.get(key)))
            for key in keys
        )
        return fires, silent
