"""The tables of the engine: complete, in the words that rules may use, and right where a plain count can tell."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor import _native
from auditor.examples import Bench, _sessions
from auditor.notation import parse
from auditor.packs.columns import (
    GRADES,
    MISFITS,
    OUTCOMES,
    READABLE,
    ROLES,
    STATUSES,
    TABLES,
    VERDICTS,
    Kind,
)
from auditor.packs.model import Pack
from auditor.policy import match, outcome
from auditor.policy.groups import ROLE_NAMES
from auditor.rule_table import AddressNames, RuleTable
from auditor.services.folder import rules_folder
from auditor.sessions import Grade, Readable
from auditor.tables import build_tables
from auditor.tables.hosts import _peaks

SESSION = "10.0.1.5:49152 > 10.0.2.9:10000 tcp SF app=ndmp control login=accepted auth=md5 transfer\n"


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench(Pack(()), rules_folder())


def tables(bench: Bench, text: str) -> dict[str, RuleTable]:
    scene = parse(text)
    sessions = _sessions(scene, bench.policy, bench.catalogue())
    verdicts = match.judge(scene.table, bench.policy, bench.catalogue(), control=sessions.control, data=sessions.data)
    return build_tables(scene.table, sessions, verdicts, bench.policy, scene.captures)


def column(table: RuleTable, name: str) -> list[str]:
    return [table[name].text(row) for row in range(len(table))]


SCENES = ("", SESSION, SESSION + "10.0.1.5:50201 > 10.0.2.9:50101 tcp SF data=proved\n10.0.9.9:1 > 10.0.1.5:53 udp")


@pytest.mark.parametrize("text", SCENES)
def test_every_table_has_exactly_the_columns_that_rules_may_name(bench: Bench, text: str) -> None:
    built = tables(bench, text)
    assert set(built) == set(TABLES)
    for name, table in built.items():
        assert set(table.columns) == set(TABLES[name])
        for column_name, data in table.columns.items():
            assert len(data.values) == len(table), f"{name}.{column_name}"
            kind = TABLES[name][column_name].kind
            assert (data.values.dtype == np.bool_) == (kind is Kind.FLAG), f"{name}.{column_name}"
            assert isinstance(data.names, AddressNames) == (kind is Kind.ADDRESS), f"{name}.{column_name}"
            assert (data.names is None) == (kind in (Kind.FLAG, Kind.NUMBER)), f"{name}.{column_name}"


@pytest.mark.parametrize("text", SCENES)
def test_fixed_words_are_all_that_can_occur(bench: Bench, text: str) -> None:
    for name, table in tables(bench, text).items():
        for column_name, data in table.columns.items():
            words = TABLES[name][column_name].words
            if words:
                assert {data.names[code] for code in range(len(data.names))} <= {*words, "none"}


def test_words_are_those_of_the_modules_that_own_them() -> None:
    assert OUTCOMES == outcome.OUTCOMES
    assert VERDICTS == match.VERDICTS
    assert ("", *MISFITS[1:]) == match.MISFITS
    assert ROLES == ROLE_NAMES
    assert set(GRADES) == {"none", *(grade.value for grade in Grade)}
    assert set(READABLE) == {"none", *(readable.value for readable in Readable)}
    assert set(STATUSES) == {"read", "partial", "unreadable"}


def test_words_that_rules_use_of_the_core_exist_there() -> None:
    from auditor.packs.load import load_pack

    known = {
        "state": _native.STATES,
        "app": _native.APPS,
        "refusal": _native.REFUSALS,
        "originator_by": _native.ORIGINATOR_BY,
    }
    for rule in load_pack([rules_folder() / "checks"]).rules:
        for condition in itertools.chain(rule.select, *(escalation.select for escalation in rule.escalate)):
            if condition.column in known:
                assert set(condition.values) <= set(known[condition.column]), rule.code


def test_both_ends_of_a_data_connection_are_held_against_their_own_range(bench: Bench) -> None:
    data = tables(bench, SESSION + "10.0.2.9:33034 > 10.0.1.5:50201 tcp SF data=probable")["data"]
    assert column(data, "host") == ["10.0.2.9", "10.0.1.5"]
    assert column(data, "side") == ["connects", "listens"]
    assert column(data, "port") == ["33034", "50201"]
    assert column(data, "declared_range") == ["50100-50124", "50200-50224"]
    assert column(data, "inside") == ["no", "yes"]
    assert column(data, "grade") == ["probable", "probable"]


def test_a_possible_tie_needs_a_permitted_control_connection(bench: Bench) -> None:
    """Else an intruder's unreadable connection to port 10000 would make data connections of all its traffic."""
    intruder = (
        "203.0.113.7:1 > 10.0.2.9:10000 tcp SF control readable=not-seen\n203.0.113.7:2 > 10.0.2.9:4444 tcp SF data="
    )
    assert column(tables(bench, intruder + "possible")["flows"], "data") == ["no", "no"]
    assert column(tables(bench, intruder + "proved")["flows"], "data") == ["no", "yes"]


def test_the_end_of_the_capture_excuses_a_single_syn(bench: Bench) -> None:
    text = """
    10.0.1.5:1 > 10.0.2.9:10000 tcp SF at=0 for=100
    10.0.1.5:2 > 10.0.2.8:10000 tcp S0 x1 at=99 for=0
    10.0.1.5:3 > 10.0.2.8:10000 tcp S0 x1 at=50 for=0
    10.0.1.5:4 > 10.0.2.8:10000 tcp S0 x3 at=93 for=7
    """
    assert column(tables(bench, text)["flows"], "at_the_end") == ["no", "yes", "no", "no"]


def test_a_refusal_counts_less_where_another_attempt_succeeded(bench: Bench) -> None:
    text = """
    10.0.1.5:1 > 10.0.2.9:10000 tcp REJ
    10.0.1.5:2 > 10.0.2.9:10000 tcp SF
    10.0.1.6:3 > 10.0.2.9:10000 tcp REJ
    10.0.1.5:4 > 10.0.2.9:6103 tcp REJ
    10.0.1.5:5 > 10.0.2.8:10000 tcp REJ
    """
    assert column(tables(bench, text)["flows"], "answered_elsewhere") == ["yes", "no", "no", "no", "no"]


def test_ports_of_a_host_are_those_of_its_data_connections(bench: Bench) -> None:
    lines = [f"10.0.1.5:{50200 + n} > 10.0.2.9:{50100 + n % 2} tcp SF data=proved at={n} for=2" for n in range(1, 5)]
    lines.append("10.0.1.5:50210 > 10.0.2.9:50109 tcp S0 x4 data=proved at=2 for=9")
    hosts = tables(bench, SESSION + "\n".join(lines))["hosts"]
    by_host = {hosts["host"].text(row): row for row in range(len(hosts))}
    agent = by_host["10.0.2.9"]
    # Blocked attempts hold no port; at second 3 the connections of 1, 2 and 3 are open, the first until that instant.
    assert [hosts[name].text(agent) for name in ("data_connections", "peak", "ports_used")] == ["4", "3", "2"]


intervals = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 30), st.integers(0, 10)), max_size=40)


@given(intervals)
def test_peaks_agree_with_counting_at_every_start(given_intervals: list[tuple[int, int, int]]) -> None:
    group = np.array([one[0] for one in given_intervals], np.intp)
    start = np.array([one[1] for one in given_intervals], np.int64)
    end = start + np.array([one[2] for one in given_intervals], np.int64)
    present, group = np.unique(group, return_inverse=True)
    peak, at_peak = _peaks(start, end, group, len(present))
    for number in range(len(present)):
        own = np.flatnonzero(group == number)
        at_once = {int(n): int(np.count_nonzero((start[own] <= start[n]) & (start[n] <= end[own]))) for n in own}
        assert peak[number] == max(at_once.values())
        assert at_peak[number] in own


def test_one_sided_connections_are_counted_apart_from_blocked_ones(bench: Bench) -> None:
    captures = tables(
        bench,
        """
        10.0.1.5:1 > 10.0.2.9:10000 tcp OTH x40 one-sided
        10.0.1.5:2 > 10.0.2.9:10000 tcp SF
        10.0.1.5:3 > 10.0.2.9:10000 tcp S0 x3
        10.0.1.5:4 > 10.0.2.9:10000 tcp REJ
        """,
    )["captures"]
    assert [captures[name].text(0) for name in ("tcp_flows", "one_sided", "one_sided_percent")] == ["2", "1", "50"]


def test_examples_folder_is_the_checkouts() -> None:
    assert (Path(rules_folder()) / "examples.yaml").is_file()
