"""Names of hosts: against tshark's reading of real traffic, and in the report."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

import auditor
from auditor import _native
from auditor.flows import FlowTable
from auditor.model import NameEvidence
from auditor.notation import parse
from auditor.traffic_names import TrafficNames
from tests.helpers.pcap import Pcap, Writer, greeting
from tests.report_samples import HOSTILE
from tests.support import CAPTURES, SHARED, run_auditor
from tests.test_tls import tshark

CORPUS = SHARED / "corpus"


def told(path: Path) -> set[tuple[str, str, str]]:
    """Return the names of a capture: address, where it stood, name."""
    reading = _native.read_flows([str(path)])
    columns = reading.names()
    return {
        (reading.address_text(int(code)), _native.NAME_KINDS[kind], text)
        for code, kind, text in zip(columns["address"], columns["kind"], reading.name_texts(), strict=True)
    }


@pytest.mark.parametrize("name", ["notification", "notification-ipv6", "services"])
def test_what_mail_calls_itself_agrees_with_tshark(name: str) -> None:
    (path,) = (CAPTURES / name).glob("*.pcap")
    family = "ipv6" if name.endswith("ipv6") else "ip"
    fields = (f"{family}.src", "smtp.req.parameter", "smtp.rsp.parameter")
    only = 'smtp.req.command matches "(?i)^(ehlo|helo)$" || smtp.response.code == 220'
    # A greeting that does not say SMTP may be that of FTP: it names nobody.
    expected = {
        (source, "smtp", (said or greeted).split()[0])
        for source, said, greeted in tshark(path, only, *fields)
        if said or "SMTP" in greeted
    }
    assert {row for row in told(path) if row[1] == "smtp"} == expected != set()


def test_netbios_names_agree_with_tshark() -> None:
    path = CAPTURES / "services" / "services.pcap"
    answers = tshark(path, "nbns.flags.response == 1 && nbns.addr", "nbns.addr", "nbns.name")
    expected = {(address, "netbios", name.split("<")[0]) for address, name in answers}
    assert {row for row in told(path) if row[1] == "netbios"} == expected != set()


@pytest.mark.parametrize(
    "name",
    [
        "nDPI/tests/cfgs/default/pcap/ocs.pcap",
        "dnscap/src/test/frags.pcap",
        "dpkt/examples/data/truncated_dns_2.pcap",
        "zeek/testing/btest/Traces/dns-inverse-query.pcap",
        "kholia-my-pcaps/captures/b6300a.cap",
        "pcapng-test-generator/output_le/basic/test001.pcapng",
    ],
)
def test_answers_in_real_traffic_agree_with_tshark(name: str) -> None:
    path = CORPUS / name
    if not path.is_file():
        pytest.skip(f"{name} is not beside the checkout")
    reading = _native.read_flows([str(path)])
    ends = {reading.address_text(code) for code in range(len(reading.addresses()))}
    frames = tshark(
        path, "dns.a && dns.flags.response == 1 && !nbns && !icmp", "dns.a", "dns.resp.name", "dns.resp.type"
    )
    expected = set()
    for addresses, names, kinds in frames:
        owners = [owner for owner, kind in zip(names.split(","), kinds.split(","), strict=False) if kind == "1"]
        expected |= {(a, "dns", owner) for a, owner in zip(addresses.split(","), owners, strict=False) if a in ends}
    assert {row for row in told(path) if row[1] == "dns"} == expected


def dns_answer(name: str, address: bytes) -> bytes:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"
    kind = b"\0\x01" if len(address) == 4 else b"\0\x1c"
    head = bytes.fromhex("123481800001000100000000")
    return head + labels + kind + b"\0\x01\xc0\x0c" + kind + b"\0\x01\0\0\0\x3c\0" + bytes([len(address)]) + address


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """A resolver tells the agent's name and a stranger's; the agent answers on the NDMP port."""
    traffic = Writer()
    traffic.udp(("10.0.3.1", 53), ("10.0.1.5", 40000), dns_answer("agent7.example", bytes((10, 0, 2, 9))))
    traffic.udp(("10.0.3.1", 53), ("10.0.1.5", 40001), dns_answer("stranger.example", bytes((192, 0, 2, 1))))
    traffic.udp(("10.0.3.1", 53), ("10.0.1.5", 40002), dns_answer("evil\x1b[2J<b>.example", bytes((10, 0, 2, 9))))
    traffic.connection(("10.0.1.5", 49152), ("10.0.2.9", 10000), [(True, b"?"), (False, b"!")])
    return traffic.save(tmp_path / "made.pcap")


def policy(tmp_path: Path, hosts: str = "") -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(f"zones:\n  media-servers: [10.0.1.5]\n  agents: [10.0.2.9]\n{hosts}")
    return path


def test_a_host_is_called_what_dns_calls_it(capture: Path, tmp_path: Path) -> None:
    report = auditor.audit([str(capture)], policy_path=str(policy(tmp_path)))
    hosts = {host.address: host for host in report.hosts}
    assert hosts["10.0.2.9"].name == ""
    first, second = hosts["10.0.2.9"].names
    assert first == NameEvidence("agent7.example", "dns", 1, str(capture))
    assert second.name == "evil\\027[2J<b>.example"
    assert "192.0.2.1" not in hosts, "an address that nobody spoke with is no host"


def test_names_change_no_verdict(capture: Path, tmp_path: Path) -> None:
    with_names = auditor.audit([str(capture)], policy_path=str(policy(tmp_path)))
    silent = Writer()
    for port in (40000, 40001, 40002):
        silent.udp(("10.0.3.1", 53), ("10.0.1.5", port), b"nothing")
    silent.connection(("10.0.1.5", 49152), ("10.0.2.9", 10000), [(True, b"?"), (False, b"!")])
    without = auditor.audit([str(silent.save(tmp_path / "silent.pcap"))], policy_path=str(policy(tmp_path)))
    assert with_names.verdict == without.verdict
    assert [finding.key for finding in with_names.findings] == [finding.key for finding in without.findings]


def test_the_policys_own_name_comes_first(capture: Path, tmp_path: Path) -> None:
    named = policy(tmp_path, 'hosts:\n  "10.0.2.9": {name: filesrv}\n')
    wide = run_auditor("audit", capture, "--policy", named, "--exit-zero", "--no-progress", "-v")
    assert wide.out.index("filesrv") < wide.out.index("agent7.example")


def test_every_format_escapes_a_hostile_name(capture: Path, tmp_path: Path) -> None:
    named = policy(tmp_path)
    text = run_auditor("audit", capture, "--policy", named, "--exit-zero", "--no-progress", "-v")
    assert "\x1b" not in text.out
    assert "called agent7.example" in " ".join(text.out.split())
    page = run_auditor("audit", capture, "--policy", named, "--exit-zero", "--no-progress", "--format", "html")
    assert "<b>.example" not in page.out
    assert "agent7.example (dns, packet 1)" in page.out
    document = json.loads(
        run_auditor("audit", capture, "--policy", named, "--exit-zero", "--no-progress", "--format", "json").out
    )
    assert [one["kind"] for host in document["hosts"] for one in host["names"]] == ["dns", "dns"]


def test_names_of_the_capture_file_are_added() -> None:
    table: FlowTable = parse("10.0.1.5:40000 > 10.0.2.9:10000 tcp SF").table
    names = TrafficNames()
    names.add_file_names(table, {"a.pcapng": [("10.0.2.9", HOSTILE), ("10.0.2.9", "10.0.2.9"), ("10.9.9.9", "x")]})
    (code,) = table.address_codes("10.0.2.9").tolist()
    assert names.of(code) == (NameEvidence(HOSTILE, "capture-file", 0, "a.pcapng"),)


def test_the_name_block_of_a_pcapng_names_hosts_and_judges_nothing(tmp_path: Path) -> None:
    """The block by the letter of the format: record type, length, address, names that end in zero; type 0 the end."""
    capture = Writer()
    capture.connection(("10.0.1.5", 40000), ("10.0.2.9", 10000), [(1, greeting())])
    plain = tmp_path / "plain.pcapng"
    plain.write_bytes(Pcap.read(capture.save(tmp_path / "plain.pcap")).as_pcapng())
    value = bytes([10, 0, 2, 9]) + b"agent9.example\x00also9\x00"
    record = struct.pack("<HH", 1, len(value)) + value + bytes(-len(value) % 4)
    other = struct.pack("<HH", 1, 8) + bytes([10, 9, 9, 9]) + b"far\x00"
    body = record + other + bytes(4)
    block = struct.pack("<II", 4, 12 + len(body)) + body + struct.pack("<I", 12 + len(body))
    named = tmp_path / "named.pcapng"
    named.write_bytes(plain.read_bytes() + block)
    with_names, without = (auditor.audit([str(path)], policy_path=str(policy(tmp_path))) for path in (named, plain))
    hosts = {host.address: host.names for host in with_names.hosts}
    assert hosts["10.0.1.5"] == ()
    assert sorted(hosts["10.0.2.9"], key=lambda name: name.name) == [
        NameEvidence("agent9.example", "capture-file", 0, str(named)),
        NameEvidence("also9", "capture-file", 0, str(named)),
    ]
    assert [host.names for host in without.hosts] == [(), ()]
    assert with_names.verdict == without.verdict
    assert [finding.key for finding in with_names.findings] == [finding.key for finding in without.findings]
    done = run_auditor("audit", named, "--policy", policy(tmp_path), "--exit-zero", "--no-progress", "-v")
    assert "agent9.example" in done.out


def test_no_capture_of_the_corpus_is_taken_for_ndmp() -> None:
    """The list of the corpus names no NDMP in any of them."""
    files = [
        path for path in sorted(CORPUS.rglob("*")) if path.is_file() and path.suffix not in (".md", ".tsv", ".json")
    ]
    if not files:
        pytest.skip("the corpus is not beside the checkout")
    assert "ndmp" not in (CORPUS / "manifest.tsv").read_text().lower()
    ndmp = _native.APPS.index("ndmp")
    for path in files:
        reading = _native.read_flows([str(path)])
        assert not (reading.flow_columns()["app"] == ndmp).any(), path
        assert len(reading.ndmp_messages()["flow"]) == 0, path
