"""Capacity counted by hand: several resources of one job, three jobs side by side, and what happens at the peak."""

from __future__ import annotations

import ipaddress

import numpy as np
import pytest

from auditor.capacity import measure_capacity
from auditor.documents.yaml_tree import Place
from auditor.examples import Bench
from auditor.flows import FlowTable
from auditor.model import HostCapacity
from auditor.notation import parse
from auditor.policy.match import judge
from auditor.policy.model import Policy, Zone
from auditor.ports import PortSet
from auditor.services import load_catalogue
from auditor.sessions import find_sessions
from auditor.sessions.measure import measure_sessions
from tests.helpers.talk import Talk
from tests.test_capacity import AGENT, BY_AGENT, MEDIA, bench, capacity, waves

__all__ = ["bench"]

LISTEN, START, DATA_HALTED = 0x409, 0x401, 0x501
NOWHERE = Place("", 1)


def policy(ports_per: str, ports: str = "50100-50124", time_wait: int = 0) -> Policy:
    low, high = map(int, ports.split("-"))
    zones = (
        Zone("media-servers", "media-servers", (ipaddress.ip_network(MEDIA),), None, None, NOWHERE),
        Zone("agents", "agents", (ipaddress.ip_network(AGENT),), PortSet.of([(low, high)]), None, NOWHERE),
    )
    return Policy("by hand", zones=zones, ports_per=ports_per, time_wait=time_wait)


def three_resources(sessions: int) -> tuple[FlowTable, Talk]:
    """Return jobs side by side, each of one control connection and three backups one after another of 5 s, 10 s apart."""
    lines, talk = [], Talk()
    for n in range(sessions):
        lines.append(f"{MEDIA}:{40000 + n} > {AGENT}:10000 tcp SF app=ndmp at=0 for=40")
        lines += [
            f"{MEDIA}:{45000 + 10 * n + r} > {AGENT}:{50100 + 3 * n + r} tcp SF at={1 + 10 * r} for=5" for r in range(3)
        ]
    table = parse("\n".join(lines)).table
    agent = int(table.address_codes(AGENT)[0])
    controls = np.flatnonzero(table["resp_port"] == 10000).tolist()
    for n, flow in enumerate(controls):
        talk.stream(flow)
        for r in range(3):
            at = 0.5 + 10 * r
            talk.say(flow, LISTEN, at=at)
            talk.say(flow, LISTEN, reply=True, at=at + 0.01, address=(agent, 50100 + 3 * n + r))
            talk.say(flow, START, at=at + 0.1)
            talk.say(flow, DATA_HALTED, at=at + 6, reason=1)
    return table, talk


def counted(sessions: int, ports_per: str) -> HostCapacity:
    table, talk = three_resources(sessions)
    held = policy(ports_per)
    found = find_sessions(
        table,
        talk.done(),
        control_ports=np.full(len(table.addresses), 10000, np.uint16),
        service_ports=np.zeros(0, np.uint16),
    )
    verdicts = judge(table, held, load_catalogue(), control=found.control, data=found.data)
    ties = [(session, link) for session in found.sessions for link in session.data]
    measured = measure_sessions(table, found.sessions)
    assert [len(jobs) for jobs in measured] == [3] * sessions
    loads = measure_capacity(table, found.sessions, measured, ties, verdicts, held)
    return {load.facts.host: load.facts for load in loads}[AGENT]


@pytest.mark.parametrize(
    ("ports_per", "sessions", "enough"),
    [
        # One after another: one operation at a time, two ports.
        ("operation", 1, 2),
        # One job, two ports, however many resources.
        ("job", 1, 2),
        # Three resources, one port each, for as long as the job lasts.
        ("resource", 1, 3),
        # Four jobs side by side: 2 x 4 operations, 2 x 4 jobs, 1 x 12 resources.
        ("operation", 4, 8),
        ("job", 4, 8),
        ("resource", 4, 12),
    ],
)
def test_three_resources_of_each_job(ports_per: str, sessions: int, enough: int) -> None:
    agent = counted(sessions, ports_per)
    assert (agent.operations, agent.peak_operations, agent.peak_open) == (3 * sessions, sessions, sessions)
    assert agent.enough == enough
    assert agent.arithmetic.endswith(f"the larger is {enough}")


@pytest.mark.parametrize(
    ("line", "blocked", "delayed"),
    [
        ("tcp S0 x3", 1, 0),
        ("tcp REJ", 1, 0),
        # Answered at the third SYN.
        ("tcp SF for=5 syns=3", 0, 1),
        ("tcp SF for=5", 0, 0),
    ],
)
@pytest.mark.parametrize(("number", "full"), [(3, True), (1, False)])
def test_what_happens_at_the_peak(
    bench: Bench,
    line: str,
    blocked: int,
    delayed: int,
    number: int,
    full: bool,
) -> None:
    """Three waves hold 33 of 25 ports at 45 s, one holds 11: only the first can have kept a connection from its port."""
    what = f"{MEDIA}:46000 > {AGENT}:50124 {line} data=proved at=45"
    agent = capacity(bench, f"{waves(number, 11, BY_AGENT)}\n{what}")[AGENT]
    assert (agent.blocked, agent.delayed) == (blocked, delayed)
    assert agent.strained == (blocked + delayed if full else 0)
    assert (agent.full_at is not None) == full


def test_the_moment_at_which_the_range_runs_out(bench: Bench) -> None:
    """Waves of eight: 8, 16, 24 are held at 0, 20, 40 s; the 25th port goes with the first connection of the wave at 60 s.

    With TIME_WAIT at 35 s, a wave of 0-10 s holds its ports to 45 s: 8 + 8 + 8 = 24 at 40 s is the most, and the range lasts.
    """
    agent = capacity(bench, waves(4, 8, BY_AGENT))[AGENT]
    assert (agent.peak_held, agent.full_at) == (32, "1970-01-01T00:01:00.000000000Z")
    agent = capacity(bench, waves(4, 8, BY_AGENT, "time_wait=35"))[AGENT]
    assert (agent.peak_held, agent.waiting_at_peak, agent.full_at) == (24, 16, None)
    assert agent.enough == 24
