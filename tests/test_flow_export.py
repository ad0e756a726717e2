"""The flows that formats are given: Community IDs by three independent hands, and the same values as the flow table."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from typing import Any

import numpy as np
import pytest

from auditor.community_id import community_id
from auditor.flow_export import FIELDS, community_ids
from auditor.flows import COLUMNS, FlowTable
from auditor.model import Report
from auditor.pipeline import AuditOptions, audit
from tests.support import Case, committed_cases

CASES = {case.name: case for case in committed_cases()}


@cache
def audited(name: str) -> Report:
    case: Case = CASES[name]
    return audit([case.capture], policy_path=case.policy)


def rows(report: Report, *names: str) -> list[tuple[Any, ...]]:
    assert report.flows is not None
    return list(report.flows.rows(names))


def end(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def test_the_example_of_the_specification() -> None:
    # README of the Community ID specification and of its reference implementation.
    expected = "1:LQU9qZlK+B5F3KDmev6m5PMibrg="
    assert community_id("tcp", "128.232.110.120:34855", "66.35.250.204:80") == expected
    assert community_id("tcp", "66.35.250.204:80", "128.232.110.120:34855") == expected


@pytest.mark.parametrize(
    "odd", ["", "a", "10.0.0.1", "10.0.0.1:65536", "10.0.0.1:-1", "[::1]:1", "\x1b:1", "1.2.3.4:x"]
)
def test_what_is_no_end_has_no_community_id(odd: str) -> None:
    assert community_id("tcp", odd, "10.0.0.2:1") == ""
    assert community_id(odd, "10.0.0.1:1", "10.0.0.2:1") == ""


def test_icmp_has_none_because_flows_keep_no_type() -> None:
    assert community_id("icmp", "10.0.0.1:0", "10.0.0.2:0") == ""


def random_table(count: int) -> FlowTable:
    """Return flows between few addresses, so that equal ends and equal addresses occur."""
    numbers = np.random.default_rng(7)
    addresses = numbers.integers(0, 256, (12, 16), np.uint8)
    addresses[:6, :12] = np.frombuffer(bytes(10) + b"\xff\xff", np.uint8)
    return FlowTable.from_columns(
        {
            "transport": numbers.choice([6, 17, 132, 47, 50, 1, 58], count),
            "orig_addr": numbers.integers(0, 12, count),
            "resp_addr": numbers.integers(0, 12, count),
            "orig_port": numbers.integers(0, 5, count),
            "resp_port": numbers.integers(0, 5, count),
        },
        addresses,
    )


def test_whole_columns_agree_with_the_reference_implementation() -> None:
    reference = pytest.importorskip("communityid")
    table = random_table(4000)
    made = [one.decode() for one in community_ids(table, 0, len(table)).tolist()]
    compared = 0
    for row in range(len(table)):
        sides = [table.address(int(table[f"{side}_addr"][row])) for side in ("orig", "resp")]
        number = int(table["transport"][row])
        if number in (1, 58) or sides[0].version != sides[1].version:
            assert made[row] == ""
            continue
        ports = [int(table[f"{side}_port"][row]) for side in ("orig", "resp")] if number in (6, 17, 132) else [None] * 2
        five = reference.FlowTuple(number, *(side.packed for side in sides), *ports)
        assert made[row] == reference.CommunityID().calc(five)
        assert made[row] == community_id(str(number), *(end(str(s), p or 0) for s, p in zip(sides, ports, strict=True)))
        compared += 1
    assert compared > 1000


def test_a_part_of_a_table_is_the_part_of_the_whole() -> None:
    table = random_table(500)
    whole = community_ids(table, 0, 500)
    for start, stop in ((0, 0), (3, 4), (17, 400), (499, 500)):
        assert community_ids(table, start, stop).tolist() == whole[start:stop].tolist()


@pytest.mark.parametrize("name", ["out-of-range", "notification-ipv6", "vlan"])
def test_tshark_gives_the_same_names(name: str) -> None:
    if shutil.which("tshark") is None:
        pytest.skip("no tshark")
    told = subprocess.run(
        [
            "tshark", "-r", str(CASES[name].capture), "--enable-protocol", "communityid", "-Y", "(tcp or udp) and not icmp",
            "-T", "fields", "-e", "communityid",
        ],
        capture_output=True, text=True, check=True, timeout=60,
    ).stdout.split()  # fmt: skip
    ours = {one for one, transport in rows(audited(name), "community_id", "transport") if transport in ("tcp", "udp")}
    assert ours
    assert ours == set(told)


@pytest.mark.parametrize("name", ["out-of-range", "notification-ipv6", "blocked"])
def test_sums_over_flows_are_those_of_the_report(name: str) -> None:
    report = audited(name)
    assert report.flows is not None
    assert len(report.flows) == report.totals["flows"]
    packets = rows(report, "orig_packets", "resp_packets")
    decoded = sum(capture.packets for capture in report.captures)
    assert 0 < sum(map(sum, packets)) <= decoded
    judged = [term for term, verdict in rows(report, "term", "verdict") if term and verdict != "out-of-scope"]
    assert {term.name: term.flows for term in report.terms if term.flows} == {one: judged.count(one) for one in judged}
    for number, session in enumerate(report.sessions, 1):
        ties = rows(report, "session", "control", "orig_addr", "orig_port", "resp_addr", "resp_port")
        ends = {(end(*row[2:4]), end(*row[4:6])) for row in ties if row[0] == number and not row[1]}
        assert ends == {(one.originator, one.responder) for one in (*session.data, *session.attempts)}


def test_every_column_of_the_flow_table_is_exported() -> None:
    names = {field.name for field in FIELDS}
    assert {column.name for column in COLUMNS} - names == {"flags"}  # told apart as cut and fragments
    assert len(names) == len(FIELDS)
    assert all(field.meaning for field in FIELDS)


def test_batches_give_what_the_whole_gives() -> None:
    report = audited("notification-ipv6")
    assert report.flows is not None
    flows = report.flows
    whole = list(flows.rows())
    parts = [
        row
        for start, stop in flows.bounds(7)
        for row in zip(*(flows.columns[field.name].part(start, stop) for field in flows.fields), strict=True)
    ]
    assert parts == whole


def test_flows_are_left_out_where_nobody_wants_them() -> None:
    case = CASES["out-of-range"]
    lean = audit([case.capture], policy_path=case.policy, options=AuditOptions(flows=False))
    assert lean.flows is None
    assert lean == audited("out-of-range")
