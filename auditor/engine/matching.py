"""Conditions of rules as masks over the rows of a table."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from auditor.distinct import among
from auditor.packs.model import Condition
from auditor.rule_table import Array, ColumnData, Mask, Rows, RuleTable

_MANY = 16
"""As many times the rows that are left, and a look at the whole table takes longer than one at them."""

_COMPARE = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "!=": np.not_equal,
}


def selected(conditions: Iterable[Condition], table: RuleTable) -> Rows:
    """Return which rows meet all conditions; all rows where there are none.

    A condition is asked of the whole table while many rows are left, then of those alone; none is where no row is.
    """
    left = list(conditions)
    if not left:
        return np.arange(len(table))
    mask = _of_all(left.pop(0), table)
    while left and np.count_nonzero(mask) * _MANY > len(mask):
        mask &= _of_all(left.pop(0), table)
    return meeting(left, table, np.flatnonzero(mask))


def _of_all(condition: Condition, table: RuleTable) -> Mask:
    return _matches_one(condition, table[condition.column])


def meeting(conditions: Iterable[Condition], table: RuleTable, rows: Rows) -> Rows:
    """Return those of ``rows`` that meet all conditions, without looking at the rest of the table."""
    for condition in conditions:
        if not len(rows):
            break
        rows = rows[_matches_one(condition, table[condition.column].at(rows))]
    return rows


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
