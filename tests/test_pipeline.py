"""The pipeline from files to a report, and what it says of hosts, services and coverage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import auditor
from auditor.errors import UsageError
from auditor.flows import FlowTable
from auditor.hosts import summarise_hosts
from auditor.model import HostSummary, ReportVerdict, ServiceSummary
from auditor.notation import parse
from auditor.policy.control_ports import declared_ndmp_ports
from auditor.policy.load import load_policy
from auditor.policy.match import Verdicts, judge
from auditor.policy.model import Policy
from auditor.services import load_catalogue
from auditor.sessions import SessionSet
from auditor.summary import UNKNOWN_SERVICE, measure_coverage, summarise_policy, summarise_services
from tests.support import CAPTURES

POLICY = """\
ndmp_port: 10000
zones:
  media-servers: [10.0.1.1]
  agents: {hosts: [10.0.2.0/24], dynamic_ports: 50100-50124}
  agents-dmz: {role: agents, hosts: ["2001:db8::/64"], ndmp_port: 9999}
  mail-relays: [10.0.5.1]
hosts:
  10.0.2.7: {name: oracle, ndmp_port: 10001}
"""

TRAFFIC = """\
10.0.2.5:1100 > 10.0.1.1:6101 tcp SF x5 bytes=100/50
10.0.2.6:1101 > 10.0.1.1:6101 tcp SF x5 bytes=100/50
10.0.1.1:1102 > 10.0.5.1:25 tcp SF bytes=10/20
10.0.1.1:1103 > 10.0.5.1:25 tcp S0 x3
203.0.113.9:1104 > 10.0.1.1:3389 tcp SF
203.0.113.9:1105 > 10.0.1.1:40000 tcp SF
203.0.113.9:1106 > 10.0.1.1:41000 tcp SF
203.0.113.9:1107 > 203.0.113.8:80 tcp SF by=guess
"""


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    path = tmp_path / "site.yaml"
    path.write_text(POLICY, encoding="utf-8")
    return load_policy(path)


@pytest.fixture
def table() -> FlowTable:
    return parse(TRAFFIC).table


@pytest.fixture
def sessions(table: FlowTable) -> SessionSet:
    none = np.zeros(len(table), np.bool_)
    return SessionSet((), none, none)


@pytest.fixture
def verdicts(table: FlowTable, policy: Policy, sessions: SessionSet) -> Verdicts:
    return judge(table, policy, load_catalogue(), control=sessions.control, data=sessions.data)


def by_direction(services: tuple[ServiceSummary, ...]) -> dict[tuple[str, str], ServiceSummary]:
    return {(service.port, service.direction): service for service in services}


def test_services_are_counted_by_port_direction_and_verdict(table: FlowTable, verdicts: Verdicts) -> None:
    rows = by_direction(summarise_services(table, verdicts))
    browser = rows["6101", "agents → media-servers"]
    # Two flows of 5 and 4 packets, 54 bytes of headers each, 150 bytes of payload a flow.
    assert (browser.flows, browser.packets, browser.bytes) == (2, 18, 18 * 54 + 300)
    assert (browser.process, browser.transport, browser.verdict) == ("benetns.exe", "tcp", "permit")
    mail = rows["25", "media-servers → mail-relays"]
    assert (mail.flows, mail.verdict) == (2, "permit")


def test_high_ports_of_no_service_make_one_row(table: FlowTable, verdicts: Verdicts) -> None:
    rows = [row for row in summarise_services(table, verdicts) if row.service == UNKNOWN_SERVICE]
    assert [(row.port, row.flows, row.verdict) for row in rows] == [("3389-41000", 3, "unstated")]


def test_traffic_out_of_scope_is_no_service(table: FlowTable, verdicts: Verdicts) -> None:
    assert all(row.port != "80" for row in summarise_services(table, verdicts))


def test_hosts_in_order_of_zones_with_reasons(
    table: FlowTable, verdicts: Verdicts, sessions: SessionSet, policy: Policy
) -> None:
    hosts = summarise_hosts(table, verdicts, sessions, (), policy)
    assert [(host.address, host.zone, host.process_roles) for host in hosts] == [
        ("10.0.1.1", "media-servers", ("benetns.exe",)),
        ("10.0.2.5", "agents", ()),
        ("10.0.2.6", "agents", ()),
        ("10.0.5.1", "mail-relays", ()),
        ("203.0.113.9", "undeclared", ()),
    ]
    reasons = {host.address: host.because for host in hosts}
    assert reasons["10.0.1.1"] == ("benetns.exe: accepted 2 connections on port 6101 (packet 1)",)
    assert reasons["10.0.2.6"] == ("opened 1 flow to port 6101 (packet 10)",)
    assert reasons["203.0.113.9"][0].startswith("opened 3 flows to ports 3389, 40000 and 41000 (packet ")


def test_coverage(table: FlowTable, verdicts: Verdicts, sessions: SessionSet) -> None:
    coverage = measure_coverage(table, verdicts, sessions, 99)
    # Agent Browser and mail are services of the vendor's; the flow that is a guess is out of scope.
    assert (coverage.judged, coverage.hosts, coverage.flows, coverage.guessed) == (4, 4, 7, 0)
    assert (coverage.control, coverage.data, coverage.packets) == (0, 0, 99)


def test_an_empty_table(policy: Policy) -> None:
    table = parse("").table
    none = np.zeros(0, np.bool_)
    sessions = SessionSet((), none, none)
    verdicts = judge(table, policy, load_catalogue(), control=none, data=none)
    assert summarise_services(table, verdicts) == ()
    assert summarise_hosts(table, verdicts, sessions, (), policy) == ()
    assert measure_coverage(table, verdicts, sessions, 0).judged == 0


def test_declared_ndmp_ports(policy: Policy) -> None:
    lines = "10.0.1.1:1 > 10.0.2.5:10000 tcp\n10.0.2.7:1 > [2001:db8::5]:9999 tcp\n203.0.113.9:1 > 10.0.2.6:1 tcp\n"
    table = parse(lines).table
    ports = declared_ndmp_ports(table, policy)
    found = {table.address_text(code): int(port) for code, port in enumerate(ports)}
    assert found == {
        "10.0.1.1": 10000,
        "10.0.2.5": 10000,
        "10.0.2.7": 10001,
        "2001:db8::5": 9999,
        "203.0.113.9": 0,
        "10.0.2.6": 10000,
    }


def test_the_policy_as_reported(policy: Policy) -> None:
    summary = summarise_policy(policy)
    assert summary.zones["media-servers"] == ("10.0.1.1",)
    assert summary.zones["agents"] == ("10.0.2.0/24",)
    assert summary.dynamic_ports == {"agents": "50100-50124"}
    assert not summary.inferred


def test_no_capture_is_refused() -> None:
    with pytest.raises(UsageError):
        auditor.audit([])


def test_hosts_of_a_real_capture() -> None:
    """Roles and first packets as tshark shows them in captures/out-of-range."""
    folder = CAPTURES / "out-of-range"
    report = auditor.audit([folder / "out-of-range.pcap"], policy_path=folder / "policy.yaml")
    roles = {host.address: host.process_roles for host in report.hosts}
    assert roles["10.77.0.10"] == ("media server",)
    assert roles["10.77.0.21"] == roles["10.77.0.22"] == ("beremote.exe",)
    media: HostSummary = report.hosts[0]
    assert media.because == ("media server: opened 4 NDMP control connections to port 10000 (packet 3)",)


def test_one_capture_in_two_files_counts_the_same(tmp_path: Path) -> None:
    """Splitting a capture between two packets changes no count and no finding."""
    folder = CAPTURES / "out-of-range"
    whole = (folder / "out-of-range.pcap").read_bytes()
    at = 24
    for _ in range(600):
        at += 16 + int.from_bytes(whole[at + 8 : at + 12], "little")
    (tmp_path / "1.pcap").write_bytes(whole[:at])
    (tmp_path / "2.pcap").write_bytes(whole[:24] + whole[at:])
    policy = folder / "policy.yaml"
    one = auditor.audit([folder / "out-of-range.pcap"], policy_path=policy)
    two = auditor.audit([tmp_path / "1.pcap", tmp_path / "2.pcap"], policy_path=policy)
    assert two.totals == one.totals
    assert [finding.key for finding in two.findings] == [finding.key for finding in one.findings]
    assert two.services == one.services


def test_without_a_policy_the_roles_are_inferred_and_say_why() -> None:
    report = auditor.audit([CAPTURES / "compliant" / "compliant.pcap"])
    assert report.policy.inferred
    assert report.verdict is ReportVerdict.CONFORMS
    media = next(host for host in report.hosts if host.zone == "media-servers")
    assert any(reason.startswith("media-servers: ") for reason in media.because)
    assert any("No policy was given" in limit for limit in report.limits)


def test_progress_may_stop_the_reading(tmp_path: Path) -> None:
    whole = (CAPTURES / "compliant" / "compliant.pcap").read_bytes()
    long = tmp_path / "long.pcap"
    # The core comes back to Python about every 16 MiB.
    long.write_bytes(whole[:24] + whole[24:] * (40 * 2**20 // len(whole)))

    def stop(done: int, total: int) -> None:
        assert 0 < done <= total == long.stat().st_size
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        auditor.audit([long], progress=stop)
