"""Verdicts on flows: the vendor's rows between the zones of rules/examples.yaml, and what surrounds them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from auditor.notation import parse
from auditor.policy.load import load_policy
from auditor.policy.match import MISFITS, VERDICTS, Verdicts, judge
from auditor.policy.model import Policy
from auditor.policy.outcome import OUTCOMES
from auditor.services import Service, generations, load_catalogue
from auditor.services.folder import rules_folder

M, A, F, D = "10.0.1.5:40000", "10.0.2.9", "10.0.3.9", "10.0.4.9"
MEDIA, OUT = "10.0.1.5", "203.0.113.7:40000"


@dataclass(frozen=True)
class Judged:
    """The verdict on one flow, in words."""

    verdict: str
    service: str
    term: str
    nearest: str
    misfit: str
    doubt: str
    outcome: str
    zones: tuple[str, str]
    name: str


@pytest.fixture(scope="module")
def examples() -> Policy:
    return load_policy(rules_folder() / "examples.yaml")


def words(verdicts: Verdicts, row: int) -> Judged:
    service = verdicts.services[verdicts.service[row]]
    term, nearest = int(verdicts.term[row]), int(verdicts.nearest[row])
    return Judged(
        VERDICTS[verdicts.verdict[row]],
        service.id if service else "",
        verdicts.terms[term].name if term >= 0 else "",
        verdicts.terms[nearest].name if nearest >= 0 else "",
        MISFITS[verdicts.nearest_misfit[row]],
        verdicts.doubts[verdicts.doubt[row]],
        OUTCOMES[verdicts.outcome[row]],
        (verdicts.zones[verdicts.orig_zone[row]], verdicts.zones[verdicts.resp_zone[row]]),
        service.name if service else "",
    )


def judged(policy: Policy, line: str, *, kind: str = "") -> Judged:
    """Judge one flow of the notation; ``kind`` says that it is known to be a control or data connection."""
    table = parse(line).table
    mask = {name: np.full(len(table), kind == name) for name in ("control", "data")}
    return words(judge(table, policy, load_catalogue(policy.generation), **mask), 0)


def policy_from(tmp_path: Path, text: str) -> Policy:
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    return load_policy(path)


# One case per row of the chapter, by hand: who may (service id), who may not.
ROWS = [
    ("Agent Browser", f"{A}:50101 > {MEDIA}:6101 tcp", "agent-browser", f"{OUT} > {MEDIA}:6101 tcp"),
    ("Remote Agent Windows", f"{M} > {A}:10000 tcp", "ndmp-control", f"{OUT} > {A}:10000 tcp"),
    ("Server 3527", f"10.0.8.9:50000 > {MEDIA}:3527 tcp", "beserver", f"{OUT} > {MEDIA}:3527 tcp"),
    ("Server 6106", f"{A}:50101 > {MEDIA}:6106 tcp", "beserver", f"{OUT} > {MEDIA}:6106 tcp"),
    ("MSSQL 1125", f"{A}:50101 > {MEDIA}:1125 tcp", "mssql", f"{OUT} > {MEDIA}:1125 tcp"),
    ("MSSQL 1434", f"{M} > {D}:1434 udp", "mssql-monitor", f"{OUT} > {D}:1434 udp"),
    ("NetWare 10.x", f"{M} > {A}:10000 tcp", "ndmp-control", f"{A}:50101 > 10.0.2.8:10000 tcp"),
    ("NetWare 9.x", f"{M} > {A}:6102 tcp", "netware-agent-9", f"{OUT} > {A}:6102 tcp"),
    ("Oracle", f"{M} > {D}:49321 tcp", "oracle-agent", f"{OUT} > {D}:49321 tcp"),
    ("DB2", f"{M} > {D}:1521 tcp", "oracle-agent", f"{A}:50101 > {D}:1521 tcp"),
    ("RALUS", f"{M} > {A}:10000 tcp", "ndmp-control", f"10.0.8.9:50000 > {A}:10000 tcp"),
    ("Kerberos", f"{A}:50101 > 10.0.7.9:88 udp", "kerberos", f"{OUT} > 10.0.7.9:88 udp"),
    ("NETBIOS 135 tcp", f"{M} > 10.0.7.9:135 tcp", "rpc-endpoint-mapper", f"{OUT} > 10.0.7.9:135 tcp"),
    ("NETBIOS 135 udp", f"{M} > 10.0.7.9:135 udp", "rpc-endpoint-mapper", f"{OUT} > 10.0.7.9:135 udp"),
    ("NETBIOS 137", f"{M} > 10.0.7.9:137 udp", "netbios-name", f"{OUT} > 10.0.7.9:137 udp"),
    ("NETBIOS 138", f"{M} > 10.0.7.9:138 udp S0", "netbios-datagram", f"{OUT} > 10.0.7.9:138 udp"),
    ("NETBIOS 139", f"{M} > 10.0.7.9:139 tcp", "netbios-session", f"{OUT} > 10.0.7.9:139 tcp"),
    ("NETBIOS 445", f"{M} > 10.0.7.9:445 tcp", "smb", f"{OUT} > 10.0.7.9:445 tcp"),
    ("DCOM 3106", f"10.0.8.9:50000 > {MEDIA}:3106 tcp", "dcom-rpc", f"{OUT} > {MEDIA}:3106 tcp"),
    ("Remote Agent 6103", f"{M} > {A}:6103 tcp", "remote-agent-6103", f"{OUT} > {A}:6103 tcp"),
    ("Push 1030", f"{M} > 10.0.1.6:1030 tcp", "push-install-check", f"{OUT} > 10.0.1.6:1030 tcp"),
    ("Push 1039", f"{M} > 10.0.1.6:1039 tcp", "push-install-check", f"{M} > 10.0.1.6:1029 tcp"),
    ("Push 441", f"{M} > {A}:441 tcp", "push-install", f"{OUT} > {A}:441 tcp"),
    ("SMTP", f"{M} > 10.0.5.9:25 tcp", "smtp", f"{A}:50101 > 10.0.5.9:25 tcp"),
    ("SNMP", f"{M} > 10.0.6.9:162 tcp", "snmp-trap", f"{A}:50101 > 10.0.6.9:162 tcp"),
    ("DBA 5633", f"{D}:50000 > {MEDIA}:5633 tcp", "dba-initiated", f"{OUT} > {MEDIA}:5633 tcp"),
    ("DLO 135-139", f"10.0.9.9:50000 > {MEDIA}:136 udp", "dlo-smb-netbios", f"{OUT} > {MEDIA}:139 tcp"),
    ("DLO 445", f"10.0.9.9:50000 > {MEDIA}:445 udp", "dlo-smb", f"{OUT} > {MEDIA}:445 tcp"),
    ("DLO 1434", f"10.0.9.9:50000 > {MEDIA}:1434 tcp", "dlo-sql", f"{OUT} > {MEDIA}:1434 tcp"),
    ("DLO 3999 tcp", f"10.0.9.9:50000 > {MEDIA}:3999 tcp", "dlo-admin", f"{OUT} > {MEDIA}:3999 tcp"),
    ("DLO 3999 udp", f"10.0.9.9:50000 > {MEDIA}:3999 udp", "dlo-admin", f"{OUT} > {MEDIA}:3999 udp"),
]


@pytest.mark.parametrize(("row", "may", "service", "may_not"), ROWS, ids=[case[0] for case in ROWS])
def test_a_row_of_the_chapter(examples: Policy, row: str, may: str, service: str, may_not: str) -> None:
    permitted = judged(examples, may)
    assert (permitted.verdict, permitted.service) == ("permit", service)
    assert judged(examples, may_not).verdict == "unstated"


SERVICES = {(name, s.id): s for name in generations() for s in load_catalogue(name).services}


@pytest.mark.parametrize(
    ("generation", "service"), [(g, s) for (g, _), s in SERVICES.items()], ids=map("/".join, SERVICES)
)
def test_the_examples_of_a_service(examples: Policy, generation: str, service: Service) -> None:
    catalogue = load_catalogue(generation)
    for expected, lines in ((True, service.silent), (False, service.fires)):
        table = parse("\n".join(lines)).table
        none = np.zeros(len(table), np.bool_)
        verdicts = judge(table, examples, catalogue, control=none, data=none)
        for row in range(len(table)):
            found = words(verdicts, row)
            if service.platform:
                assert (found.verdict, found.service, found.nearest) == ("unstated", service.id, "")
            else:
                assert (found.verdict == "permit") == expected, lines[row]
                assert not expected or found.service in (service.part_of or service.id, "ndmp-data")


def test_the_same_port_is_another_service_on_another_host(examples: Policy) -> None:
    assert judged(examples, f"{M} > {F}:10000 tcp").name == "NDMP filer"
    assert judged(examples, f"{M} > 10.0.1.6:10000 tcp").name == "Backup Exec Remote Agent of the media server"
    agent = judged(examples, f"{M} > {A}:10000 tcp")
    assert agent.name == "Backup Exec Remote Agent (Windows, Linux/UNIX or NetWare)"
    control = load_catalogue().get("ndmp-control")
    assert control is not None
    assert control.doubt.startswith("The port alone does not tell")
    assert judged(examples, f"10.0.9.9:1 > {MEDIA}:1434 udp").service == "dlo-sql"
    assert judged(examples, f"{A}:1 > {MEDIA}:1434 udp").service == "mssql-monitor"
    assert judged(examples, f"10.0.9.9:1 > {MEDIA}:445 tcp").service == "dlo-smb"
    assert judged(examples, f"{M} > 10.0.7.9:445 tcp").service == "smb"


def test_where_zones_cannot_decide_the_doubt_says_so(examples: Policy) -> None:
    found = judged(examples, f"{OUT} > {MEDIA}:1434 udp")
    assert found.service == "mssql-monitor"
    assert found.doubt == "the port is also that of SQL, DLO; the zones do not tell which"
    alone = judged(examples, f"{OUT} > {A}:6106 tcp")
    assert (alone.service, alone.doubt) == (
        "beserver",
        "named by the port alone: no host of media-servers listens here",
    )


@pytest.mark.parametrize(
    ("line", "doubt"),
    [
        (f"{M} > 10.0.6.9:162 udp S0", "the vendor's table lists SNMP 162 for TCP; traps normally use UDP"),
        (f"{M} > 10.0.7.9:88 tcp", "the vendor's table lists Kerberos for UDP only"),
        (f"{M} > {A}:6101 tcp", "the vendor's row is the media server's Agent Browser"),
        (f"{M} > {A}:445 tcp", "the vendor's row names neither end"),
        (f"{M} > {A}:50110 tcp", "the port is in the declared dynamic range, but no control connection"),
    ],
)
def test_what_is_permitted_with_a_doubt(examples: Policy, line: str, doubt: str) -> None:
    found = judged(examples, line)
    assert found.verdict == "permit"
    assert found.doubt.startswith(doubt)


@pytest.mark.parametrize(
    ("line", "kind", "nearest", "misfit"),
    [
        (f"{OUT} > {A}:10000 tcp", "control", "ndmp-control", "zone"),
        (f"{A}:50101 > {MEDIA}:10000 tcp", "control", "ndmp-control", "direction"),
        (f"{M} > {A}:10001 tcp", "control", "ndmp-control", "port"),
        (f"{OUT} > {A}:10001 tcp", "control", "", ""),
        (f"{M} > {A}:40011 tcp", "data", "ndmp-data:to-agent:50100-50124", "port"),
        (f"{A}:50101 > {MEDIA}:40011 tcp", "data", "ndmp-data:to-media:50200-50224", "port"),
        (f"{OUT} > {A}:50101 tcp", "data", "ndmp-data:to-agent:50100-50124", "zone"),
        (f"{A}:50101 > 10.0.5.9:25 tcp", "", "smtp", "zone"),
        (f"{M} > 198.51.100.1:25 tcp", "", "smtp", "zone"),
        (f"10.0.5.9:1 > {MEDIA}:25 tcp", "", "smtp", "direction"),
        (f"{A}:1 > {MEDIA}:6101 udp", "", "agent-browser", "transport"),
        (f"{M} > 10.0.7.9:138 tcp", "", "netbios-datagram", "transport"),
    ],
)
def test_the_nearest_term(examples: Policy, line: str, kind: str, nearest: str, misfit: str) -> None:
    found = judged(examples, line, kind=kind)
    assert (found.verdict, found.nearest, found.misfit) == ("unstated", nearest, misfit)


def test_control_on_another_port_than_declared_matches_no_term(examples: Policy) -> None:
    # 50110 is in the agents' dynamic range and 6103 is a port of the Remote Agent: neither makes this control legal.
    for port in (10001, 50110, 6103):
        found = judged(examples, f"{M} > {A}:{port} tcp", kind="control")
        assert (found.service, found.term, found.misfit) == ("ndmp-control", "", "port")


OVERRIDES = """\
ndmp_port: 10001
zones:
  media-servers: [10.0.1.5]
  agents: {hosts: [10.0.2.0/24], dynamic_ports: 50100-50124}
  agents-dmz: {role: agents, hosts: [10.0.12.0/24], ndmp_port: 9999}
hosts:
  10.0.2.23: {dynamic_ports: 50200-50249}
  10.0.12.24: {ndmp_port: 9000}
"""


@pytest.mark.parametrize(
    ("responder", "port"), [("10.0.2.9", 10001), ("10.0.12.9", 9999), ("10.0.12.24", 9000), ("10.0.2.23", 10001)]
)
def test_the_ndmp_port_is_the_responders_own(tmp_path: Path, responder: str, port: int) -> None:
    policy = policy_from(tmp_path, OVERRIDES)
    for tried in (9000, 9999, 10000, 10001):
        found = judged(policy, f"{M} > {responder}:{tried} tcp", kind="control")
        assert found.verdict == ("permit" if tried == port else "unstated")
        assert found.misfit == ("" if tried == port else "port")
        bare = judged(policy, f"{M} > {responder}:{tried} tcp S0")
        assert (bare.verdict, bare.service) == (("permit", "ndmp-control") if tried == port else ("unstated", ""))


def test_the_dynamic_range_is_the_responders_own(tmp_path: Path) -> None:
    policy = policy_from(tmp_path, OVERRIDES)
    assert judged(policy, f"{M} > 10.0.2.9:50110 tcp", kind="data").verdict == "permit"
    assert judged(policy, f"{M} > 10.0.2.9:50210 tcp", kind="data").verdict == "unstated"
    assert judged(policy, f"{M} > 10.0.2.23:50210 tcp", kind="data").verdict == "permit"
    assert judged(policy, f"{M} > 10.0.2.23:50110 tcp", kind="data").verdict == "unstated"
    # No range declared: a known data connection may use any dynamic port, and nothing else is presumed to be one.
    assert judged(policy, f"{M} > 10.0.12.9:33000 tcp", kind="data").verdict == "permit"
    assert judged(policy, f"{M} > 10.0.12.9:33000 tcp").verdict == "unstated"
    assert judged(policy, f"10.0.12.9:33000 > {MEDIA}:1023 tcp", kind="data").verdict == "unstated"


@pytest.mark.parametrize(
    ("direction", "to_agent", "to_media"),
    [("either", True, True), ("media-to-agent", True, False), ("agent-to-media", False, True)],
)
def test_the_direction_of_data(tmp_path: Path, direction: str, to_agent: bool, to_media: bool) -> None:
    policy = policy_from(tmp_path, f"data_direction: {direction}\n{OVERRIDES}")
    there = judged(policy, f"{M} > 10.0.2.9:50110 tcp", kind="data")
    back = judged(policy, f"10.0.2.9:50110 > {MEDIA}:38000 tcp", kind="data")
    assert (there.verdict == "permit", back.verdict == "permit") == (to_agent, to_media)
    assert {there.misfit, back.misfit} == ({""} if direction == "either" else {"", "direction"})


def test_three_way_data_between_filers_is_doubtful(examples: Policy) -> None:
    found = judged(examples, "10.0.3.8:20000 > 10.0.3.9:18600 tcp", kind="data")
    assert found.verdict == "permit"
    assert "three-way" in found.doubt
    assert judged(examples, "10.0.2.8:20000 > 10.0.2.9:50110 tcp", kind="data").verdict == "unstated"


SITE = """\
zones:
  media-servers: [10.0.1.5]
  agents: [10.0.2.0/24]
  consoles: [10.0.8.0/24]
  printers: {role: other, hosts: [10.0.99.0/24]}
terms:
  - {name: rdp, action: permit, source: consoles, destination: media-servers, transport: tcp, ports: 3389}
  - {name: not-from-nine, action: deny, source: 10.0.8.9, destination: any}
  - {name: no-6106, action: deny, source: agents, destination: any, transport: tcp, ports: [6106]}
  - {name: printing, action: permit, source: agents, destination: printers, ports: [9100]}
  - {name: strangers, action: deny, source: undeclared, destination: agents, transport: udp}
"""


@pytest.mark.parametrize(
    ("line", "verdict", "term"),
    [
        ("10.0.8.4:1 > 10.0.1.5:3389 tcp", "permit", "rdp"),
        ("10.0.8.9:1 > 10.0.1.5:3389 tcp", "deny", "not-from-nine"),
        ("10.0.8.9:1 > 10.0.1.5:3527 tcp", "deny", "not-from-nine"),
        ("10.0.2.9:1 > 10.0.1.5:6106 tcp", "deny", "no-6106"),
        ("10.0.2.9:1 > 10.0.1.5:3527 tcp", "permit", "beserver"),
        ("10.0.2.9:1 > 10.0.99.7:9100 tcp", "permit", "printing"),
        ("10.0.99.7:1 > 203.0.113.9:443 tcp", "out-of-scope", ""),
        ("203.0.113.9:1 > 10.0.2.9:5000 udp", "deny", "strangers"),
        ("203.0.113.9:1 > 10.0.2.9:5000 tcp", "unstated", ""),
        ("10.0.8.9:1 > 10.0.99.7:1 tcp", "deny", "not-from-nine"),
    ],
)
def test_site_terms(tmp_path: Path, line: str, verdict: str, term: str) -> None:
    found = judged(policy_from(tmp_path, SITE), line)
    assert (found.verdict, found.term) == (verdict, term)


@pytest.mark.parametrize(
    ("line", "zones"),
    [
        ("203.0.113.7:1 > 198.51.100.2:6106 tcp", ("undeclared", "undeclared")),
        (f"{MEDIA}:1 > 224.0.0.251:5353 udp S0", ("media-servers", "multicast")),
        (f"{MEDIA}:1 > 255.255.255.255:67 udp S0", ("media-servers", "multicast")),
        (f"{MEDIA}:137 > 10.0.1.255:137 udp S0", ("media-servers", "multicast")),
        (f"{MEDIA}:137 > 192.0.2.255:137 udp S0", ("media-servers", "multicast")),
        ("[fe80::1]:1 > [ff02::1]:1 udp S0", ("multicast", "multicast")),
        (f"{MEDIA}:0 > {A}:0 icmp", ("media-servers", "agents")),
        ("10.0.5.9:40000 > 198.51.100.25:25 tcp", ("mail-relays", "undeclared")),
        ("203.0.113.7:1 > 10.0.7.9:389 tcp", ("undeclared", "domain-controllers")),
    ],
)
def test_what_is_out_of_scope(examples: Policy, line: str, zones: tuple[str, str]) -> None:
    found = judged(examples, line)
    assert (found.verdict, found.zones, found.term, found.nearest) == ("out-of-scope", zones, "", "")


def test_an_address_that_answers_is_no_broadcast(examples: Policy) -> None:
    assert judged(examples, f"{MEDIA}:137 > 192.0.2.255:137 udp SF").zones[1] == "undeclared"
    assert judged(examples, f"{MEDIA}:1 > 192.0.2.255:10000 tcp S0").zones[1] == "undeclared"


def test_ipv6_zones(tmp_path: Path) -> None:
    policy = policy_from(tmp_path, 'zones:\n  media-servers: ["fd77::a"]\n  agents: ["fd77:1::/64"]\n')
    assert judged(policy, "[fd77::a]:1 > [fd77:1::15]:10000 tcp").verdict == "permit"
    assert judged(policy, "[fd77::b]:1 > [fd77:1::15]:10000 tcp").zones == ("undeclared", "agents")


def test_an_empty_table(examples: Policy) -> None:
    table = parse("").table
    none = np.zeros(0, np.bool_)
    assert len(judge(table, examples, load_catalogue(), control=none, data=none)) == 0
