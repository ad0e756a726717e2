"""``--decoder tshark``: the same report where both know the link type, a report where only Wireshark does.

What must come out is what our own decoder says of the same packets under a link type that it knows; that one is held
against tshark's counters elsewhere (test_tshark.py). How frames look under the other link types is in their standards.
"""

from __future__ import annotations

import binascii
import gzip
import json
import os
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from auditor.pipeline import AuditOptions
from auditor.pipeline.auditing import audit_flows
from tests.helpers.pcap import Pcap, Writer
from tests.support import CAPTURES, COMMAND, run_auditor

with_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
OWN = CAPTURES / "out-of-range"
MEDIA, AGENT = ("10.0.1.5", 40000), ("10.0.2.9", 10000)
MPACKET, UPPER_PDU, LOWPAN = 274, 252, 195


def audited(path: Path | str, *more: str | Path, stdin: bytes | None = None) -> tuple[int, Any, str]:
    if stdin is None:
        done = run_auditor("audit", path, "--format", "json", "--no-progress", *more)
        return done.code, json.loads(done.out), done.err
    ran = subprocess.run([COMMAND, "audit", path, "--format", "json", *more], input=stdin, capture_output=True)
    return ran.returncode, json.loads(ran.stdout), ran.stderr.decode()


def ends_of(path: Path) -> set[str]:
    """Return the addresses of all flows, as they are read through tshark."""
    _, table = audit_flows([path], options=AuditOptions(decoder="tshark"))
    return {table.address_text(code) for end in ("orig_addr", "resp_addr") for code in table[end].tolist()}


def relinked(capture: Path, link: int, wrap: Callable[[bytes], bytes], out: Path) -> Path:
    """Write the frames of a little-endian capture anew under another link type."""
    pcap = Pcap.read(capture)
    written = [pcap.header[:20] + struct.pack("<I", link)]
    for record in pcap.records:
        frame = wrap(record[16:])
        written.append(record[:8] + struct.pack("<II", len(frame), len(frame)) + frame)
    out.write_bytes(b"".join(written))
    return out


def as_mpacket(frame: bytes) -> bytes:
    """Return an Ethernet frame as IEEE 802.3br sends it: preamble, delimiter, frame, checksum."""
    return b"\x55" * 7 + b"\xd5" + frame + binascii.crc32(frame).to_bytes(4, "little")


def as_upper_pdu(frame: bytes) -> bytes:
    """Return a frame behind the tags of LINKTYPE_WIRESHARK_UPPER_PDU: the name of a dissector, and the end."""
    ip = frame[12:14] == b"\x08\x00"
    return struct.pack(">HH4sHH", 12, 4, b"ip\0\0" if ip else b"eth\0", 0, 0) + frame[14 if ip else 0 :]


@with_tshark
@pytest.mark.parametrize("name", ["vlan", "tunnels", "sessions-ipv6"])
def test_a_known_link_type_gives_the_same_report(name: str) -> None:
    (path,) = (CAPTURES / name).glob("*.pcap*")
    policy = CAPTURES / name / "policy.yaml"
    code, own, _ = audited(path, "--policy", policy)
    other_code, other, _ = audited(path, "--policy", policy, "--decoder", "tshark")
    for capture in other["captures"]:
        assert capture["format"].endswith(", dissected by tshark")
        capture["format"] = capture["format"].removesuffix(", dissected by tshark")
    assert (other_code, other) == (code, own)


@with_tshark
@pytest.mark.parametrize(("link", "wrap"), [(MPACKET, as_mpacket), (UPPER_PDU, as_upper_pdu)])
def test_a_link_type_that_we_lack_is_audited(tmp_path: Path, link: int, wrap: Callable[[bytes], bytes]) -> None:
    policy = ("--policy", OWN / "policy.yaml")
    code, known, _ = audited(OWN / "out-of-range.pcap", *policy)
    path = relinked(OWN / "out-of-range.pcap", link, wrap, tmp_path / "other.pcap")
    lacking, without, said = audited(path, *policy)
    assert lacking == 3, "nothing of Backup Exec was seen"
    assert without["captures"][0]["problems"] == {"unsupported-link-type": 1252}
    assert "help: Wireshark may know them: --decoder tshark" in said
    found, report, said = audited(path, *policy, "--decoder", "tshark")
    assert (found, said) == (code, "") == (1, "")
    # ARP is in six frames, as tshark's display filter says of the original.
    assert report["captures"][0]["problems"] == {"not-ip": 6}
    for part in ("findings", "sessions", "verdict"):
        text = json.dumps(report[part]).replace(str(path), str(OWN / "out-of-range.pcap"))
        assert text == json.dumps(known[part]), part


@with_tshark
def test_what_wireshark_decompresses_is_audited(tmp_path: Path) -> None:
    """6LoWPAN (RFC 6282): addresses out of the link header, UDP in line; no IPv6 header stands in the frame."""
    # Data frame of IEEE 802.15.4 with PAN identifiers compressed, extended addresses; IPHC: no traffic class, next header
    # in line, hop limit 64, both addresses derived from the link.
    link = struct.pack("<HBH", 0xDC41, 1, 0xABCD) + bytes(range(8)) + bytes(range(8, 16))
    iphc = bytes([0x7A, 0x33, 17])
    udp = struct.pack(">HHHH", 40000, 10000, 12, 0) + b"ping"
    frame = link + iphc + udp
    frame += _fcs(frame)
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, LOWPAN)
    path = tmp_path / "lowpan.pcap"
    path.write_bytes(header + struct.pack("<IIII", 1_700_000_000, 0, len(frame), len(frame)) + frame)
    shown = subprocess.run(
        ["tshark", "-n", "-r", path, "-T", "fields", "-e", "ipv6.src", "-e", "ipv6.dst", "-e", "udp.dstport"],
        capture_output=True,
        text=True,
    ).stdout.split()
    assert shown[2:] == ["10000"]
    assert ends_of(path) == set(shown[:2])


def _fcs(frame: bytes) -> bytes:
    """Return the checksum of IEEE 802.15.4: CRC-16 of ITU-T, bits reversed."""
    value = 0
    for byte in frame:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x8408 if value & 1 else 0)
    return struct.pack("<H", value)


@with_tshark
def test_damage_compression_and_pipes_change_nothing(tmp_path: Path) -> None:
    """Containers are ours whoever dissects: a damaged one is read on, and packets keep their numbers."""
    data = bytearray((OWN / "out-of-range.pcap").read_bytes())
    ends = Pcap.read(OWN / "out-of-range.pcap").ends()
    data[ends[100] + 8 : ends[100] + 12] = b"\xff\xff\xff\x7f"
    data[ends[600] + 8 : ends[600] + 12] = b"\xff\xff\xff\x7f"
    (tmp_path / "damaged.pcap").write_bytes(data)
    (tmp_path / "damaged.pcap.gz").write_bytes(gzip.compress(bytes(data)))
    for path in (tmp_path / "damaged.pcap", tmp_path / "damaged.pcap.gz"):
        code, own, said = audited(path)
        other_code, other, other_said = audited(path, "--decoder", "tshark")
        other["captures"][0]["format"] = own["captures"][0]["format"]
        assert (other_code, other_said, other) == (code, said, own)
        assert own["captures"][0]["packets"] == 1250
    code, piped, _ = audited("-", "--decoder", "tshark", stdin=bytes(data))
    assert code == 3
    assert piped["captures"][0]["packets"] == 1250


@with_tshark
def test_settings_of_the_user_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    capture = Writer()
    capture.connection(MEDIA, AGENT, [])
    path = capture.save(tmp_path / "one.pcap")
    (tmp_path / "settings").mkdir()
    (tmp_path / "settings" / "disabled_protos").write_text("ip\n")
    monkeypatch.setenv("WIRESHARK_CONFIG_DIR", str(tmp_path / "settings"))
    shown = subprocess.run(["tshark", "-r", path, "-Y", "ip"], capture_output=True, text=True).stdout
    assert shown == "", "the setting works where it is heeded"
    assert ends_of(path) == {MEDIA[0], AGENT[0]}


def test_without_tshark_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = run_auditor("audit", OWN / "out-of-range.pcap", "--decoder", "tshark")
    assert (done.code, done.out) == (2, "")
    assert "tshark is not installed" in done.err
    assert len(done.err.splitlines()) == 2


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("exit 7", "it ended (exit status: 7)"),
        ("kill -11 $$", "it ended (signal: 11"),
        ("cat > /dev/null; echo nonsense", "it answers in another form than was asked for"),
        ("cat > /dev/null; head -c 3000000 /dev/zero", "it printed a line without end"),
        ("exec < /dev/null; yes ''", "it answers in another form than was asked for"),
    ],
)
def test_a_tshark_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, why: str) -> None:
    """No answer is no clean capture: partial, exit 3, and in words why."""
    program = tmp_path / "tshark"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    code, report, said = audited(OWN / "out-of-range.pcap", "--decoder", "tshark")
    (capture,) = report["captures"]
    assert (code, capture["status"]) == (3, "partial")
    assert capture["problems"]["dissector-failed"] == 1
    assert f"tshark cannot go on: {why}" in capture["error"]
    assert "cannot go on" in said
