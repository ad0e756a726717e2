"""Security of control connections from packets to findings: bytes written by hand after the public descriptions."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from auditor.pipeline import AuditOptions, audit
from auditor.report.interface import RenderOptions
from auditor.report.json_ import render
from tests.helpers.pcap import Writer, greeting
from tests.support import run_auditor

MEDIA, AGENT, STRANGER = "10.0.1.5", "10.0.2.9", "10.0.8.4"
START = 1_767_225_600
"""2026-01-01 00:00:00 UTC: the captures begin here."""
CONSTANT = bytes.fromhex("b4b80f26205c423403fcaeee8f913d6f")
"""The digest that tools for CVE-2005-2611 send for root (the published module's hexadecimal)."""
POLICY = f"""
zones:
  media-servers: [{MEDIA}]
  agents: {{hosts: [{AGENT}], dynamic_ports: 50100-50124}}
  guests: {{hosts: [{STRANGER}], role: other}}
"""
AUTH, SSL, ATTR = 0x901, 0xF383, 0x103


def u32(*numbers: int) -> bytes:
    return struct.pack(f">{len(numbers)}I", *numbers)


def text(value: bytes) -> bytes:
    return u32(len(value)) + value + bytes(-len(value) % 4)


def record(sequence: int, code: int, body: bytes, *, answers: int = 0) -> bytes:
    head = u32(sequence, START, int(answers > 0), code, answers, 0)
    return u32(0x80000000 | len(head + body)) + head + body


def login(who: bytes, digest: bytes) -> bytes:
    return record(1, AUTH, u32(2) + text(who) + digest)


def exchange(opcode: int, pem: bytes) -> bytes:
    names = text(b"MEDIA") + text(b"media.example") + text(b"10.0.1.5")
    return record(1, SSL, u32(opcode) + names + u32(1, 2, 0, 0, len(pem)) + text(pem) + u32(0) + text(b""))


def report(folder: Path, client: str, talk: list[tuple[int, bytes]], *, policy: str = POLICY) -> dict[str, Any]:
    """Audit one control connection; ``talk`` begins after the greeting."""
    writer = Writer(START * 1000)
    writer.connection((client, 40000), (AGENT, 10000), [(1, greeting()), *talk])
    capture = writer.save(folder / "talk.pcap")
    (folder / "policy.yaml").write_text(policy)
    written = render(
        audit([capture], policy_path=folder / "policy.yaml", options=AuditOptions(flows=False)), RenderOptions()
    )
    assert CONSTANT.hex().encode() not in written
    found: dict[str, Any] = json.loads(written)
    return found


def severities(found: dict[str, Any]) -> dict[str, str]:
    return {finding["code"]: finding["severity"] for finding in found["findings"]}


REFUSED = (1, record(2, AUTH, u32(4), answers=1))
ACCEPTED = (1, record(2, AUTH, u32(0), answers=1))


@pytest.mark.parametrize(("answer", "severity"), [(REFUSED, "high"), (ACCEPTED, "critical")])
def test_the_constant_digest_of_cve_2005_2611(tmp_path: Path, answer: tuple[int, bytes], severity: str) -> None:
    found = severities(report(tmp_path, MEDIA, [(0, login(b"root", CONSTANT)), answer]))
    assert found["BX617"] == severity
    assert "BX606" not in found


def test_asking_for_a_challenge_first_hides_no_constant(tmp_path: Path) -> None:
    asked = [(0, record(1, ATTR, u32(2))), (1, record(2, ATTR, u32(0, 2) + bytes(64), answers=1))]
    found = severities(report(tmp_path, MEDIA, [*asked, (0, login(b"root", CONSTANT)), REFUSED]))
    assert found["BX617"] == "high"
    other = severities(report(tmp_path, MEDIA, [*asked, (0, login(b"root", CONSTANT[::-1])), REFUSED]))
    assert not {"BX606", "BX617"} & set(other)


@pytest.mark.parametrize(
    ("who", "digest", "expected"),
    [(b"root", CONSTANT[:-1] + b"\0", {"BX606"}), (b"backup", CONSTANT, set()), (b"root", bytes(16), {"BX606"})],
    ids=["one byte differs", "another name", "zeros"],
)
def test_other_digests(tmp_path: Path, who: bytes, digest: bytes, expected: set[str]) -> None:
    found = severities(report(tmp_path, MEDIA, [(0, login(who, digest)), REFUSED]))
    assert {"BX606", "BX617"} & set(found) == expected


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> dict[int, tuple[bytes, str, str]]:
    """Return certificates made by openssl, by their validity in days: PEM, and first and last second as it prints them."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    folder, made = tmp_path_factory.mktemp("authorities"), {}
    for days in (21, 3650):
        path = folder / f"{days}.pem"
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/O=Example/CN=VeritasBE"]
        command += ["-keyout", str(folder / "key"), "-out", str(path), "-days", str(days)]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        dates = ["openssl", "x509", "-in", str(path), "-noout", "-startdate", "-enddate"]
        printed = subprocess.run(dates, check=True, capture_output=True, text=True, timeout=60).stdout.splitlines()
        first, last = (datetime.strptime(line.partition("=")[2], "%b %d %H:%M:%S %Y GMT") for line in printed)  # noqa: DTZ007
        made[days] = (path.read_bytes(), *(f"{day.replace(tzinfo=UTC):%Y-%m-%dT%H:%M:%SZ}" for day in (first, last)))
    return made


@pytest.mark.parametrize(("days", "severity"), [(21, "high"), (3650, "info")])
def test_trust_of_an_undeclared_host_with_a_real_certificate(
    tmp_path: Path, authorities: dict[int, tuple[bytes, str, str]], days: int, severity: str
) -> None:
    pem, first, last = authorities[days]
    assert len(pem) > 1000
    found = report(tmp_path, STRANGER, [(0, exchange(3, pem)), (1, record(2, SSL, u32(0, 0, 0, 0), answers=1))])
    (finding,) = (one for one in found["findings"] if one["code"] == "BX608")
    assert finding["severity"] == severity
    assert "CN=VeritasBE,O=Example" in finding["message"]
    # Handshake, greeting, then the message: packet 5.
    assert 5 in finding["evidence"][0]["packets"]
    authority = found["sessions"][0]["authority"]
    assert (authority["subject"], authority["not_before"], authority["not_after"]) == (
        "CN=VeritasBE,O=Example",
        first,
        last,
    )
    assert authority["self_issued"]
    shown = run_auditor("sessions", tmp_path / "talk.pcap", "-v").out
    assert f"certificate CN=VeritasBE,O=Example, issued by itself, {first[:10]}" in " ".join(shown.split())


def test_a_media_server_may_deliver_its_authority(
    tmp_path: Path, authorities: dict[int, tuple[bytes, str, str]]
) -> None:
    found = report(tmp_path, MEDIA, [(0, exchange(3, authorities[3650][0]))])
    assert "BX608" not in severities(found)
    assert found["sessions"][0]["authority"]["subject"] == "CN=VeritasBE,O=Example"


@pytest.mark.parametrize("opcode", [2, 3])
def test_the_exchange_counts_without_a_readable_certificate(tmp_path: Path, opcode: int) -> None:
    found = report(
        tmp_path, STRANGER, [(0, exchange(opcode, b"-----BEGIN CERTIFICATE-----\nnothing\n" * (opcode - 2)))]
    )
    assert severities(found)["BX608"] == "info"
    assert found["sessions"][0]["authority"] is None


def test_a_stranger_whom_a_term_lets_in(tmp_path: Path) -> None:
    allowed = f"{POLICY}\nterms:\n  - {{name: guest, source: guests, destination: agents, transport: tcp, ports: [10000], action: permit}}\n"
    found = report(tmp_path, STRANGER, [(0, exchange(2, b""))], policy=allowed)
    assert severities(found)["BX608"] == "medium"
