"""``auditor crosscheck``: agreement with tshark, a cause only where it holds, and plain words where something lacks.

tshark is the other side of every comparison; what it must say of these files follows from how they are made.
"""

from __future__ import annotations

import json
import shutil
import struct
from pathlib import Path
from typing import Any

import pytest

from auditor.dissection import is_usable
from tests.helpers.pcap import Pcap, Writer
from tests.support import CAPTURES, run_auditor

with_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
MEDIA, AGENT = ("10.0.1.5", 40000), ("10.0.2.9", 10000)


def document(path: Path, code: int, through: str = "tshark") -> Any:
    done = run_auditor("crosscheck", path, "--format", "json", "--through", through)
    assert done.code == code, done.err
    (result,) = json.loads(done.out)["crosscheck"]
    return result


@with_tshark
@pytest.mark.parametrize("name", ["tunnels", "vlan", "sessions-ipv6", "two-way"])
def test_our_captures_agree(name: str) -> None:
    (path,) = (CAPTURES / name).glob("*.pcap")
    result = document(path, 0)
    assert result["differences"] == []
    assert result["agreed"] == result["flows"] == result["conversations"] > 0
    assert result["tshark"].startswith("TShark")


@with_tshark
@pytest.mark.skipif(not is_usable(), reason="pyshark is not installed")
def test_through_pyshark_it_is_the_same(tmp_path: Path) -> None:
    """Tunnels, IPv6, a header that lies about its length and a packet without a time, by both ways to tshark."""
    (tunnels,) = (CAPTURES / "tunnels").glob("*.pcap")
    plain = Writer()
    plain.udp(MEDIA, ("10.0.2.9", 4000), b"sound")
    plain.udp(MEDIA, ("10.0.2.9", 4001), b"too short")
    pcap = Pcap.read(plain.save(tmp_path / "plain.pcap"))
    frame = pcap.records[0][16:]
    body = struct.pack("<I", len(frame)) + frame + bytes(-len(frame) % 4)
    odd = bytearray(pcap.as_pcapng() + struct.pack("<II", 3, 12 + len(body)) + body + struct.pack("<I", 12 + len(body)))
    at = odd.index(b"too short")
    odd[at - 4 : at - 2] = b"\x00\x03"  # UDP's length, 8 at least
    (tmp_path / "odd.pcapng").write_bytes(odd)
    for path in (tunnels, tmp_path / "odd.pcapng"):
        lines, objects = document(path, 0), document(path, 0, "pyshark")
        assert objects.pop("tshark").startswith(f"{lines.pop('tshark')} through pyshark ")
        assert objects == lines
    assert {difference["cause"] for difference in lines["differences"]} == {"malformed", "no times"}
    (tmp_path / "cut.pcap").write_bytes(tunnels.read_bytes()[:-3])
    assert "cut" in document(tmp_path / "cut.pcap", 3, "pyshark")["tshark_complaint"]


@with_tshark
def test_snmp_is_cut_by_tshark(tmp_path: Path) -> None:
    capture = Writer()
    # GetRequest and GetResponse of SNMP version 1, by the letter of RFC 1157, without variables.
    for kind, (one, other) in ((0xA0, (MEDIA, ("10.0.2.9", 161))), (0xA2, (("10.0.2.9", 161), MEDIA))):
        pdu = bytes([kind, 11, 2, 1, 1, 2, 1, 0, 2, 1, 0, 0x30, 0])
        body = bytes([2, 1, 0, 4, 6]) + b"public" + pdu
        capture.udp(one, other, bytes([0x30, len(body)]) + body)
    result = document(capture.save(tmp_path / "snmp.pcap"), 0)
    assert [difference["cause"] for difference in result["differences"]] in ([], ["SNMP"])  # [] from tshark 4.2 on


@with_tshark
def test_packets_without_times_are_a_cause(tmp_path: Path) -> None:
    capture = Writer()
    capture.udp(MEDIA, AGENT, b"one")
    plain = capture.save(tmp_path / "plain.pcap")
    frame = Pcap.read(plain).records[0][16:]
    body = struct.pack("<I", len(frame)) + frame + bytes(-len(frame) % 4)
    simple = struct.pack("<II", 3, 12 + len(body)) + body + struct.pack("<I", 12 + len(body))
    path = tmp_path / "simple.pcapng"
    path.write_bytes(Pcap.read(plain).as_pcapng() + simple)
    (difference,) = document(path, 0)["differences"]
    assert difference["cause"] == "no times"
    assert difference["ours"]["packets_a"] == difference["tshark"]["packets_a"] == 2


@with_tshark
def test_an_impossible_length_is_malformed_to_tshark(tmp_path: Path) -> None:
    capture = Writer()
    capture.udp(MEDIA, ("10.0.2.9", 4000), b"sound")
    path = capture.save(tmp_path / "short.pcap")
    data = bytearray(path.read_bytes())
    data[24 + 16 + 14 + 20 + 4 : 24 + 16 + 14 + 20 + 6] = b"\x00\x03"  # UDP's length, 8 at least
    path.write_bytes(data)
    (difference,) = document(path, 0)["differences"]
    assert (difference["cause"], difference["tshark"], difference["ours"]["packets_a"]) == ("malformed", None, 1)


@with_tshark
def test_a_difference_without_a_cause_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tshark that loses a packet of a sound capture: nothing explains it, so nothing is said to."""
    real = shutil.which("tshark")
    folder = tmp_path / "bin"
    folder.mkdir()
    liar = folder / "tshark"
    liar.write_text(f'#!/bin/sh\n"{real}" "$@" | tail -n +2\n', encoding="utf-8")
    liar.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    capture = Writer()
    capture.connection(MEDIA, AGENT, [(0, b"hello")])
    result = document(capture.save(tmp_path / "sound.pcap"), 1)
    assert [difference["cause"] for difference in result["differences"]] == ["unexplained"]


@with_tshark
def test_a_cut_capture_is_inconclusive(tmp_path: Path) -> None:
    capture = Writer()
    capture.connection(MEDIA, AGENT, [(0, b"hello")])
    path = capture.save(tmp_path / "cut.pcap")
    path.write_bytes(path.read_bytes()[:-3])
    done = run_auditor("crosscheck", path)
    assert done.code == 3
    assert "tshark could not read it to its end" in done.err


@with_tshark
def test_what_is_no_capture_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "-x.txt"
    path.write_text("no capture\n", encoding="utf-8")
    done = run_auditor("crosscheck", path)
    assert (done.code, "is not a capture" in done.err) == (3, True)


def test_without_tshark_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = run_auditor("crosscheck", CAPTURES / "vlan" / "vlan.pcap")
    assert done.code == 2
    assert "tshark is not installed" in done.err
    assert "Traceback" not in done.err


@with_tshark
def test_standard_input_is_refused() -> None:
    done = run_auditor("crosscheck", "-")
    assert (done.code, "name a file" in done.err) == (2, True)
