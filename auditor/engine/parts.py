"""Takes findings apart again: their subjects before any collapse, each with the line of the policy that decided."""

from __future__ import annotations

import numpy as np

from auditor.distinct import combination_numbers, grouped
from auditor.model.parts import MOST_PARTS, Part
from auditor.packs.model import Rule
from auditor.rule_table import Rows, RuleTable


def parts_of(rule: Rule, table: RuleTable, rows: Rows, judged: RuleTable | None) -> tuple[Part, ...] | None:
    """Return the parts of a finding that ``rows`` of the rule's table make, in the order of their subjects.

    ``judged`` is the table of flows. None where there are more parts than are told apart.
    """
    subject = [table[column].at(rows) for column in rule.subject.values()]
    flows = table.flows_of(rows)
    term = None if judged is None or "term" not in judged.columns else judged["term"]
    # -1: the row has no flow, so that no line of the policy can have decided it.
    decided = np.full(len(rows), -1)
    if term is not None:
        decided[flows >= 0] = term.values[flows[flows >= 0]]
    numbers, count = combination_numbers([*(column.values for column in subject), decided], len(rows))
    if count > MOST_PARTS:
        return None
    parts = []
    for row in grouped(numbers)[0].tolist():
        named = {name: column.text(row) for name, column in zip(rule.subject, subject, strict=True)}
        line = "none" if term is None or decided[row] < 0 else term.value_text(decided[row])
        parts.append(Part(named, "" if line == "none" else line))
    return tuple(parts)
