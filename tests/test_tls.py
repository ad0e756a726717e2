"""TLS handshakes: against tshark's reading of real ones, and against the two ends of some that are made here."""

from __future__ import annotations

import contextlib
import csv
import shutil
import ssl
import subprocess
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

import auditor
from auditor import _native
from auditor.handshakes import cipher_text
from auditor.model import Report, TlsSummary
from tests.helpers.pcap import Writer, greeting
from tests.support import CAPTURES, SHARED

CORPUS = SHARED / "corpus"
REAL = (
    "nDPI/tests/cfgs/default/pcap/ocs.pcap",
    "nDPI/tests/cfgs/default/pcap/pinterest.pcap",
    "PcapPlusPlus/Tests/Pcap++Test/PcapExamples/sll2.pcap",
    "arkime/tests/pcap/http2-nghttp2.pcap",
)
CLIENT, SERVER = ("10.0.1.5", 49152), ("10.0.2.9", 10000)
NAMES = ("agent1.example", "10.0.2.9")


def tshark(path: Path, only: str, *fields: str) -> list[list[str]]:
    """Return the fields of each frame that passes a filter."""
    if not shutil.which("tshark"):
        pytest.skip("tshark is not installed")
    told = [word for field in fields for word in ("-e", field)]
    run = subprocess.run(
        ["tshark", "-r", path, "-n", "-Y", only, "-T", "fields", *told],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return list(csv.reader(run.stdout.splitlines(), delimiter="\t"))


def real(name: str) -> Path:
    path = CAPTURES / "tls" / "tls.pcap" if name == "tls" else CORPUS / name
    if not path.is_file():
        pytest.skip(f"{name} is not beside the checkout")
    return path


@pytest.mark.parametrize("name", ["tls", *REAL])
def test_hellos_agree_with_tshark(name: str) -> None:
    path = real(name)
    expected = tshark(path, "tls.handshake.type == 1", "tls.handshake.ja3", "tls.handshake.extensions_server_name")
    reading = _native.read_flows([str(path)])
    shown = [reading.tls_handshake(row) for row in range(len(reading.tls_flows()))]
    ours = Counter((one["ja3"], one["server_name"]) for one in shown if one["ja3"])
    assert ours == Counter((ja3, server) for ja3, server in expected)
    assert all(one["ja4"][:1] == "t" and len(one["ja4"]) == 36 for one in shown if one["ja3"])


@pytest.mark.parametrize("name", ["tls", *REAL])
def test_answers_agree_with_tshark(name: str) -> None:
    path = real(name)
    fields = ("tcp.stream", "tls.handshake.ciphersuite", "tls.handshake.extensions.supported_version")
    expected = {}
    for stream, cipher, version in tshark(path, "tls.handshake.type == 2", *fields):
        expected.setdefault(stream, (int(cipher.split(",")[0], 16), version.split(",")[0] == "0x0304"))
    reading = _native.read_flows([str(path)])
    shown = [reading.tls_handshake(row) for row in range(len(reading.tls_flows()))]
    ours = Counter((one["cipher"], one["version"] == 0x0304) for one in shown if one["version"])
    assert ours == Counter(expected.values())


def test_certificates_agree_with_tshark() -> None:
    path = real("nDPI/tests/cfgs/default/pcap/pinterest.pcap")
    expected = {
        names.split(",")[0]
        for (names,) in tshark(path, "tls.handshake.type == 11", "x509ce.dNSName")
        if names
    }  # fmt: skip
    reading = _native.read_flows([str(path)])
    shown = [reading.tls_handshake(row) for row in range(len(reading.tls_flows()))]
    ours = {one["server_certificate"]["names"][0] for one in shown if one["server_certificate"]}
    assert ours == expected != set()


@dataclass(frozen=True)
class Identity:
    """A certificate with its key, made by openssl."""

    path: Path
    start: str
    end: str


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    path = tmp_path_factory.mktemp("tls") / "agent.pem"
    subject = ["-subj", "/O=Lab, Ltd/CN=agent1", "-addext", f"subjectAltName=DNS:{NAMES[0]},IP:{NAMES[1]}"]
    key = ["-newkey", "rsa:2048", "-nodes", "-keyout", path, "-out", f"{path}.crt", "-days", "30"]
    subprocess.run(["openssl", "req", "-x509", *key, *subject], check=True, capture_output=True, timeout=60)
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    dates = subprocess.run(
        ["openssl", "x509", "-in", path, "-noout", "-dates", "-dateopt", "iso_8601"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    start, end = (line.partition("=")[2].replace(" ", "T") for line in dates.stdout.splitlines())
    return Identity(path, start, end)


def handshake(identity: Identity, newest: ssl.TLSVersion) -> tuple[list[tuple[bool, bytes]], ssl.SSLObject]:
    """Shake hands in memory; return what went over the wire (from the server?, bytes), and the client's view of it."""
    inner = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    inner.load_cert_chain(identity.path)
    inner.set_alpn_protocols(["ndmp/x"])
    outer = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    outer.check_hostname, outer.verify_mode = False, ssl.CERT_NONE
    outer.set_alpn_protocols(["ndmp/x", "other"])
    outer.maximum_version = newest
    pipes = [ssl.MemoryBIO() for _ in range(4)]
    client = outer.wrap_bio(pipes[0], pipes[1], server_hostname="agent1.example")
    server = inner.wrap_bio(pipes[2], pipes[3], server_side=True)
    sent: list[tuple[bool, bytes]] = []
    for turn in range(12):
        from_server = bool(turn % 2)
        end, out, there = (server, pipes[3], pipes[0]) if from_server else (client, pipes[1], pipes[2])
        with contextlib.suppress(ssl.SSLWantReadError):
            end.do_handshake()
        if data := out.read():
            sent.append((from_server, data))
            there.write(data)
    return sent, client


def record(code: int, body: bytes = b"", *, sequence: int = 1, reply: bool = False) -> bytes:
    header = b"".join(word.to_bytes(4, "big") for word in (sequence, 0, int(reply), code, sequence if reply else 0, 0))
    return (0x8000_0000 | 24 + len(body)).to_bytes(4, "big") + header + body


START = record(0x900, bytes((0, 0, 0, 3)))
STARTED = record(0x900, bytes(4), reply=True)


def audited(tmp_path: Path, said: list[tuple[bool, bytes]], start: int = 1_700_000_000_000) -> Report:
    """Audit a connection on which all of this was said, under a policy that declares both ends."""
    traffic = Writer(start)
    traffic.connection(CLIENT, SERVER, said)
    policy = tmp_path / "policy.yaml"
    policy.write_text("zones:\n  media-servers: [10.0.1.5]\n  agents: [10.0.2.9]\n")
    return auditor.audit([str(traffic.save(tmp_path / "made.pcap"))], policy_path=str(policy))


def shown(report: Report) -> tuple[TlsSummary, ...]:
    (session,) = report.sessions
    return session.tls_details


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}


def clear_then(*handshakes: list[tuple[bool, bytes]]) -> list[tuple[bool, bytes]]:
    """An NDMP session that goes over to TLS, once or more often, with clear messages before each."""
    said: list[tuple[bool, bytes]] = [(True, greeting())]
    for sent in handshakes:
        said += [(False, START), (True, STARTED), *sent]
    return said


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_that_begins_inside_a_control_connection(
    identity: Identity, tmp_path: Path, newest: ssl.TLSVersion
) -> None:
    sent, client = handshake(identity, newest)
    report = audited(tmp_path, clear_then(sent))
    (told,) = shown(report)
    agreed = client.cipher()
    assert agreed is not None
    hidden = newest is ssl.TLSVersion.TLSv1_3
    assert told.version == (client.version() or "").replace("TLSv", "TLS ")
    assert (told.connection, told.server_name, told.alpn_offered) == ("control", "agent1.example", ("ndmp/x", "other"))
    assert told.alpn == ("" if hidden else "ndmp/x")
    # OpenSSL and IANA agree in the names of TLS 1.3; before, the certificate's kind and the hash say enough.
    assert told.cipher.endswith(agreed[0].removeprefix("TLS_").split("-")[-1])
    assert told.ja4.startswith("t13d" if hidden else "t12d")
    certificate = told.server_certificate
    if hidden:
        assert certificate is None
    else:
        assert certificate is not None
        assert certificate.names == NAMES
        assert certificate.subject == certificate.issuer == "CN=agent1,O=Lab\\, Ltd"
        assert (certificate.not_before, certificate.not_after) == (identity.start, identity.end)
        assert certificate.self_issued
    assert "BX611" not in codes(report)


def test_tls_from_the_first_byte(identity: Identity, tmp_path: Path) -> None:
    sent, client = handshake(identity, ssl.TLSVersion.TLSv1_2)
    (told,) = shown(audited(tmp_path, sent))
    assert (told.version, told.alpn) == ("TLS 1.2", client.selected_alpn_protocol())
    assert told.server_certificate is not None


def test_tls_that_begins_twice(identity: Identity, tmp_path: Path) -> None:
    sent, _ = handshake(identity, ssl.TLSVersion.TLSv1_2)
    report = audited(tmp_path, clear_then(sent, sent))
    assert [told.notes for told in shown(report)] == [(), ("handshake 2 of this connection",)]
    assert "BX611" in codes(report)


@pytest.mark.parametrize(("days", "valid"), [(-1, False), (1, True), (29, True), (31, False)])
def test_a_certificate_is_held_against_the_time_of_the_capture(
    identity: Identity, tmp_path: Path, days: int, valid: bool
) -> None:
    """It was made for 30 days from its first second on."""
    sent, _ = handshake(identity, ssl.TLSVersion.TLSv1_2)
    start = datetime.fromisoformat(identity.start).timestamp() + days * 86_400
    report = audited(tmp_path, clear_then(sent), int(start * 1000))
    (told,) = shown(report)
    assert told.server_certificate is not None
    assert told.server_certificate.valid == valid
    assert ("BX613" in codes(report)) != valid


def test_an_old_version_is_told(identity: Identity, tmp_path: Path) -> None:
    """A server's hello with its version turned back to TLS 1.0, as an old agent sends it."""
    sent, _ = handshake(identity, ssl.TLSVersion.TLSv1_2)
    old = [(who, data[:9] + b"\x03\x01" + data[11:] if who and data[5:6] == b"\x02" else data) for who, data in sent]
    assert old != sent
    report = audited(tmp_path, clear_then(old))
    assert shown(report)[0].version == "TLS 1.0"
    assert "BX612" in codes(report)


def test_names_of_cipher_suites_are_those_of_openssl() -> None:
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    listed = subprocess.run(
        ["openssl", "ciphers", "-V", "-stdname", "ALL:@SECLEVEL=0"], capture_output=True, text=True, check=True
    )
    known = 0
    for line in listed.stdout.splitlines():
        code, _, name = line.partition(" - ")
        high, low = (int(byte, 16) for byte in code.strip().split(","))
        ours = cipher_text(high << 8 | low)
        if not ours.startswith("0x"):
            known += 1
            assert ours == name.split()[0]
    assert known > 20
