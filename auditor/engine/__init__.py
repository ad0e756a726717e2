"""Evaluates rules on tables: masks, piles of equal subjects, findings with evidence. Loops over findings, never flows."""

from __future__ import annotations

from collections.abc import Mapping

from auditor.blocks import picking
from auditor.distinct import distinct
from auditor.engine.evidence import collect_evidence
from auditor.engine.matching import meeting, selected
from auditor.engine.parts import parts_of
from auditor.engine.piles import Pile, sort_into_piles
from auditor.flows import FlowTable
from auditor.model import Finding, Severity
from auditor.model.parts import PartList
from auditor.packs.model import Pack, Rule
from auditor.packs.words import COUNT, OUTCOMES
from auditor.rule_table import Array, ColumnData, Rows, RuleTable

_SHOWN_VALUES = 3
"""Values of a column that a sentence lists where a finding has many."""

_KEPT = ":/.[],-"
_SAFE = frozenset(f"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_~{_KEPT}")
"""Characters that stand for themselves in the key of a finding."""


def findings(
    pack: Pack, tables: Mapping[str, RuleTable], flows: FlowTable, told: PartList | None = None
) -> tuple[Finding, ...]:
    """Return the findings of all rules, gravest first, then by code and subject; ``told`` takes the parts of some."""
    judged = tables.get("flows")
    found = [one for rule in pack.rules for one in evaluate(rule, tables[rule.table], flows, judged, told)]
    return tuple(sorted(found, key=lambda one: (-one.severity, one.code, one.key)))


def evaluate(
    rule: Rule, table: RuleTable, flows: FlowTable, judged: RuleTable | None = None, told: PartList | None = None
) -> list[Finding]:
    """Return the findings of one rule on its table, one for each subject, collapsed where the rule says so.

    ``judged`` is the table of flows, whose columns tell which line of the policy decided; ``told`` takes the parts of
    findings whose codes it names.
    """
    if not len(table):
        return []
    rows = selected(rule.select, table)
    if not len(rows):
        return []
    made = []
    for pile in sort_into_piles(rule, table, rows):
        made.append(_finding(rule, table, flows, pile, judged))
        if told is not None and rule.code in told.codes:
            told.parts[made[-1].key] = parts_of(rule, table, pile.rows, judged)
    return made


def finding_key(code: str, subject: Mapping[str, str]) -> str:
    """Return code and subject as one word per part: the same for the same subject in another capture of the site."""
    return " ".join((code, *(f"{name}={_quoted(value)}" for name, value in subject.items())))


def _quoted(value: str) -> str:
    if _SAFE.issuperset(value):
        return value
    # Only here: most subjects are addresses and plain words.
    from urllib.parse import quote

    # The name of a file, and what is said of one, need not be text.
    return quote(value, safe=_KEPT, errors="backslashreplace")


def _finding(rule: Rule, table: RuleTable, flows: FlowTable, pile: Pile, judged: RuleTable | None) -> Finding:
    rows = pile.rows
    own = table.flows_of(rows)
    own = own[picking(own >= 0)]
    term, nearest = _lines(own, judged)
    subject = {name: table[rule.subject[name]].text(int(rows[0])) for name in pile.names}
    if pile.rest:
        subject = {"others": "all"}
    telling = [meeting(escalation.select, table, rows) for escalation in rule.escalate]
    values = _Values(rule, table, rows)
    return Finding(
        code=rule.code,
        name=rule.name,
        severity=_severity(rule, telling),
        message=pile.template.render(values),
        subject=subject,
        key=finding_key(rule.code, subject),
        consequence=rule.consequence.render(values),
        remedy=rule.remedy.render(values),
        evidence=collect_evidence(table, [*telling, rows], flows),
        flows=len(distinct(own)),
        title=rule.title,
        undermines=rule.undermines,
        term=term,
        nearest=nearest,
        absence=rule.absence and _unseen(table, rows),
    )


def _lines(flows: Array, judged: RuleTable | None) -> tuple[str, str]:
    """Return the lines of the policy that decided, or came nearest to deciding, the first of ``flows``."""
    if judged is None or "term" not in judged.columns or not len(flows):
        return "", ""
    term, nearest = (judged[name].text(int(flows[0])) for name in ("term", "nearest"))
    return "" if term == "none" else term, "" if nearest == "none" else nearest


def _unseen(table: RuleTable, rows: Rows) -> bool:
    """Return whether nothing was seen that would prove the rows: a refusal, in tables that know of such."""
    if "outcome" not in table.columns:
        return True
    outcome = table["outcome"]
    return bool((outcome.at(rows).values == OUTCOMES.index("unanswered")).all())


def _severity(rule: Rule, telling: list[Rows]) -> Severity:
    reached = (escalation.severity for escalation, rows in zip(rule.escalate, telling, strict=True) if len(rows))
    return max((rule.severity, *reached))


class _Values(dict[str, str]):
    """Values for the sentences of a finding, by name of subject or column, made when first asked for."""

    def __init__(self, rule: Rule, table: RuleTable, rows: Rows) -> None:
        super().__init__({COUNT: str(len(rows))})
        self._rule, self._table, self._rows = rule, table, rows

    def __missing__(self, name: str) -> str:
        column = self._table[self._rule.subject.get(name, name)]
        self[name] = text = _summary(column, self._rows)
        return text


def _summary(column: ColumnData, rows: Rows) -> str:
    """Return the different values of rows as text: all of a few, the first of many."""
    values = distinct(column.at(rows).values)
    texts = [column.value_text(value) for value in values[: _SHOWN_VALUES + 1]]
    if len(values) <= _SHOWN_VALUES + 1:
        return ", ".join(texts)
    return f"{', '.join(texts[:_SHOWN_VALUES])} and {len(values) - _SHOWN_VALUES} more"
