"""Eighteen limits of Wireshark's NDMP dissector, and what is read here instead.

Each scene is put together word by word from the specifications. Where tshark 4.0 is installed, its answer is held as
well, so that the comparison stays a fact; another version's answer is not judged.
"""

from __future__ import annotations

import shutil
import socket
import struct
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import auditor
from auditor import _native
from tests.helpers.pcap import Writer

CLIENT, SERVER = ("10.0.1.5", 40000), ("10.0.2.9", 10000)
NOW = 1_700_000_000
Talk = list[tuple[int, bytes]]

NOT_A_CAPTURE = {7: "the wiki's text about the default version", 17: "fixed in 2011; numbers are unsigned here, below"}


def u32(*numbers: int) -> bytes:
    return struct.pack(f">{len(numbers)}I", *numbers)


def text(value: str) -> bytes:
    data = value.encode()
    return u32(len(data)) + data + bytes(-len(data) % 4)


def record(
    code: int, body: bytes = b"", *, seq: int = 1, answers: int | None = None, error: int = 0, at: int = NOW
) -> bytes:
    header = u32(seq, at, int(answers is not None), code, answers or 0, error)
    return u32(0x80000000 | 24 + len(body)) + header + body


def greeting(version: int) -> bytes:
    return record(0x502, u32(0, version) + text(""))


def opened(version: int) -> Talk:
    """Greeting, CONNECT_OPEN and its reply."""
    return [(1, greeting(version)), (0, record(0x900, u32(version))), (1, record(0x900, u32(0), seq=2, answers=1))]


def capture(
    folder: Path,
    talk: Talk,
    *,
    port: int = 10000,
    more: list[tuple[tuple[str, int], tuple[str, int], Talk]] | None = None,
) -> Path:
    writer = Writer()
    writer.connection(CLIENT, (SERVER[0], port), talk)
    for orig, resp, said in more or []:
        writer.connection(orig, resp, said)
    return writer.save(folder / "scene.pcap")


def ours(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """Return the messages of a capture: name, and what was read of it."""
    reading = _native.read_flows([str(path)], ndmp_ports=[10000])
    messages, fields, texts = reading.ndmp_messages(), reading.ndmp_fields(), reading.texts()
    found = []
    for row in range(len(messages["flow"])):
        values: dict[str, Any] = {name: int(messages[name][row]) for name in ("error", "length", "packet", "version")}
        values["status"] = _native.MESSAGE_STATUS[int(messages["status"][row])]
        for index in np.flatnonzero(fields["message"] == row).tolist():
            name, said = _native.FIELD_NAMES[int(fields["name"][index])], int(fields["text"][index])
            values[name] = int(fields["number"][index]) if said < 0 else texts[said]
            if name == "address":
                values["host"] = reading.address_text(int(fields["address"][index]))
        name = _native.message_name(int(messages["message"][row]), values["version"]).removeprefix("NDMP_")
        found.append((name, values))
    return found


@cache
def has_tshark() -> bool:
    if shutil.which("tshark") is None:
        return False
    done = subprocess.run(["tshark", "--version"], capture_output=True, text=True)
    return "TShark (Wireshark) 4.0." in done.stdout


def theirs(path: Path, *words: str) -> list[str] | None:
    """Return the info column of the frames that tshark holds to be NDMP; None where tshark 4.0 is not there."""
    if not has_tshark():
        return None
    command = ["tshark", "-r", path, "-Y", "ndmp", "-T", "fields", "-e", "_ws.col.Info", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def test_1_another_port(tmp_path: Path) -> None:
    path = capture(tmp_path, opened(3), port=9999)
    assert [name for name, _ in ours(path)] == ["NOTIFY_CONNECTION_STATUS", "CONNECT_OPEN", "CONNECT_OPEN"]
    assert theirs(path, "-d", "tcp.port==9999,ndmp") in (None, [])


def test_2_vendor_messages_and_what_follows_them(tmp_path: Path) -> None:
    start = (
        u32(4)
        + text("MEDIA")
        + text("media.example")
        + text("10.0.1.5")
        + u32(1, 2, 0, 0, 0)
        + text("")
        + u32(0)
        + text("")
    )
    hello = bytes.fromhex("16030100050100000100")
    talk = [
        *opened(3),
        (0, record(0xF383, start, seq=2)),
        (1, record(0xF383, u32(0, 0, 0, 0), seq=3, answers=2)),
        (0, hello),
    ]
    path = capture(tmp_path, talk)
    said = ours(path)
    assert said[3][1]["opcode"] == 4
    assert said[3][1]["media_server_name"] == "MEDIA"
    (session,) = auditor.audit([path]).sessions
    assert session.tls
    assert (len(theirs(path) or []) or 3) == 3  # the greeting and CONNECT_OPEN alone


def test_3_errors_of_version_4(tmp_path: Path) -> None:
    path = capture(
        tmp_path, [*opened(4), (0, record(0xA01, u32(0, 1), seq=2)), (1, record(0xA01, seq=3, answers=2, error=26))]
    )
    name, values = ours(path)[-1]
    assert (name, _native.ndmp_error_name(values["error"])) == ("MOVER_LISTEN", "PRECONDITION")
    assert (len(theirs(path) or []) or 4) == 4


@pytest.mark.parametrize("at", [0, 1_900_000_000], ids=["no clock", "the year 2030"])
def test_4_time_stamps(tmp_path: Path, at: int) -> None:
    talk = [(1, record(0x502, u32(0, 3) + text(""), at=at)), (0, record(0x900, u32(3), at=at))]
    path = capture(tmp_path, talk)
    assert [name for name, _ in ours(path)] == ["NOTIFY_CONNECTION_STATUS", "CONNECT_OPEN"]
    assert theirs(path) in (None, [])


def test_5_records_above_a_million_bytes(tmp_path: Path) -> None:
    entry = text("x" * 60_000) + u32(0)
    whole = record(0x602, bytes(1_200_000), seq=3)
    assert entry
    pieces = [(1, whole[at : at + 60_000]) for at in range(0, len(whole), 60_000)]
    path = capture(tmp_path, [*opened(3), *pieces, (1, record(0x501, u32(1) + text(""), seq=4))])
    said = ours(path)
    assert [values["length"] for _, values in said][3:] == [1_200_024, 32]
    assert said[-1][0] == "NOTIFY_DATA_HALTED"


def listen_reply(version: int, host: str, port: int) -> bytes:
    end = socket.inet_aton(host) + u32(port)
    return u32(0, 1) + (u32(1) + end + u32(0) if version == 4 else end)


def test_6_the_version_of_the_greeting(tmp_path: Path) -> None:
    """No CONNECT_OPEN was sent: the greeting's version holds (draft 2.11.2)."""
    talk = [
        (1, greeting(3)),
        (0, record(0x409, u32(1))),
        (1, record(0x409, listen_reply(3, "192.0.2.20", 50123), seq=2, answers=1)),
    ]
    path = capture(tmp_path, talk)
    name, values = ours(path)[-1]
    assert (name, values["host"], values["address"], values["status"]) == (
        "DATA_LISTEN",
        "192.0.2.20",
        50123,
        "decoded",
    )
    answer = theirs(path, "-e", "_ws.malformed")
    assert answer is None or "Malformed" in answer[-1]


def test_8_version_2_bodies(tmp_path: Path) -> None:
    start = (
        u32(1)
        + socket.inet_aton("192.0.2.20")
        + u32(49153)
        + text("dump")
        + u32(1)
        + text("FILESYSTEM")
        + text("/vol/vol0")
    )
    path = capture(tmp_path, [*opened(2), (0, record(0x401, start, seq=2))])
    _, values = ours(path)[-1]
    assert (values["host"], values["address"], values["env_filesystem"]) == ("192.0.2.20", 49153, "/vol/vol0")
    answer = theirs(path, "-e", "_ws.malformed")
    assert answer is None or "Malformed" in answer[-1]


def test_9_version_4_ipv6(tmp_path: Path) -> None:
    body = u32(0, 0x20510004, 1) + socket.inet_pton(socket.AF_INET6, "2001:db8::20") + u32(50125, 0)
    path = capture(
        tmp_path, [*opened(4), (0, record(0x409, u32(0x20510004), seq=2)), (1, record(0x409, body, seq=3, answers=2))]
    )
    _, values = ours(path)[-1]
    assert (values["host"], values["address"]) == ("2001:db8::20", 50125)


def test_9_version_4_media_error_of_a_mover(tmp_path: Path) -> None:
    talk = [
        *opened(4),
        (0, record(0xA01, u32(0, 1), seq=2)),
        (1, record(0xA01, listen_reply(4, SERVER[0], 50001), seq=3, answers=2)),
    ]
    path = capture(tmp_path, [*talk, (1, record(0x503, u32(5), seq=4))])
    (session,) = auditor.audit([path]).sessions
    assert session.jobs[0].reason == "media error"


def test_10_a_refusal_without_a_body(tmp_path: Path) -> None:
    path = capture(tmp_path, [*opened(3), (0, record(0x100, seq=2)), (1, record(0x100, seq=3, answers=2, error=4))])
    name, values = ours(path)[-1]
    assert (name, _native.ndmp_error_name(values["error"]), values["status"]) == (
        "CONFIG_GET_HOST_INFO",
        "NOT_AUTHORIZED",
        "decoded",
    )
    answer = theirs(path, "-e", "_ws.malformed")
    assert answer is None or "Malformed" in answer[-1]


def test_11_how_a_backup_ended(tmp_path: Path) -> None:
    talk = [
        *opened(3),
        (0, record(0x409, u32(1), seq=2)),
        (1, record(0x409, listen_reply(3, SERVER[0], 50001), seq=3, answers=2)),
    ]
    talk += [(0, record(0x401, text("dump") + u32(0), seq=3)), (1, record(0x401, u32(0), seq=4, answers=3))]
    path = capture(tmp_path, [*talk, (1, record(0x501, u32(1) + text(""), seq=5))])
    (session,) = auditor.audit([path]).sessions
    assert (session.jobs[0].outcome, session.jobs[0].reason) == ("complete", "successful")


def test_12_other_authentications(tmp_path: Path) -> None:
    path = capture(
        tmp_path,
        [*opened(3), (0, record(0x901, u32(190) + text("x"), seq=2)), (1, record(0x901, u32(0), seq=3, answers=2))],
    )
    (session,) = auditor.audit([path]).sessions
    assert [(login.type, login.accepted) for login in session.authentication] == [("bews2", True)]


def test_13_the_data_connection_and_whose_it_is(tmp_path: Path) -> None:
    talk = [
        *opened(3),
        (0, record(0x409, u32(1), seq=2)),
        (1, record(0x409, listen_reply(3, SERVER[0], 50001), seq=3, answers=2)),
    ]
    data = (("10.0.1.5", 40001), (SERVER[0], 50001), [(1, b"payload")])
    path = capture(tmp_path, talk, more=[data])
    (session,) = auditor.audit([path]).sessions
    assert [(link.responder, link.grade) for link in session.data] == [("10.0.2.9:50001", "proved")]
    answer = theirs(path, "-e", "tcp.dstport")
    assert answer is None or not any("50001" in line for line in answer)


def test_14_a_capture_that_begins_inside_a_record(tmp_path: Path) -> None:
    whole = b"".join(record(0x400, seq=seq) for seq in range(10, 14))
    stops = b"".join(record(0x407, u32(0), seq=seq, answers=seq) for seq in (20, 21))
    writer = Writer()
    writer.tcp(SERVER, CLIENT, "PA", 5000, 1000, stops)
    writer.tcp(CLIENT, SERVER, "PA", 1000, 5000 + len(stops), whole[9:])
    path = writer.save(tmp_path / "scene.pcap")
    assert sorted(name for name, _ in ours(path)) == ["DATA_GET_STATE"] * 3 + ["DATA_STOP"] * 2
    assert [session.readable for session in auditor.audit([path]).sessions] == ["mid-stream"]


def test_15_fragments(tmp_path: Path) -> None:
    body = text("dump") + u32(333) + b"".join(text(f"NAME{n:04}") + text("v" * 8) for n in range(333))
    header = u32(2, NOW, 0, 0x401, 0, 0)
    first, rest = (header + body)[:3996], (header + body)[3996:]
    talk = [*opened(3), (0, u32(3996) + first), (0, u32(0x80000000 | len(rest)) + rest)]
    name, values = ours(capture(tmp_path, talk))[-1]
    assert (name, values["env_count"], values["status"]) == ("DATA_START_BACKUP", 333, "decoded")


def test_16_another_protocol_on_port_10000(tmp_path: Path) -> None:
    """IPsec over TCP: an ESP packet and its trailer of 16 bytes."""
    esp = bytes.fromhex("5a3c9e21 00000001") + bytes(range(64)) + bytes.fromhex("00000000 00000000 00000000 00000000")
    path = capture(tmp_path, [(0, esp), (1, esp), (0, esp)])
    assert ours(path) == []


def test_17_large_counters_are_not_negative(tmp_path: Path) -> None:
    numbers = u32(2, 0, 0, 10240, 0) + struct.pack(">5Q", 1 << 63, 0, 0, 0, 0)
    path = capture(
        tmp_path, [*opened(2), (0, record(0xA00, seq=2)), (1, record(0xA00, u32(0) + numbers, seq=3, answers=2))]
    )
    assert ours(path)[-1][1]["bytes_moved"] == 1 << 63


def test_18_several_messages_in_one_segment(tmp_path: Path) -> None:
    both = record(0x900, u32(3)) + record(0x108, seq=2) + record(0x400, seq=3)
    path = capture(tmp_path, [(1, greeting(3)), (0, both)])
    said = ours(path)
    assert [name for name, _ in said[1:]] == ["CONNECT_OPEN", "CONFIG_GET_SERVER_INFO", "DATA_GET_STATE"]
    assert len({values["packet"] for _, values in said[1:]}) == 1
    answer = theirs(path)
    assert answer is None or "CONNECT_OPEN" not in answer[-1]


def test_every_limit_of_the_list_has_its_test() -> None:
    numbers = {
        int(name.split("_")[1]) for name in globals() if name.startswith("test_") and name.split("_")[1].isdigit()
    }
    assert numbers | set(NOT_A_CAPTURE) == set(range(1, 19))
