"""The service catalogue against the vendor's chapter, row by row, and the format of its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.errors import RuleError
from auditor.policy.load import load_policy
from auditor.policy.terms import policy_terms
from auditor.services import ROLES, Catalogue, generations, load_catalogue
from auditor.services.folder import rules_folder

# The three tables of "Using Backup Exec with firewalls", copied by hand: table and row, words of the service column,
# process, ports, transport. "any" is TCP and UDP both. Table 2 prints "sqlsevr.exe"; the process is sqlservr.exe.
CHAPTER = [
    ("ports 1", "Agent Browser", "benetns.exe", "6101", "tcp"),
    ("ports 2", "Remote Agent for Windows", "beremote.exe", "10000", "tcp"),
    ("ports 3", "Backup Exec Server", "beserver.exe", "3527, 6106", "tcp"),
    ("ports 4a", "MSSQL$BKUPEXEC", "sqlservr.exe", "1125", "tcp"),
    ("ports 4b", "MSSQL$BKUPEXEC", "sqlservr.exe", "1434", "udp"),
    ("ports 5a", "NetWare", "", "10000", "tcp"),
    ("ports 5b", "NetWare", "", "6102", "tcp"),
    ("ports 6", "Oracle Agent", "", "dynamic", "tcp"),
    ("ports 7", "DB2 Agent", "", "dynamic", "tcp"),
    ("ports 8", "RALUS", "beremote", "10000", "tcp"),
    ("ports 9", "Kerberos", "", "88", "udp"),
    ("ports 10", "NETBIOS", "", "135", "any"),
    ("ports 11", "NETBIOS Name Service", "", "137", "udp"),
    ("ports 12", "NETBIOS Datagram Service", "", "138", "udp"),
    ("ports 13", "NETBIOS Session Service", "", "139", "tcp"),
    ("ports 14", "NETBIOS (Windows 2000)", "", "445", "tcp"),
    ("ports 15", "DCOM/RPC", "", "3106", "tcp"),
    ("ports 16", "Backup Exec Remote Agent", "", "6103", "tcp"),
    ("ports 17", "Push Install", "beserver.exe", "1030-1039", "tcp"),
    ("ports 18", "Push Install", "", "441", "tcp"),
    ("ports 19", "SMTP email notification", "", "25", "tcp"),
    ("ports 20", "SNMP", "", "162", "tcp"),
    ("listening 1", "Agent Browser", "benetns.exe", "6101", "tcp"),
    ("listening 2", "Remote Agent for Windows", "beremote.exe", "10000", "tcp"),
    ("listening 3", "Backup Exec Server", "beserver.exe", "3527, 6106", "tcp"),
    ("listening 4a", "MSSQL$BKUPEXEC", "sqlservr.exe", "1125", "tcp"),
    ("listening 4b", "MSSQL$BKUPEXEC", "sqlservr.exe", "1434", "udp"),
    ("listening 5a", "NetWare", "", "10000", "tcp"),
    ("listening 5b", "NetWare", "", "6102", "tcp"),
    ("listening 6", "RALUS", "beremote", "10000", "tcp"),
    ("listening 7", "DBA-initiated backups for Oracle and DB2", "", "5633", "tcp"),
    ("dlo 1", "Server Message Block (SMB) communication", "", "135-139", "any"),
    ("dlo 2", "without NETBIOS", "", "445", "any"),
    ("dlo 3", "SQL", "", "1434", "any"),
    ("dlo 4", "DLO admin service", "DLOAdminSvcu.exe", "3999", "any"),
]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.mark.parametrize(("row", "name", "process", "ports", "transport"), CHAPTER, ids=[case[0] for case in CHAPTER])
def test_a_row_of_the_chapter(
    catalogue: Catalogue, row: str, name: str, process: str, ports: str, transport: str
) -> None:
    (service,) = [service for service in catalogue.services if row in service.tables]
    assert name in service.name
    assert (service.process, service.port_text, service.transport) == (process, ports, transport)
    assert service.source.startswith("chapter")
    assert service.grade == "A"


def test_no_row_is_made_up(catalogue: Catalogue) -> None:
    rows = {row for service in catalogue.services for row in service.tables}
    assert rows - {"prose"} == {case[0] for case in CHAPTER}


def test_every_service_says_what_it_must(catalogue: Catalogue) -> None:
    for service in catalogue.services:
        assert service.source, service.id
        assert service.silent, service.id
        assert service.platform or service.fires, service.id
        assert service.platform or set(service.listener) <= set(ROLES), service.id
        assert service.grade != "U" or service.optional, service.id


def test_common_host_services_are_not_the_vendors(catalogue: Catalogue) -> None:
    vendor = {
        p for s in catalogue.services if not s.platform and not s.ports_from for p in range(65536) if p in s.ports
    }
    platform = {p for s in catalogue.services if s.platform for p in range(65536) if p in s.ports}
    assert not vendor & platform
    assert not platform & {22, 23, 3389, 5900}  # remote administration must show in an audit


def test_generations_differ_where_a_source_says_so() -> None:
    assert set(generations()) == {"9.x", "10.x", "11d-12", "2010", "2012-2016", "20.x"}
    ids = {name: {service.id for service in load_catalogue(name).services} for name in generations()}
    assert ids["11d-12"] - ids["9.x"] == {"netware-agent-10"}
    assert ids["11d-12"] - ids["10.x"] == {"netware-agent-9"}
    assert ids["20.x"] - ids["11d-12"] == {"cloud-storage", "dedupe-engine", "dedupe-manager", "management-service"}
    assert ids["2010"] == ids["11d-12"]
    assert ids["2012-2016"] - ids["2010"] == {"management-service"}
    assert ids["20.x"] - ids["2012-2016"] == {"cloud-storage", "dedupe-engine", "dedupe-manager"}
    for name in generations():
        assert all(service.optional for service in load_catalogue(name).services if service.grade in "DU")


def test_known_ports_leave_out_dynamic_ones(catalogue: Catalogue) -> None:
    ports = catalogue.known_ports()
    assert {25, 88, 162, 1030, 1039, 6101, 10000} <= set(ports)
    assert 50100 not in ports
    assert list(ports) == sorted(set(ports))


def test_the_rules_of_the_checkout_are_preferred() -> None:
    assert rules_folder() == Path(__file__).parents[1] / "rules"


ROW = """\
generation: any
services:
  - {id: ndmp-control, name: c, transport: tcp, ports: 10000, ports_from: ndmp_port, listener: [agents],
     originator: [media-servers], source: s, grade: A, family: control, examples: {silent: [x], fires: [y]}}
  - {id: ndmp-data, name: d, transport: tcp, ports: 1024-65535, ports_from: dynamic_ports, listener: [agents],
     originator: [media-servers], source: s, grade: A, family: data, examples: {silent: [x], fires: [y]}}
"""
OWN = "generation: one\nservices:\n  - {id: extra, name: e, transport: udp, ports: [7], listener: [agents], "
REST = "originator: [any], source: s, grade: A, family: agent, examples: {silent: [x], fires: [y]}}\n"


def test_a_row_is_added_by_data_alone(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(ROW)
    (tmp_path / "one.yaml").write_text(OWN + REST)
    (tmp_path / "two.yaml").write_text("generation: two\nbased_on: one\nwithout: [extra]\nservices: []\n")
    assert [service.id for service in load_catalogue("one", tmp_path).services] == [
        "extra",
        "ndmp-control",
        "ndmp-data",
    ]
    assert [service.id for service in load_catalogue("two", tmp_path).services] == ["ndmp-control", "ndmp-data"]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (OWN + REST.replace("any]", "agent]"), 3, "'agent' is no role"),
        (OWN + REST.replace("family: agent", "family: agents"), 3, "'agents' is not one of: control"),
        (OWN + REST.replace("grade: A", "grade: U"), 3, "service 'extra' has no source (grade U)"),
        (OWN + REST.replace(", fires: [y]", ""), 3, "service 'extra' has no example that fires"),
        (OWN + REST.replace("source: s, ", ""), 3, "'source' is missing"),
        (OWN.replace("[7]", "9-8") + REST, 3, "range 9-8 runs backwards"),
        (OWN.replace("ports: [7], ", "") + REST, 3, "service 'extra' has no ports"),
        (OWN.replace("extra", "Extra") + REST, 3, "'Extra' is no id"),
        (OWN.replace("name: e", "nam: e") + REST, 3, "unknown key 'nam'"),
        (OWN + REST.replace("grade", "part_of: none, grade"), 3, "part_of names no service: 'none'"),
        ("generation: one\nbased_on: none\n", 1, "generation 'none' is not in the catalogue"),
        ("generation: one\nbased_on: one\n", 1, "generation 'one' is based on itself"),
        ("generation: one\nwithout: [none]\n", 2, "there is no service 'none' to leave out"),
    ],
)
def test_a_mistake_in_a_file_is_told(tmp_path: Path, text: str, line: int, message: str) -> None:
    (tmp_path / "base.yaml").write_text(ROW)
    (tmp_path / "one.yaml").write_text(text)
    with pytest.raises(RuleError) as caught:
        load_catalogue("one", tmp_path)
    told = [(problem.path, problem.line) for problem in caught.value.problems if problem.message.startswith(message)]
    assert told == [(f"{tmp_path.name}/one.yaml", line)]


def test_an_unknown_generation_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(RuleError) as caught:
        load_catalogue("11d-13")
    assert caught.value.problems[0].fix == "did you mean '11d-12'?"
    with pytest.raises(RuleError, match="holds no service files"):
        load_catalogue("11d-12", tmp_path)


def test_every_generation_needs_control_and_data(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(OWN + REST)
    with pytest.raises(RuleError, match="every generation needs the service 'ndmp-control'"):
        load_catalogue("one", tmp_path)


@pytest.mark.parametrize("generation", generations())
def test_every_row_carries_source_doubt_and_since(generation: str) -> None:
    for service in load_catalogue(generation).services:
        assert service.source, service.id
        assert service.since in ("0.1.0", "0.2.0"), service.id
        assert service.doubt or service.grade in ("A", "B"), service.id
        assert service.optional or service.grade != "U", service.id


def test_the_lead_of_443_opens_no_way_in_and_breaks_nothing() -> None:
    """Issue: unsourced leads are optional, marked, and never a default violation."""
    policy = load_policy(rules_folder() / "examples.yaml")
    ways = {
        generation: [
            term for term in policy_terms(policy, load_catalogue(generation)) if term.service == "cloud-storage"
        ]
        for generation in generations()
    }
    assert [name for name, terms in ways.items() if terms] == ["20.x"]
    (way,) = ways["20.x"]
    assert (way.destination, str(way.ports), way.transport) == (("undeclared",), "443", "tcp")
    assert set(way.source) == {"media-servers", "media-servers-on-another-port"}
    assert way.doubt.startswith("optional service: no source")
