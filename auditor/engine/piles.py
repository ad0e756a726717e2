"""Sorts the rows that a rule selects into piles, one for each finding: by subject, collapsed where the rule says so.

All of it works on whole arrays, so that a scan of a million ports is sorted as quickly as one of ten.
"""

from __future__ import annotations

from typing import Self

import numpy as np

from auditor.blocks import look_up, occurring
from auditor.distinct import among, distinct, grouped
from auditor.engine.matching import meeting
from auditor.packs.model import Rule, Template
from auditor.packs.words import COUNT
from auditor.records import draft, record
from auditor.rule_table import Array, Rows, RuleTable

_SMALL = 1 << 16
"""Up to this, or to the number of rows, numbers are counted instead of sorted."""

MOST_FINDINGS = 200
"""Findings that one rule may raise; the rest, the least grave and smallest, become one."""


@record
class Pile:
    """Rows of one finding, in order. ``names`` are the parts of the subject that they share; ``rest`` marks the pile of
    what is not listed one by one."""

    rows: Rows
    names: tuple[str, ...]
    template: Template
    rest: bool = False


def sort_into_piles(rule: Rule, table: RuleTable, rows: Rows) -> list[Pile]:
    """Return the piles of the rows that a rule selects, in the order of their subjects."""
    pile = combination_numbers([table[column].values[rows] for column in rule.subject.values()], len(rows))
    kept = np.bincount(pile, minlength=1)[pile] >= rule.threshold
    sorting = _Sorting.of(rule, table, rows[kept], _dense(pile[kept]))
    for level in range(len(rule.collapse)):
        sorting.collapse(level)
    return sorting.piles()


def combination_numbers(columns: list[Array], length: int) -> Array:
    """Return for each row the number of its combination of values, from 0 without gaps, in the order of the values."""
    number: Array = np.zeros(length, np.int64)
    for column in columns:
        codes = _dense(column)
        # Both factors are numbers of rows, below 2^31, so that the product fits.
        number = _dense(number * (int(codes.max(initial=0)) + 1) + codes)
    return number


def _dense(numbers: Array) -> Array:
    """Return numbers without gaps, in the same order."""
    codes = numbers.view(np.uint8) if numbers.dtype == np.bool_ else numbers
    highest = int(codes.max(initial=0))
    if highest > max(_SMALL, len(codes)) or int(codes.min(initial=0)) < 0:
        return grouped(codes)[1]
    # Which of a few numbers occur is counted in a fraction of the time that a million take to sort.
    return look_up(np.cumsum(occurring(codes, highest + 1)) - 1, codes)


@draft
class _Sorting:
    """Rows being sorted: ``pile`` is each row's pile, ``level`` each pile's collapse (-1 for none)."""

    rule: Rule
    table: RuleTable
    rows: Rows
    pile: Array
    level: Array

    @classmethod
    def of(cls, rule: Rule, table: RuleTable, rows: Rows, pile: Array) -> Self:
        """Begin with one pile for each subject."""
        return cls(rule, table, rows, pile, np.full(int(pile.max(initial=-1)) + 1, -1))

    def collapse(self, level: int) -> None:
        """Merge piles that agree in the subjects of a collapse, where more than its ``when_over`` do."""
        collapse = self.rule.collapse[level]
        first = grouped(self.pile)[0]
        shared = [self.table[self.rule.subject[name]].values[self.rows[first]] for name in collapse.to]
        eligible = self._has(collapse.to)
        key = combination_numbers([*shared, eligible], len(first))
        merged = eligible & (np.bincount(key, weights=eligible, minlength=1)[key] > collapse.when_over)
        # Piles that stay get numbers behind those of the keys, so that the two cannot meet.
        numbers, renumbered = grouped(np.where(merged, key, len(first) + np.arange(len(first))))
        levels = np.full(len(numbers), level)
        levels[renumbered[~merged]] = self.level[~merged]
        self.level, self.pile = levels, renumbered[self.pile]

    def piles(self) -> list[Pile]:
        """Return the piles; where there are too many, the gravest and largest and one of all others."""
        order = np.argsort(self.pile, kind="stable")
        bounds = np.searchsorted(self.pile[order], np.arange(len(self.level) + 1))
        kept = np.arange(len(self.level))
        if len(kept) > MOST_FINDINGS:
            kept = np.sort(np.lexsort((-np.diff(bounds), -self._severities()))[: MOST_FINDINGS - 1])
        piles = [self._pile(int(self.level[n]), self.rows[order[bounds[n] : bounds[n + 1]]]) for n in kept]
        if len(kept) < len(self.level):
            others = self.rows[~among(self.pile, kept)]
            text = f"{len(self.level) - len(kept)} more findings of this kind, from {{{COUNT}}} rows, are not listed."
            piles.append(Pile(others, (), Template(text), rest=True))
        return piles

    def _pile(self, level: int, rows: Rows) -> Pile:
        template = self.rule.message if level < 0 else self.rule.collapse[level].message
        return Pile(rows, self._names(level), template)

    def _names(self, level: int) -> tuple[str, ...]:
        return tuple(self.rule.subject) if level < 0 else self.rule.collapse[level].to

    def _has(self, names: tuple[str, ...]) -> Array:
        """Return which piles have all of these names in their subject."""
        levels = range(-1, len(self.rule.collapse))
        has = np.array([set(names) <= set(self._names(level)) for level in levels], np.bool_)
        of_pile: Array = has[self.level + 1]
        return of_pile

    def _severities(self) -> Array:
        """Return the severity of each pile."""
        found = np.full(len(self.level), int(self.rule.severity))
        for escalation in self.rule.escalate:
            met = distinct(self.pile[among(self.rows, meeting(escalation.select, self.table, self.rows))])
            found[met] = np.maximum(found[met], int(escalation.severity))
        return found
