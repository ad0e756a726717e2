"""What a report counts over flows, against a plain loop over them: rows of services, and what silent hosts did."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from auditor.blocks import BLOCK
from auditor.flows import FlowTable
from auditor.hosts import _add_others, _Host
from auditor.policy.match import VERDICTS
from auditor.summary import _Groups

OUT = VERDICTS.index("out-of-scope")
HOSTS = 5
LENGTHS = [0, 1, 40, 300, BLOCK + 9]


def made(length: int, *, scope: bool) -> tuple[FlowTable, Any]:
    """Return flows at random, and their verdicts: all of them in scope, or some."""
    random = np.random.default_rng(length + scope)
    columns = {
        "orig_addr": random.integers(0, HOSTS, length),
        "resp_addr": random.integers(0, HOSTS, length),
        "resp_port": random.choice(np.array([22, 25, 1023, 1024, 10000, 50100, 50101, 65535]), length),
        "transport": random.choice(np.array([6, 17]), length),
        "first_packet": np.arange(length) * 3 + 1,
        **{
            f"{side}_{what}": random.integers(0, 1 << 40, length)
            for side in ("orig", "resp")
            for what in ("packets", "bytes")
        },
    }
    table = FlowTable.from_columns(columns, np.zeros((HOSTS, 16), np.uint8))
    fixed, dynamic = SimpleNamespace(ports_from="list"), SimpleNamespace(ports_from="dynamic_ports")
    verdicts = SimpleNamespace(
        verdict=random.integers(0, OUT if scope else OUT + 2, length).astype(np.uint8),
        service=random.integers(0, 3, length).astype(np.uint16),
        services=(None, fixed, dynamic),
        orig_zone=random.integers(0, 2, length).astype(np.uint16),
        resp_zone=random.integers(0, 3, length).astype(np.uint16),
        term=random.integers(-1, 1, length).astype(np.int32),
    )
    return table, verdicts


@pytest.mark.parametrize("scope", [True, False])
@pytest.mark.parametrize("length", LENGTHS)
def test_rows_of_services_are_those_of_a_loop(length: int, scope: bool) -> None:
    table, verdicts = made(length, scope=scope)
    expected: dict[tuple[int, ...], list[int]] = {}
    for row in range(length):
        if verdicts.verdict[row] == OUT:
            continue
        port, service = int(table["resp_port"][row]), int(verdicts.service[row])
        merged = service == 2 or (service == 0 and port >= 1024)
        zones = (int(verdicts.orig_zone[row]), int(verdicts.resp_zone[row]))
        key = (service, *zones, int(table["transport"][row]), int(verdicts.verdict[row]), 65536 if merged else port)
        expected.setdefault(key, []).append(row)
    groups = _Groups.of(table, verdicts, verdicts.verdict != OUT)
    rows = [expected[key] for key in sorted(expected)]
    assert groups.first.tolist() == [own[0] for own in rows]
    assert groups.flows.tolist() == [len(own) for own in rows]
    for name in ("packets", "bytes"):
        sums = [sum(int(table[f"{side}_{name}"][row]) for side in ("orig", "resp") for row in own) for own in rows]
        assert getattr(groups, name).tolist() == sums
    ports = [[int(table["resp_port"][row]) for row in own] for own in rows]
    assert (groups.low.tolist(), groups.high.tolist()) == (list(map(min, ports)), list(map(max, ports)))
    assert groups.one_term.tolist() == [len({int(verdicts.term[row]) for row in own}) == 1 for own in rows]


@pytest.mark.parametrize("scope", [True, False])
@pytest.mark.parametrize("length", LENGTHS)
def test_what_silent_hosts_did_is_what_a_loop_tells(length: int, scope: bool) -> None:
    table, verdicts = made(length, scope=scope)
    hosts = {code: _Host() for code in (4, 0, 3)}
    hosts[3].plays("media server", "opened something")
    _add_others(hosts, table, verdicts)
    for code, host in hosts.items():
        told = []
        for side, verb in (("orig_addr", "opened {} to"), ("resp_addr", "was addressed by {} on")):
            own = [row for row in range(length) if table[side][row] == code and verdicts.verdict[row] != OUT]
            ports = sorted({int(table["resp_port"][row]) for row in own})
            if not own or code == 3:
                continue
            doing = verb.format("1 flow" if len(own) == 1 else f"{len(own):,} flows".replace(",", " "))
            shown = [*map(str, ports[:5]), *([f"{len(ports) - 5} more"] if len(ports) > 5 else [])]
            text = " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
            told.append(f"{doing} port{'s' if len(ports) > 1 else ''} {text} (packet {own[0] * 3 + 1})")
        assert [
            reason.replace("\N{NARROW NO-BREAK SPACE}", " ").replace("\N{NO-BREAK SPACE}", " ")
            for reason in host.reasons
        ] == (["media server: opened something"] if code == 3 else told)
