"""Capacity against arithmetic by hand: waves of jobs, TIME_WAIT at the end that closed first, what would be enough."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.capacity import _closed_first, _merged, _Steps
from auditor.examples import Bench, _sessions
from auditor.model import HostCapacity
from auditor.notation import parse
from auditor.packs.model import Pack
from auditor.policy.adjust import adjusted
from auditor.policy.match import judge
from auditor.services.folder import rules_folder
from auditor.tables import Source

MEDIA, AGENT = "10.0.1.5", "10.0.2.9"
BY_AGENT, BY_MEDIA, BY_RESET = "history=ShADadfF", "history=ShADadFf", "history=ShADadFr"


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench(Pack(()), rules_folder())


def capacity(bench: Bench, text: str) -> dict[str, HostCapacity]:
    scene = parse(text)
    policy = adjusted(bench.policy, scene.policy)
    sessions = _sessions(scene, policy, bench.catalogue())
    verdicts = judge(scene.table, policy, bench.catalogue(), control=sessions.control, data=sessions.data)
    return {load.facts.host: load.facts for load in Source(scene.table, sessions, verdicts, policy).capacity}


def waves(number: int, jobs: int, history: str, settings: str = "") -> str:
    """Return waves of jobs twenty seconds apart, each of ten seconds, every job with a control connection of its own."""
    lines = [f"policy range.agents=50100-50124 {settings}"]
    for n in range(number * jobs):
        at = n // jobs * 20
        lines += [
            f"{MEDIA}:{40000 + n} > {AGENT}:10000 tcp SF app=ndmp control login=accepted transfer at={at} for=11",
            f"{MEDIA}:{45000 + n} > {AGENT}:{50100 + n} tcp SF data=proved at={at} for=10 {history}",
        ]
    return "\n".join(lines)


def test_three_waves_of_eleven_jobs_use_up_a_range_of_twenty_five(bench: Bench) -> None:
    """11 at once, but 11 + 11 of the waves before wait: 33 > 25. Full from 40 s on, when the third wave begins."""
    agent = capacity(bench, waves(3, 11, BY_AGENT))[AGENT]
    assert (agent.peak_operations, agent.peak_open) == (11, 11)
    assert (agent.peak_held, agent.waiting_at_peak) == (33, 22)
    assert (agent.limit, agent.full_at) == (25, "1970-01-01T00:00:40.000000000Z")
    assert agent.peak_held_at == agent.full_at
    assert agent.peak_operations_at == "1970-01-01T00:00:00.000000000Z"
    assert agent.enough == 33  # 2 × 11 = 22 for the operations, but 33 were held
    assert agent.arithmetic == (
        "2 ports × 11 operations at once = 22; 33 held at once, 22 of them in TIME_WAIT (120 s); the larger is 33"
    )


def test_two_waves_do_not(bench: Bench) -> None:
    agent = capacity(bench, waves(2, 11, BY_AGENT))[AGENT]
    assert (agent.peak_held, agent.full_at, agent.enough) == (22, None, 22)


@pytest.mark.parametrize(("history", "agent_held", "media_held"), [(BY_MEDIA, 11, 33), (BY_RESET, 11, 11)])
def test_who_closes_first_waits_and_nobody_after_a_reset(
    bench: Bench, history: str, agent_held: int, media_held: int
) -> None:
    measured = capacity(bench, waves(3, 11, history))
    assert measured[AGENT].peak_held == agent_held
    assert measured[MEDIA].peak_held == media_held


def test_a_close_that_was_not_seen_is_told_and_not_counted(bench: Bench) -> None:
    agent = capacity(bench, waves(1, 3, "history=ShADad"))[AGENT]
    assert (agent.unknown_close, agent.peak_held) == (3, 3)


@pytest.mark.parametrize(
    ("seconds", "held", "at"),
    # A wave ends at 10 s of its 20: after 15 s of waiting its ports are held to 25 s, so that two waves meet, from 20 s.
    [(0, 11, 0), (9, 11, 0), (15, 22, 20), (60, 33, 40)],
)
def test_the_length_of_the_wait_is_the_policys(bench: Bench, seconds: int, held: int, at: int) -> None:
    agent = capacity(bench, waves(3, 11, BY_AGENT, f"time_wait={seconds}"))[AGENT]
    assert agent.peak_held == held
    assert agent.peak_held_at == f"1970-01-01T00:00:{at:02}.000000000Z"


@pytest.mark.parametrize(("ports_per", "needed"), [("operation", 22), ("job", 22), ("resource", 11)])
def test_what_ports_are_counted_by(bench: Bench, ports_per: str, needed: int) -> None:
    agent = capacity(bench, waves(1, 11, BY_AGENT, f"ports_per={ports_per}"))[AGENT]
    assert agent.enough == needed
    assert agent.arithmetic.endswith(f"11 held at once, 0 of them in TIME_WAIT (120 s); the larger is {needed}")


def test_a_port_in_two_connections_is_one_port(bench: Bench) -> None:
    text = f"""\
{MEDIA}:40000 > {AGENT}:10000 tcp SF app=ndmp control login=accepted transfer at=0 for=30
{MEDIA}:45000 > {AGENT}:50100 tcp SF data=proved at=1 for=10 {BY_AGENT}
{MEDIA}:45001 > {AGENT}:50100 tcp SF data=proved at=5 for=10 {BY_AGENT}"""
    measured = capacity(bench, text)
    assert (measured[AGENT].peak_open, measured[AGENT].peak_held) == (1, 1)
    assert measured[MEDIA].peak_open == 2


def test_blocked_connections_hold_nothing_and_strain_only_a_full_range(bench: Bench) -> None:
    blocked = f"{MEDIA}:46000 > {AGENT}:50124 tcp S0 x3 data=proved at=45"
    agent = capacity(bench, f"{waves(3, 11, BY_AGENT)}\n{blocked}")[AGENT]
    assert (agent.peak_held, agent.blocked, agent.strained) == (33, 1, 1)
    agent = capacity(bench, f"{waves(1, 11, BY_AGENT)}\n{blocked}")[AGENT]
    assert (agent.blocked, agent.strained) == (1, 0)


def test_the_curve_is_short_and_keeps_the_peak(bench: Bench) -> None:
    lines = [f"{MEDIA}:40000 > {AGENT}:10000 tcp SF app=ndmp control login=accepted transfer at=0 for=4000"]
    lines += [
        f"{MEDIA}:{20000 + n} > {AGENT}:{50100 + n % 25} tcp SF data=proved at={n * 3} for={9 if n == 500 else 1} {BY_AGENT}"
        for n in range(1000)
    ]
    agent = capacity(bench, "\n".join(lines))[AGENT]
    assert 100 < len(agent.curve) <= 200
    assert agent.peak_open == 2  # the long one, and at any time one of those that follow
    assert (
        max(point.open + point.waiting for point in agent.curve) == agent.peak_held == 25
    )  # a port returns after 75 s, before it is free
    assert [point.at for point in agent.curve] == sorted(point.at for point in agent.curve)


@pytest.mark.parametrize(
    ("history", "who"),
    [("ShADadFf", 1), ("ShAdfFa", 2), ("", 0), ("ShAD", 0), ("ShADR", 3), ("^hADaFf", 1), ("fF", 2)],
)
def test_the_first_fin_tells_who_closed(history: str, who: int) -> None:
    assert _closed_first(history) == who


Interval = st.tuples(st.integers(0, 3), st.integers(0, 20), st.integers(0, 8))


@given(st.lists(Interval, max_size=25))
def test_ports_held_are_those_of_a_plain_count(intervals: list[tuple[int, int, int]]) -> None:
    import numpy as np

    port, first, last = (
        np.array(values, np.int64)
        for values in (
            [p for p, _, _ in intervals],
            [s for _, s, _ in intervals],
            [s + n for _, s, n in intervals],
        )
    )
    steps = _Steps.of(*_merged(port, first, last))
    for time in range(30):
        plain = {p for p, s, n in intervals if s <= time <= s + n}
        assert steps.at(np.array([time]))[0] == len(plain)


def test_the_numbers_of_a_capture_are_those_of_its_truth() -> None:
    """The data connections of a recorded capture at once, counted one by one from what its programs noted."""
    import json

    import auditor

    folder = Path(__file__).resolve().parent.parent / "captures" / "out-of-range"
    report = auditor.audit([folder / "out-of-range.pcap"], policy_path=folder / "policy.yaml")
    truth = json.loads(next(folder.glob("truth*.json")).read_text(encoding="utf-8"))
    agents = {host.host: host for host in report.capacity if host.role == "agents"}
    for address, measured in agents.items():
        of_agent = [d for d in truth["data_connections"] if address in (d["client"], d["server"])]
        assert measured.connections == len(of_agent)
