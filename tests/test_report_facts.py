"""What the report tells of data connections, services and terms beyond their names, against the truths of captures."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from auditor.model import DataEnd, Report
from auditor.pipeline import audit
from auditor.report.html.scale import nanoseconds
from tests.support import Case, committed_cases, declared_ranges

CASES = {case.name: case for case in committed_cases()}
each_case = pytest.mark.parametrize("name", sorted(CASES))
_A_MOMENT = 0.5
"""Seconds by which a socket's own clock and the wire may differ in the lab."""


def audited(name: str) -> tuple[Case, Report]:
    case = CASES[name]
    return case, audit([case.capture], policy_path=case.policy)


def told(case: Case) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the data connections of a truth by their ends."""

    def end(connection: dict[str, Any], side: str) -> str:
        address = connection[side]
        return f"{f'[{address}]' if ':' in address else address}:{connection[f'{side}_port']}"

    return {(end(one, "client"), end(one, "server")): one for one in case.truth["data_connections"]}


@each_case
def test_times_of_data_connections(name: str) -> None:
    case, report = audited(name)
    truth = told(case)
    for session in report.sessions:
        for data in session.data:
            one = truth.get((data.originator, data.responder))
            if one is None or one["begun_before_capture"] or not one.get("t_close"):
                continue
            first, last = nanoseconds(data.first), nanoseconds(data.last)
            assert first is not None
            assert last is not None
            assert abs(first / 1e9 - one["t_open"]) < _A_MOMENT
            assert abs(last / 1e9 - one["t_close"]) < _A_MOMENT


@each_case
def test_ends_of_data_connections(name: str) -> None:
    case, report = audited(name)
    truth, ranges = told(case), declared_ranges(case.truth["policy"])
    for session in report.sessions:
        for data in session.data:
            one = truth.get((data.originator, data.responder))
            if one is None:
                continue
            expected = set()
            for side, doing in (("client", "connects"), ("server", "listens")):
                host, port = one[side], one[f"{side}_port"]
                if host in ranges:
                    low, high = ranges[host]
                    expected.add(DataEnd(host, port, doing, f"{low}-{high}", low <= port <= high))
            assert {end for end in data.ends if end.declared} == expected


@each_case
def test_zones_of_services_are_those_of_their_direction(name: str) -> None:
    _, report = audited(name)
    for service in report.services:
        assert service.direction == f"{service.originator_zone} → {service.responder_zone}"


@each_case
def test_terms_say_how_often_they_decided(name: str) -> None:
    """Services with one deciding term name it; the counts of all terms are at least theirs."""
    _, report = audited(name)
    named: Counter[str] = Counter()
    for service in report.services:
        named[service.term] += service.flows if service.term else 0
    decided: Counter[str] = Counter()
    for term in report.terms:
        decided[term.name] += term.flows
    assert all(decided[term] >= flows for term, flows in named.items() if term)
    assert sum(decided.values()) <= sum(service.flows for service in report.services)
    assert any(term.flows == 0 for term in report.terms)
