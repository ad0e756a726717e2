"""The engine against a plain evaluator that walks rows one by one, and what findings promise."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.engine import evaluate, finding_key, findings
from auditor.engine.evidence import MOST_EVIDENCE
from auditor.engine.piles import MOST_FINDINGS
from auditor.flows import FlowTable
from auditor.model import Finding, Severity
from auditor.notation import parse
from auditor.packs.model import Collapse, Condition, Escalation, Pack, Rule, Template
from auditor.rule_table import (
    AddressNames,
    ColumnData,
    Columns,
    RuleTable,
    Witness,
    named_column,
    no_witnesses,
    words_column,
)
from auditor.tables.witness import flow_witness

WORDS = ("red", "green", "blue")
COLUMNS = ("word", "number", "flag", "address")


def flow_table(rows: int) -> FlowTable:
    """Return a table of so many flows, from ten addresses in turn."""
    return parse("\n".join(f"10.0.0.{n % 10}:{1000 + n} > 10.0.1.1:25 tcp" for n in range(rows))).table


def rule_table(flows: FlowTable, rows: list[dict[str, Any]]) -> RuleTable:
    """Return a table of the four kinds of columns, one row for each flow."""
    names = AddressNames(flows.addresses, flows.address_text)
    columns = {
        "word": ColumnData(np.array([WORDS.index(row["word"]) for row in rows], np.uint8), WORDS),
        "number": ColumnData(np.array([row["number"] for row in rows], np.uint16)),
        "flag": ColumnData(np.array([row["flag"] for row in rows], np.bool_)),
        "address": ColumnData(flows["orig_addr"], names),
    }

    def witnesses(row: int) -> tuple[Witness, ...]:
        return (flow_witness(flows, row),)

    return RuleTable("flows", columns, np.arange(len(rows)), witnesses)


def make_rule(**changes: Any) -> Rule:
    """Return a rule that takes every row of the table and names nothing."""
    rule = Rule(
        code="TT101",
        name="test",
        title="Test",
        severity=Severity.LOW,
        since="0",
        table="flows",
        select=(),
        subject={},
        message=Template("{count} rows"),
        consequence=Template(""),
        remedy=Template(""),
        why="",
        sources=(),
        false_alarms=(),
        controls=(),
        fires=(),
        silent=(),
    )
    return replace(rule, **changes)


# --- The plain evaluator ---------------------------------------------------------------------------------------------


@dataclass
class Group:
    """Rows of one finding in the plain evaluator."""

    subject: dict[str, str]
    rows: list[int]


def plain_matches(condition: Condition, row: dict[str, Any]) -> bool:
    value = row[condition.column]
    if condition.column == "flag":
        value = "true" if value else "false"
    wanted = condition.values
    return {
        "in": lambda: value in wanted,
        "not in": lambda: value not in wanted,
        "<": lambda: value < wanted[0],
        "<=": lambda: value <= wanted[0],
        ">": lambda: value > wanted[0],
        ">=": lambda: value >= wanted[0],
        "!=": lambda: value != wanted[0],
    }[condition.operator]()


def shown(column: str, value: Any) -> str:
    return ("yes" if value else "no") if column == "flag" else str(value)


def plain_evaluate(rule: Rule, rows: list[dict[str, Any]]) -> list[tuple[Severity, dict[str, str], int]]:
    """Return severity, subject and number of rows of each finding."""
    groups: dict[tuple[Any, ...], Group] = {}
    for number, row in enumerate(rows):
        if all(plain_matches(condition, row) for condition in rule.select):
            subject = {name: shown(column, row[column]) for name, column in rule.subject.items()}
            groups.setdefault(tuple(subject.items()), Group(subject, [])).rows.append(number)
    found = [group for group in groups.values() if len(group.rows) >= rule.threshold]
    for collapse in rule.collapse:
        found = plain_collapse(collapse, found)
    result = []
    for group in found:
        reached = [
            escalation.severity
            for escalation in rule.escalate
            if any(all(plain_matches(c, rows[row]) for c in escalation.select) for row in group.rows)
        ]
        result.append((max([rule.severity, *reached]), group.subject, len(group.rows)))
    return result


def plain_collapse(collapse: Collapse, groups: list[Group]) -> list[Group]:
    def key(group: Group) -> tuple[str, ...] | None:
        known = set(collapse.to) <= set(group.subject)
        return tuple(group.subject[name] for name in collapse.to) if known else None

    counts = Counter(key(group) for group in groups)
    merged: dict[tuple[str, ...], Group] = {}
    kept = []
    for group in groups:
        shared = key(group)
        if shared is None or counts[shared] <= collapse.when_over:
            kept.append(group)
            continue
        one = merged.setdefault(shared, Group({name: group.subject[name] for name in collapse.to}, []))
        one.rows += group.rows
    return kept + list(merged.values())


# --- Random rules on random tables -----------------------------------------------------------------------------------

row_values = st.fixed_dictionaries({"word": st.sampled_from(WORDS), "number": st.integers(0, 6), "flag": st.booleans()})


def conditions() -> st.SearchStrategy[Condition]:
    either = st.sampled_from(["in", "not in"])
    some_words = st.lists(st.sampled_from([*WORDS, "mauve"]), min_size=1, max_size=2).map(tuple)
    some_addresses = st.lists(st.sampled_from(["10.0.0.1", "10.0.0.2", "192.0.2.9"]), min_size=1, max_size=2).map(tuple)
    some_numbers = st.lists(st.integers(0, 7), min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Condition, st.just("word"), either, some_words),
        st.builds(Condition, st.just("address"), either, some_addresses),
        st.builds(Condition, st.just("flag"), st.just("in"), st.sampled_from([("true",), ("false",)])),
        st.builds(Condition, st.just("number"), st.just("in"), some_numbers),
        st.builds(
            Condition,
            st.just("number"),
            st.sampled_from(["<", "<=", ">", ">=", "!="]),
            st.integers(0, 7).map(lambda number: (number,)),
        ),
    )


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    selects = st.lists(conditions(), max_size=2).map(tuple)
    subject = draw(st.lists(st.sampled_from(COLUMNS), unique=True))
    levels = []
    names = subject
    for _ in range(draw(st.integers(0, 2))):
        names = draw(st.lists(st.sampled_from(names), unique=True)) if names else []
        levels.append(Collapse(draw(st.integers(1, 3)), tuple(names), Template("{count} of them")))
    return make_rule(
        severity=draw(st.sampled_from(Severity)),
        select=draw(selects),
        subject={column: column for column in subject},
        threshold=draw(st.integers(1, 3)),
        escalate=tuple(draw(st.lists(st.builds(Escalation, selects, st.sampled_from(Severity)), max_size=2))),
        collapse=tuple(levels),
    )


@settings(max_examples=300)
@given(rules(), st.lists(row_values, max_size=25))
def test_the_engine_agrees_with_a_plain_evaluator(rule: Rule, rows: list[dict[str, Any]]) -> None:
    flows = flow_table(len(rows))
    for number, row in enumerate(rows):
        row["address"] = f"10.0.0.{number % 10}"
    found = evaluate(rule, rule_table(flows, rows), flows)
    comparable = sorted((one.severity, sorted(one.subject.items()), one.flows) for one in found)
    expected = plain_evaluate(rule, rows)
    assert comparable == sorted((severity, sorted(subject.items()), count) for severity, subject, count in expected)


# --- What findings promise -------------------------------------------------------------------------------------------


def fired(rule: Rule, rows: list[dict[str, Any]]) -> list[Finding]:
    flows = flow_table(len(rows))
    return evaluate(rule, rule_table(flows, rows), flows)


def some_rows(count: int) -> list[dict[str, Any]]:
    return [{"word": WORDS[n % 3], "number": n, "flag": n % 2 == 0} for n in range(count)]


def test_evidence_is_bounded_and_begins_with_what_made_it_grave() -> None:
    grave = Escalation((Condition("number", "in", (39,)),), Severity.CRITICAL)
    (found,) = fired(make_rule(escalate=(grave,)), some_rows(40))
    assert found.severity is Severity.CRITICAL
    assert found.flows == 40
    assert len(found.evidence) == MOST_EVIDENCE
    assert found.evidence[0].flow.originator == "10.0.0.9:1039"
    assert found.evidence[0].capture == "example.pcap"


def test_a_rule_raises_no_flood_of_findings_and_loses_no_row() -> None:
    count = MOST_FINDINGS + 50
    grave = Escalation((Condition("number", "in", (7,)),), Severity.HIGH)
    found = fired(make_rule(subject={"number": "number"}, escalate=(grave,)), some_rows(count))
    assert len(found) == MOST_FINDINGS
    assert sum(one.flows for one in found) == count
    assert {"number": "7"} in [one.subject for one in found]
    (rest,) = [one for one in found if one.subject == {"others": "all"}]
    assert rest.message == "51 more findings of this kind, from 51 rows, are not listed."


def test_a_sentence_lists_few_values_and_counts_the_others() -> None:
    rule = make_rule(message=Template("{word}: {number} ({flag})"))
    (few,) = fired(rule, some_rows(4))
    (many,) = fired(rule, some_rows(9))
    assert few.message == "red, green, blue: 0, 1, 2, 3 (no, yes)"
    assert many.message == "red, green, blue: 0, 1, 2 and 6 more (no, yes)"


def test_values_are_never_read_as_templates() -> None:
    flows = flow_table(1)
    table = RuleTable("flows", {"word": words_column(["{count} {x.__class__}"])}, np.arange(1), no_witnesses)
    (found,) = evaluate(make_rule(message=Template("{word} {{so}}"), subject={"word": "word"}), table, flows)
    assert found.message == "{count} {x.__class__} {so}"


@pytest.mark.parametrize("text", ["{word.upper}", "{word[0]}", "{word!r}", "{word:>9}", "{}", "{0}", "{word", "word}"])
def test_templates_take_plain_names_only(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the text differs between Python versions
        Template(text).names()


def test_keys_are_code_and_subject_without_ambiguity() -> None:
    assert finding_key("BX1", {"host": "10.0.0.1", "port": "1-3, 5"}) == "BX1 host=10.0.0.1 port=1-3,%205"
    assert finding_key("BX1", {"a": "b c=d"}) != finding_key("BX1", {"a": "b", "c": "d"})
    assert finding_key("BX1", {"host": "2001:db8::1"}) == "BX1 host=2001:db8::1"


def test_findings_come_gravest_first_whatever_the_order_of_rows() -> None:
    flows = flow_table(12)
    rows = some_rows(12)
    low = make_rule(subject={"number": "number"})
    high = make_rule(code="TT202", name="other", severity=Severity.HIGH, subject={"word": "word"})
    pack = Pack((low, high))
    found = findings(pack, {"flows": rule_table(flows, rows)}, flows)
    again = findings(pack, {"flows": rule_table(flows, rows[::-1])}, flows)
    assert [one.key for one in found] == [one.key for one in again]
    assert [one.severity for one in found] == sorted((one.severity for one in found), reverse=True)


def test_equal_words_under_different_codes_are_one_subject() -> None:
    flows = flow_table(4)
    column = named_column(np.array([0, 1, 2, 1]), ["mail", "web", "mail"])
    table = RuleTable("flows", {"word": column}, np.arange(4), no_witnesses)
    found = evaluate(make_rule(subject={"service": "word"}), table, flows)
    assert {(one.subject["service"], one.flows) for one in found} == {("mail", 2), ("web", 2)}


def test_a_million_flows_of_a_scan_are_one_finding() -> None:
    count = 1_000_000
    flows = FlowTable.from_columns(
        {"resp_port": np.arange(count) % 65536, "transport": np.full(count, 6)},
        parse("10.0.0.1:1 > 10.0.0.2:2 tcp").table.addresses,
    )
    table = RuleTable(
        "flows", {"port": ColumnData(flows["resp_port"])}, np.arange(count), lambda row: (flow_witness(flows, row),)
    )
    rule = make_rule(subject={"port": "port"}, collapse=(Collapse(8, (), Template("ports {port}")),))
    (found,) = evaluate(rule, table, flows)
    assert (found.flows, found.message) == (count, "ports 0, 1, 2 and 65533 more")
    assert len(found.evidence) == MOST_EVIDENCE


def test_packs_load_without_numpy() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from pathlib import Path; from auditor.packs.load import load_pack;"
        "from auditor.packs.lint import lint_pack;"
        "pack = load_pack([Path('rules/checks')]); lint_pack(pack); print(len(pack.rules), 'numpy' in sys.modules)"
    )
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    count, numpy_loaded = done.stdout.split()
    assert int(count) > 30
    assert numpy_loaded == "False"


def test_columns_are_made_when_rules_ask_for_them() -> None:
    made: list[str] = []

    def maker(name: str, values: list[int]) -> ColumnData:
        made.append(name)
        return ColumnData(np.array(values, np.uint8))

    columns = Columns({"few": lambda: maker("few", [0, 1, 0]), "costly": lambda: maker("costly", [5, 6, 7])})
    table = RuleTable("flows", columns, np.arange(3), no_witnesses)
    flows = FlowTable.from_columns({"resp_port": np.zeros(3, np.uint16)}, np.zeros((1, 16), np.uint8))
    none = make_rule(select=(Condition("few", ">", (1,)), Condition("costly", "<", (9,))))
    assert evaluate(none, table, flows) == []
    assert made == ["few"]
    one = make_rule(select=(Condition("few", ">", (0,)), Condition("costly", "<", (9,))), subject={"value": "costly"})
    assert [found.subject for found in evaluate(one, table, flows)] == [{"value": "6"}]
    assert made == ["few", "costly"]
    assert (list(columns), len(columns), "costly" in columns, "other" in columns) == (["few", "costly"], 2, True, False)
