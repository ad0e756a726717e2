"""Every way in which control and data connections stand to one another (the NDMP draft, 2.2 and 3.5), by hand."""

from __future__ import annotations

import numpy as np
import pytest

from auditor.flows import FlowTable
from auditor.notation import parse
from auditor.sessions import Grade, find_sessions
from tests.helpers.talk import Talk

DATA_LISTEN, DATA_CONNECT, MOVER_LISTEN, MOVER_CONNECT, START = 0x409, 0x40A, 0xA01, 0xA09, 0x401
DMA, AGENT, TAPE = "10.0.1.5", "10.0.3.1", "10.0.3.2"
CONTROLS = (
    f"{DMA}:40000 > {AGENT}:10000 tcp SF app=ndmp at=0 for=60",
    f"{DMA}:40001 > {TAPE}:10000 tcp SF app=ndmp at=0 for=60",
)


class Stage:
    """Flows of a scene and what is said on its control connections, which are its first lines."""

    def __init__(self, *lines: str, controls: int = 2) -> None:
        self.table: FlowTable = parse("\n".join(lines)).table
        self.talk = Talk()
        for flow in range(controls):
            self.talk.stream(flow)

    def listens(self, flow: int, code: int, end: str, at: float) -> None:
        address, _, port = end.rpartition(":")
        self.talk.say(flow, code, reply=True, at=at, address=(self._code(address), int(port)))

    def connects(self, flow: int, code: int, end: str, at: float) -> None:
        address, _, port = end.rpartition(":")
        self.talk.say(flow, code, at=at, address=(self._code(address), int(port)))

    def ties(self) -> list[list[tuple[int, Grade]]]:
        ports = np.full(len(self.table.addresses), 10000, np.uint16)
        found = find_sessions(
            self.table, self.talk.done(), control_ports=ports, service_ports=np.zeros(0, np.uint16)
        ).sessions
        return [sorted((link.flow, link.grade) for link in session.data) for session in found]

    def _code(self, address: str) -> int:
        return int(self.table.address_codes(address)[0])


@pytest.mark.parametrize("swapped", [False, True], ids=["mover listens", "data server listens"])
def test_three_way_in_both_orders(swapped: bool) -> None:
    listener, caller = (AGENT, TAPE) if swapped else (TAPE, AGENT)
    stage = Stage(*CONTROLS, f"{caller}:50001 > {listener}:18600 tcp SF at=1 for=9")
    stage.listens(0 if swapped else 1, DATA_LISTEN if swapped else MOVER_LISTEN, f"{listener}:18600", 0.8)
    stage.connects(1 if swapped else 0, MOVER_CONNECT if swapped else DATA_CONNECT, f"{listener}:18600", 0.9)
    assert stage.ties() == [[(2, Grade.PROVED)], [(2, Grade.PROVED)]]


def test_data_to_data() -> None:
    stage = Stage(*CONTROLS, f"{AGENT}:50001 > {TAPE}:18600 tcp SF at=1 for=9")
    stage.listens(1, DATA_LISTEN, f"{TAPE}:18600", 0.8)
    stage.connects(0, DATA_CONNECT, f"{TAPE}:18600", 0.9)
    assert stage.ties() == [[(2, Grade.PROVED)], [(2, Grade.PROVED)]]


def test_several_in_sequence_on_the_same_port() -> None:
    times = (1, 11, 21)
    stage = Stage(CONTROLS[0], *(f"{DMA}:{40100 + t} > {AGENT}:50105 tcp SF at={t} for=5" for t in times), controls=1)
    for at in times:
        stage.listens(0, DATA_LISTEN, f"{AGENT}:50105", at - 0.1)
    assert stage.ties() == [[(1, Grade.PROVED), (2, Grade.PROVED), (3, Grade.PROVED)]]


def test_several_controls_between_one_pair_do_not_mix() -> None:
    controls = [f"{DMA}:{40000 + n} > {AGENT}:10000 tcp SF app=ndmp at=0 for=60" for n in range(4)]
    data = [f"{DMA}:{41000 + n} > {AGENT}:{50100 + n} tcp SF at=1 for=9" for n in range(4)]
    stage = Stage(*controls, *data, controls=4)
    for flow in range(4):
        stage.listens(flow, DATA_LISTEN, f"{AGENT}:{50103 - flow}", 0.9)
    assert stage.ties() == [[(7 - flow, Grade.PROVED)] for flow in range(4)]


def test_a_filer_with_another_data_address() -> None:
    stage = Stage(CONTROLS[0], f"{DMA}:41000 > 10.9.9.1:18600 tcp SF at=1 for=9", controls=1)
    stage.listens(0, DATA_LISTEN, "10.9.9.1:18600", 0.9)
    assert stage.ties() == [[(1, Grade.PROVED)]]


def test_address_translation_is_probable() -> None:
    stage = Stage(
        CONTROLS[0],
        f"{DMA}:41000 > {AGENT}:18600 tcp SF at=1 for=9",
        "192.168.7.1:1 > 192.168.7.2:1 udp SF",
        controls=1,
    )
    stage.listens(0, DATA_LISTEN, "192.168.7.1:18600", 0.9)
    assert stage.ties() == [[(1, Grade.PROBABLE)]]


def test_a_listener_on_every_address() -> None:
    stage = Stage(
        CONTROLS[0], f"{DMA}:41000 > {AGENT}:18600 tcp SF at=1 for=9", "0.0.0.0:68 > 10.0.3.9:67 udp SF", controls=1
    )
    stage.listens(0, DATA_LISTEN, "0.0.0.0:18600", 0.9)
    assert stage.ties() == [[(1, Grade.PROVED)]]


def test_a_local_transfer_ties_nothing() -> None:
    stage = Stage(CONTROLS[0], f"{DMA}:41000 > {AGENT}:18600 tcp SF at=1 for=9", controls=1)
    stage.talk.say(0, MOVER_LISTEN, reply=True, at=0.8, addr_type=0)
    stage.talk.say(0, DATA_CONNECT, at=0.9, addr_type=0)
    stage.talk.say(0, START, at=1)
    assert stage.ties() == [[]]


def test_version_2_names_the_mover_in_its_start() -> None:
    stage = Stage(CONTROLS[0], f"{AGENT}:50104 > {DMA}:50223 tcp SF at=1 for=9", controls=1)
    stage.connects(0, START, f"{DMA}:50223", 0.9)
    assert stage.ties() == [[(1, Grade.PROVED)]]


def test_ipv6() -> None:
    stage = Stage(
        "[2001:db8::5]:40000 > [2001:db8::9]:10000 tcp SF app=ndmp at=0 for=60",
        "[2001:db8::5]:40001 > [2001:db8::9]:50125 tcp SF at=1 for=9",
        controls=1,
    )
    stage.listens(0, DATA_LISTEN, "2001:db8::9:50125", 0.9)
    assert stage.ties() == [[(1, Grade.PROVED)]]
