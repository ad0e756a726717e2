"""The JSON Schema of rule files, made from the columns, so that editors complete what the loader accepts."""

from __future__ import annotations

from typing import Any

from auditor.model import Severity
from auditor.packs.columns import TABLES, Kind, RuleColumn
from auditor.packs.read import CODE, KEYS, REQUIRED

_NUMBER = r"^\s*((<=|>=|!=|<|>|=)\s*)?[0-9]{1,18}(\s*-\s*[0-9]{1,18})?\s*$"
_SENTENCE = "A sentence; names in braces are subjects, columns of the table, or count."


def rule_schema() -> dict[str, Any]:
    """Return the schema of a rule file."""
    severities = [severity.word for severity in Severity]
    text = {"type": "string", "minLength": 1}
    texts = {"type": "array", "items": text}
    sentence = {**text, "description": _SENTENCE}
    # Which columns there are depends on the table; _of_table says it.
    select = {"type": "object", "description": "Columns with what they must be."}
    properties: dict[str, Any] = {
        "code": {"type": "string", "pattern": f"^{CODE}$", "description": "Stable for ever."},
        "name": {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "description": "Slug; names the file."},
        "title": text,
        "severity": {"enum": severities},
        "since": {**text, "description": "Version of auditor that first had the rule."},
        "on": {"enum": list(TABLES), "description": "The table whose rows are asked."},
        "select": select,
        **_belonging(texts),
        **_gathering(select, severities, texts, sentence),
        "undermines": {"type": "boolean", "description": "Findings say that the capture cannot support a verdict."},
        "absence": {"type": "boolean", "description": "Findings rest on an answer that was not seen."},
        "message": sentence,
        "consequence": sentence,
        "remedy": sentence,
        "why": text,
        "sources": {**texts, "minItems": 1},
        "false_alarms": texts,
        "controls": texts,
        "examples": _closed(
            {"fires": {**texts, "minItems": 1}, "silent": {**texts, "minItems": 1}}, ["fires", "silent"]
        ),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "auditor rule",
        "description": "A check of auditor; docs/rules.md explains it.",
        **_closed({key: properties[key] for key in KEYS}, list(REQUIRED)),
        "allOf": [_of_table(name, columns) for name, columns in TABLES.items()],
        "$defs": {name: _select(columns) for name, columns in TABLES.items()},
    }


def _gathering(select: dict[str, Any], severities: list[str], texts: Any, sentence: Any) -> dict[str, Any]:
    """Return the keys that say how rows become findings."""
    level = {"type": "integer", "minimum": 1}
    return {
        "subject": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "Name in the finding: column. One finding for each different subject.",
        },
        "threshold": {**level, "description": "Rows that a subject needs."},
        "escalate": {
            "type": "array",
            "items": _closed({"select": select, "severity": {"enum": severities}}, ["select", "severity"]),
        },
        "collapse": {
            "type": "array",
            "items": _closed({"when_over": level, "to": texts, "message": sentence}, ["when_over", "message"]),
            "description": "More findings than when_over that agree in these subjects become one.",
        },
    }


def _belonging(texts: dict[str, Any]) -> dict[str, Any]:
    """Return the keys that say where a rule belongs: what it once was, and for which product generations it is."""
    return {
        "formerly": {**texts, "description": "Codes and names that the rule once had; they lead here for ever."},
        "generations": {**texts, "description": "Product generations that the rule is for; all where not said."},
    }


def _closed(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _of_table(name: str, columns: dict[str, RuleColumn]) -> dict[str, Any]:
    """Return the part of the schema that holds where ``on`` names this table."""
    select = {"$ref": f"#/$defs/{name}"}
    then = {
        "select": select,
        "subject": {"additionalProperties": {"enum": list(columns)}},
        "escalate": {"items": {"properties": {"select": select}}},
    }
    return {"if": {"properties": {"on": {"const": name}}, "required": ["on"]}, "then": {"properties": then}}


def _select(columns: dict[str, RuleColumn]) -> dict[str, Any]:
    properties = {column.name: _condition(column) for column in columns.values()}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _condition(column: RuleColumn) -> dict[str, Any]:
    described = {"description": column.meaning}
    if column.kind is Kind.FLAG:
        return {**described, "type": "boolean"}
    if column.kind is Kind.NUMBER:
        number = {"type": "integer", "minimum": 0}
        one = [number, {"type": "string", "pattern": _NUMBER}]
        return {**described, "anyOf": [*one, {"type": "array", "items": number, "minItems": 1}]}
    word: dict[str, Any] = {"enum": list(column.words)} if column.words else {"type": "string"}
    some = {"type": "array", "items": word, "minItems": 1}
    inverted = {"type": "object", "properties": {"not": {"anyOf": [word, some]}}, "required": ["not"]}
    return {**described, "anyOf": [word, some, {**inverted, "additionalProperties": False}]}
