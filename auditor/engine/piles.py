"""Sorts the rows that a rule selects into piles, one for each finding: by subject, collapsed where the rule says so.

All of it works on whole arrays, so that a scan of a million ports is sorted as quickly as one of ten.
"""

from __future__ import annotations

import numpy as np

from auditor.blocks import look_up
from auditor.distinct import among, combination_numbers, distinct, numbered, tallied
from auditor.engine.matching import meeting
from auditor.packs.model import Rule, Template
from auditor.packs.words import COUNT
from auditor.records import draft, record
from auditor.rule_table import Array, Rows, RuleTable

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
    pile, count = combination_numbers((table[column].at(rows).values for column in rule.subject.values()), len(rows))
    if rule.threshold > 1:
        kept = look_up(tallied(pile, count) >= rule.threshold, pile)
        rows, (pile, count) = rows[kept], numbered(pile[kept])
    sorting = _Sorting(rule, table, rows, pile, np.full(count, -1))
    for level in range(len(rule.collapse)):
        sorting.collapse(level)
    return sorting.piles()


@draft
class _Sorting:
    """Rows being sorted: ``pile`` is each row's pile, ``level`` each pile's collapse (-1 for none)."""

    rule: Rule
    table: RuleTable
    rows: Rows
    pile: Array
    level: Array

    def collapse(self, level: int) -> None:
        """Merge piles that agree in the subjects of a collapse, where more than its ``when_over`` do."""
        collapse = self.rule.collapse[level]
        # Any row of a pile tells what all of them share.
        one = np.empty(len(self.level), np.intp)
        one[self.pile] = self.rows
        shared = [self.table[self.rule.subject[name]].values[one] for name in collapse.to]
        eligible = self._has(collapse.to)
        key, _ = combination_numbers([*shared, eligible], len(one))
        merged = eligible & (np.bincount(key, weights=eligible, minlength=1)[key] > collapse.when_over)
        # Piles that stay get numbers behind those of the keys, so that the two cannot meet.
        renumbered, count = numbered(np.where(merged, key, len(one) + np.arange(len(one))))
        levels = np.full(count, level)
        levels[renumbered[~merged]] = self.level[~merged]
        self.level, self.pile = levels, look_up(renumbered, self.pile)

    def piles(self) -> list[Pile]:
        """Return the piles; where there are too many, the gravest and largest and one of all others."""
        rows = self.rows[np.argsort(self.pile, kind="stable")] if len(self.level) > 1 else self.rows
        bounds = np.concatenate([[0], np.cumsum(tallied(self.pile, len(self.level)))])
        kept = np.arange(len(self.level))
        if len(kept) > MOST_FINDINGS:
            kept = np.sort(np.lexsort((-np.diff(bounds), -self._severities()))[: MOST_FINDINGS - 1])
        piles = [self._pile(int(self.level[n]), rows[bounds[n] : bounds[n + 1]]) for n in kept]
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
