"""Conditions of rules as masks over the rows of a table."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

import numpy as np

from auditor.distinct import among
from auditor.packs.model import Condition
from auditor.rule_table import Array, ColumnData, Mask, Rows, RuleTable

_COMPARE = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "!=": np.not_equal,
}


def matches(conditions: Iterable[Condition], table: RuleTable) -> Mask:
    """Return which rows meet all conditions; all rows where there are none."""
    mask = np.ones(len(table), np.bool_)
    for condition in conditions:
        mask &= _matches_one(condition, table[condition.column])
        if not mask.any():
            break
    return mask


def meeting(conditions: Iterable[Condition], table: RuleTable, rows: Rows) -> Rows:
    """Return those of ``rows`` that meet all conditions, without looking at the rest of the table."""
    masks = (_matches_one(condition, table[condition.column].at(rows)) for condition in conditions)
    return rows[reduce(np.logical_and, masks, np.ones(len(rows), np.bool_))]


def _matches_one(condition: Condition, column: ColumnData) -> Mask:
    wanted = condition.values
    if condition.operator in ("in", "not in"):
        words = [value for value in wanted if isinstance(value, str)]
        chosen = column.codes(words) if words else np.array(wanted)
        return _is_one_of(column.values, chosen, inverted=condition.operator == "not in")
    result: Mask = _COMPARE[condition.operator](column.values, wanted[0])
    return result


def _is_one_of(values: Array, chosen: Array, *, inverted: bool) -> Mask:
    mask = among(values, chosen)
    return ~mask if inverted else mask
