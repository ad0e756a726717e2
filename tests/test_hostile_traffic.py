"""Traffic made to hide something, or to wear auditor out: what is found must stay true and of bearable size."""

from __future__ import annotations

from pathlib import Path

import pytest

import auditor
from tests.helpers.pcap import Writer

POLICY = "zones:\n  media-servers: [10.0.1.1]\n  agents: {hosts: [10.0.2.0/24], dynamic_ports: 50100-50124}\n"
MEDIA, AGENT, OUTSIDER = "10.0.1.1", "10.0.2.5", "198.51.100.9"
TLS = [(0, b"\x16\x03\x01\x00\x05\x01\0\0\1\0"), (1, b"\x16\x03\x03\x00\x05\x02\0\0\1\0")]


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(POLICY, encoding="utf-8")
    return path


def overlapping(originator: str, count: int) -> Writer:
    """Open ``count`` control connections inside TLS, each still open when all of as many others have come and gone."""
    capture = Writer()
    for number in range(count):
        capture.connection((originator, 1024 + number), (AGENT, 10000), TLS, close=False)
    for number in range(count):
        capture.connection((originator, 20_000 + number), (AGENT, 40_000 + number), [(0, b"x"), (1, b"y")])
    for number in range(count):
        capture.tcp((originator, 1024 + number), (AGENT, 10000), "A", 1011, 5011)
    return capture


def test_an_outsiders_tls_does_not_turn_its_other_traffic_into_data_connections(policy: Path, tmp_path: Path) -> None:
    report = auditor.audit([overlapping(OUTSIDER, 3).save(tmp_path / "tls.pcap")], policy_path=policy)
    assert [len(session.data) for session in report.sessions] == [0, 0, 0]
    found = {(finding.code, finding.subject.get("port")) for finding in report.findings}
    assert {("BX201", "10000"), ("BX203", "40000"), ("BX203", "40001"), ("BX203", "40002")} <= found


def test_many_unreadable_control_connections_do_not_all_claim_everything(policy: Path, tmp_path: Path) -> None:
    """Any of them may have opened any of the others: none is tied, each is told once, and few candidates are named."""
    count = 200
    report = auditor.audit([overlapping(MEDIA, count).save(tmp_path / "tls.pcap")], policy_path=policy).report
    assert [data for session in report.sessions for data in session.data] == []
    assert sorted(one.responder for one in report.undecided) == [
        f"{AGENT}:{40_000 + number}" for number in range(count)
    ]
    assert all(2 <= one.candidates <= count and 2 <= len(one.controls) <= 8 for one in report.undecided)
