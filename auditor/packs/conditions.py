"""Reads the ``select`` of a rule: named columns, each with a value, a list of values, or a comparison.

    select:
      control: true                 # a flag
      verdict: [unstated, deny]     # a word: any of these
      orig_role: {not: agents}      # a word: none of these
      resp_port: 1024-65535         # a number or a range
      data_connections: ">= 2"      # a number compared

No expressions, no code: what a rule asks for can be listed, explained and checked without running it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping as MappingType

from auditor.documents.document import Document, did_you_mean
from auditor.documents.yaml_tree import Mapping, Node
from auditor.packs.columns import Kind, RuleColumn
from auditor.packs.model import Condition

_COMPARISON = re.compile(r"(<=|>=|!=|<|>|=)\s*([0-9]{1,18})", re.ASCII)
_RANGE = re.compile(r"([0-9]{1,18})(?:\s*-\s*([0-9]{1,18}))?", re.ASCII)
_MOST = 10**18
_NUMBER_HELP = 'write a number, a range such as 1024-65535, or a comparison such as ">= 2"'


def read_select(document: Document, node: Node | None, columns: MappingType[str, RuleColumn]) -> tuple[Condition, ...]:
    """Return the conditions of a ``select`` mapping over the columns of one table; complaints go to the document."""
    mapping = document.mapping(node, "columns with values")
    if mapping is None:
        return ()
    conditions: list[Condition] = []
    for name, value in mapping.values.items():
        column = columns.get(name)
        if column is None:
            document.complain(mapping.keys[name], f"unknown column {name!r}", did_you_mean(name, columns))
        elif column.kind is Kind.NUMBER:
            conditions += _read_numbers(document, value, name)
        else:
            conditions += _read_words(document, value, column)
    return tuple(conditions)


def _read_words(document: Document, node: Node, column: RuleColumn) -> list[Condition]:
    operator = "in"
    if isinstance(node, Mapping) and column.kind is not Kind.FLAG:
        fields = document.fields(node, known=("not",), required=("not",))
        if "not" not in fields:
            return []
        node, operator = fields["not"], "not in"
    words: list[str] = []
    pairs = document.texts(node, single=True)
    for text, item in pairs:
        if _acceptable(document, text, item, column):
            words.append(text)
    if not pairs:
        document.complain(node, f"no value for column {column.name!r}")
    return [Condition(column.name, operator, tuple(words))] if words else []


def _acceptable(document: Document, text: str, node: Node, column: RuleColumn) -> bool:
    """Whether a text can occur in a column; complains where it cannot."""
    known = ("true", "false") if column.kind is Kind.FLAG else column.words
    if known and text not in known:
        document.complain(node, f"{text!r} never occurs in column {column.name!r}", did_you_mean(text, known))
        return False
    if column.kind is Kind.ADDRESS:
        try:
            ipaddress.ip_address(text)
        except ValueError:
            document.complain(node, f"{text!r} is not an IP address", "write 10.0.0.1 or 2001:db8::1")
            return False
    return True


def _read_numbers(document: Document, node: Node, name: str) -> list[Condition]:
    """Return the conditions of one comparison, one range (two conditions) or any list of numbers."""
    pairs = document.texts(node, single=True)
    if len(pairs) == 1:
        return _read_number(document, pairs[0][0], node, name)
    if not pairs:
        document.complain(node, f"no value for column {name!r}", _NUMBER_HELP)
    numbers = [document.whole_number(item, 0, _MOST) for _, item in pairs]
    found = tuple(number for number in numbers if number is not None)
    return [Condition(name, "in", found)] if found else []


def _read_number(document: Document, text: str, node: Node, name: str) -> list[Condition]:
    if compared := _COMPARISON.fullmatch(text):
        operator = "in" if compared[1] == "=" else compared[1]
        return [Condition(name, operator, (int(compared[2]),))]
    ranged = _RANGE.fullmatch(text)
    if ranged is None:
        document.complain(node, f"{text!r} is no condition on a number", _NUMBER_HELP)
        return []
    low, high = int(ranged[1]), int(ranged[2] or ranged[1])
    if low > high:
        document.complain(node, f"range {text} runs backwards", f"write {high}-{low}")
        return []
    if low == high:
        return [Condition(name, "in", (low,))]
    return [Condition(name, ">=", (low,)), Condition(name, "<=", (high,))]
