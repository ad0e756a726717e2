"""NDMP messages of real captures against the log that the NDMP programs kept themselves, and against tshark."""

from __future__ import annotations

import functools
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from auditor import _native

CAPTURES = Path(__file__).parent.parent.parent / "shared" / "captures"
TRUTH = CAPTURES / "truth.json"

pytestmark = pytest.mark.skipif(not TRUTH.is_file(), reason="the captures of ../shared/captures are absent")

WHOLE = (
    "a_compliant.pcap",
    "a_mover_listen.pcap",
    "b_out_of_range.pcap",
    "d_altport_consistent.pcap",
    "e_rogue_ndmp.pcap",
    "f_blocked.pcap",
    "j_many_jobs.pcap",
    "l_vlan.pcap",
    "n_dumpcap.pcapng",
    "n_snaplen96.pcap",
)
"""Captures that hold every control connection from its first packet."""

CODES = {_native.message_name(code, version): code for code in range(0x100, 0xB00) for version in (2, 3, 4)}
ERRORS = {_native.ndmp_error_name(code): code for code in range(31)}
AUTHENTICATION = {"none": 0, "text": 1, "md5": 2}
FAMILIES = ("10.77.0.", "fd77:")
"""Where the addresses of the captures' hosts begin."""


@functools.cache
def truth() -> dict[str, Any]:
    """The truth by capture."""
    captures: dict[str, Any] = json.loads(TRUTH.read_text(encoding="utf-8"))["captures"]
    return captures


class Read:
    """A capture as the core read it, by control session."""

    def __init__(self, name: str) -> None:
        reading = _native.read_flows([str(CAPTURES / name)], ndmp_ports=(10000, 10001))
        self.reading = reading
        self.flows = reading.flow_columns()
        self.messages = reading.ndmp_messages()
        self.fields = reading.ndmp_fields()
        self.texts = reading.texts()
        ends = zip(
            *(self.flows[name].tolist() for name in ("orig_addr", "orig_port", "resp_addr", "resp_port")), strict=True
        )
        self.rows = {
            (reading.address_text(orig), orig_port, reading.address_text(resp), resp_port): row
            for row, (orig, orig_port, resp, resp_port) in enumerate(ends)
        }

    def flow(self, session: dict[str, Any]) -> int:
        """Row of the flow of a session of the truth."""
        return self.rows[session["client"], session["client_port"], session["server"], session["server_port"]]

    def of(self, flow: int) -> list[int]:
        """Rows of the messages of a flow."""
        rows: list[int] = np.flatnonzero(self.messages["flow"] == flow).tolist()
        return rows

    def numbers(self, message: int, name: str) -> list[int]:
        """Values of a field of a message."""
        wanted = (self.fields["message"] == message) & (self.fields["name"] == _native.FIELD_NAMES.index(name))
        values: list[int] = self.fields["number"][wanted].tolist()
        return values

    def addresses(self, message: int) -> list[tuple[str, int]]:
        """Addresses and ports in a message."""
        wanted = (self.fields["message"] == message) & (self.fields["address"] != 0xFFFFFFFF)
        codes = self.fields["address"][wanted].tolist()
        ports = self.fields["number"][wanted].tolist()
        return [(self.reading.address_text(code), port) for code, port in zip(codes, ports, strict=True)]


@functools.cache
def read(name: str) -> Read:
    """A capture, read once."""
    return Read(name)


def sessions(name: str) -> list[dict[str, Any]]:
    """Control sessions of the truth that crossed the wire."""
    return [session for session in truth()[name]["control_sessions"] if session["on_wire"]]


def told(session: dict[str, Any], *, server: bool) -> list[tuple[bool, int, int, int]]:
    """What one side says that it sent: reply, code, sequence, sequence answered."""
    return [
        (line["who"].endswith("reply"), CODES[line["message"]], line["seq"], line.get("reply_to", 0))
        for line in session["messages"]
        if line["who"].startswith("server") is server
    ]


def found(capture: Read, flow: int, *, server: bool) -> list[tuple[bool, int, int, int]]:
    """What was read of one side."""
    columns = capture.messages
    return [
        (
            bool(columns["reply"][row]),
            int(columns["message"][row]),
            int(columns["sequence"][row]),
            int(columns["reply_sequence"][row]),
        )
        for row in capture.of(flow)
        if bool(columns["from_responder"][row]) is server
    ]


@pytest.mark.parametrize("server", [False, True], ids=["client", "server"])
@pytest.mark.parametrize("name", WHOLE)
def test_every_message_is_found_in_order(name: str, server: bool) -> None:
    capture = read(name)
    for session in sessions(name):
        flow = capture.flow(session)
        assert found(capture, flow, server=server) == told(session, server=server), session["id"]
    streams = capture.reading.ndmp_streams()
    assert streams["flow"].tolist() == sorted(capture.flow(session) for session in sessions(name))


@pytest.mark.parametrize("name", WHOLE)
def test_no_reply_is_before_its_request(name: str) -> None:
    capture = read(name)
    columns = capture.messages
    for session in sessions(name):
        asked: set[tuple[int, int]] = set()
        rows = capture.of(capture.flow(session))
        packets = columns["packet"][rows]
        assert (np.diff(packets.astype(np.int64)) >= 0).all()
        for row in rows:
            code = int(columns["message"][row])
            if columns["reply"][row]:
                assert (code, int(columns["reply_sequence"][row])) in asked
            else:
                asked.add((code, int(columns["sequence"][row])))


@pytest.mark.parametrize("name", [name for name in WHOLE if name != "n_snaplen96.pcap"])
def test_bodies_agree_with_the_log(name: str) -> None:
    capture = read(name)
    columns = capture.messages
    statuses = {_native.MESSAGE_STATUS[code] for code in columns["status"].tolist()}
    assert statuses == {"decoded"}
    for session in sessions(name):
        rows = capture.of(capture.flow(session))
        sent = {
            server: [row for row in rows if bool(columns["from_responder"][row]) is server] for server in (False, True)
        }
        turn = {False: iter(sent[False]), True: iter(sent[True])}
        for line in session["messages"]:
            row = next(turn[line["who"].startswith("server")])
            where = (session["id"], line)
            if "version" in line:
                assert capture.numbers(row, "protocol_version") == [line["version"]], where
            if "auth_type" in line:
                assert capture.numbers(row, "auth_type") == [AUTHENTICATION[line["auth_type"]]], where
            if "tcp_addr" in line:
                assert capture.addresses(row) == [tuple(line["tcp_addr"])], where
            if line["who"].endswith("reply"):
                error = re.sub(r"_ERR$", "", line.get("error", "NO_ERR"))
                assert columns["error"][row] == ERRORS.get(error, 0), where


@pytest.mark.parametrize("name", WHOLE)
def test_version_in_force(name: str) -> None:
    capture = read(name)
    for session in sessions(name):
        rows = capture.of(capture.flow(session))
        opened = [row for row in rows if capture.messages["message"][row] == 0x900]
        after = [row for row in rows if opened and row > max(opened)]
        versions = set(capture.messages["version"][after].tolist())
        # At 96 bytes neither the version asked for nor the answer is in the capture: unknown, never a guess.
        allowed = set() if not after else {0} if name == "n_snaplen96.pcap" else {session["ndmp_version"]}
        assert versions == allowed, session["id"]


@pytest.mark.parametrize("name", [name for name in WHOLE if name != "n_snaplen96.pcap"])
def test_every_announced_address_is_read(name: str) -> None:
    capture = read(name)
    by_id = {session["id"]: session for session in sessions(name)}
    checked = 0
    for connection in truth()[name]["data_connections"]:
        match = re.fullmatch(r"(\w+) (request|reply) in (\w+)", connection.get("announced_by") or "")
        if match is None or match[3] not in by_id:
            continue
        rows = capture.of(capture.flow(by_id[match[3]]))
        announced = [
            address
            for row in rows
            if capture.messages["message"][row] == CODES[match[1]]
            and bool(capture.messages["reply"][row]) is (match[2] == "reply")
            for address in capture.addresses(row)
        ]
        assert (connection["server"], connection["server_port"]) in announced, connection["id"]
        checked += 1
    assert checked == len([c for c in truth()[name]["data_connections"] if c.get("announced_by")])


def test_a_cut_capture_tells_no_address() -> None:
    capture = read("n_snaplen96.pcap")
    assert not (capture.fields["address"] != 0xFFFFFFFF).any()
    cut = capture.messages["length"] > 24
    statuses = np.array(_native.MESSAGE_STATUS)[capture.messages["status"]]
    assert (statuses[cut] == "not-captured").all()
    assert (statuses[~cut] == "decoded").all()


def test_a_capture_begun_later_finds_the_rest() -> None:
    capture = read("g_midstream.pcap")
    for session in sessions("g_midstream.pcap"):
        flow = capture.flow(session)
        for server in (False, True):
            rest = found(capture, flow, server=server)
            assert rest == told(session, server=server)[-len(rest) :], session["id"]
        assert len(capture.of(flow)) > 10
        versions = set(capture.messages["version"][capture.of(flow)].tolist())
        assert versions <= {0, session["ndmp_version"]}


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is absent")
@pytest.mark.parametrize("name", ["a_compliant.pcap", "l_vlan.pcap"])
def test_tshark_sees_the_same_messages(name: str) -> None:
    fields = ("frame.number", "ndmp.msg", "ndmp.sequence", "ndmp.reply_sequence")
    command = ["tshark", "-r", str(CAPTURES / name), "-Y", "ndmp.msg", "-T", "fields", "-E", "occurrence=a"]
    output = subprocess.run(
        [*command, *(word for field in fields for word in ("-e", field))], capture_output=True, text=True, check=True
    ).stdout
    seen = [
        (int(frame), *(int(value, 0) for value in values))
        for frame, *texts in (line.split("\t") for line in output.splitlines())
        for values in zip(*(text.split(",") for text in texts), strict=True)
    ]
    columns = read(name).messages
    mine = [columns[name].tolist() for name in ("packet", "message", "sequence", "reply_sequence")]
    assert sorted(zip(*mine, strict=True)) == sorted(seen)
