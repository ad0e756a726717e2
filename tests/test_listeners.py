"""Listings of listening sockets: what real and hand-written ones say, how damaged ones are refused, what comes of them."""

from __future__ import annotations

from pathlib import Path

import pytest

import auditor
from auditor.errors import ListingError, UsageError
from auditor.listeners import Listener, Listing
from auditor.listeners.read import read_listing
from auditor.pipeline import AuditOptions
from auditor.policy.load import load_policy
from auditor.services import load_catalogue
from auditor.services.folder import rules_folder
from auditor.tables.listeners import listener_rows
from tests.support import CAPTURES, run_auditor

DATA = Path(__file__).parent / "data" / "listings"
CAPTURE = CAPTURES / "compliant" / "compliant.pcap"
POLICY = CAPTURES / "compliant" / "policy.yaml"
EVERY, LOOPBACK = "", "127.0.0.1"

# What tests/data/listings/README.md says that the program listened on.
SOCKETS = {("tcp", EVERY, 10000), ("tcp", LOOPBACK, 6106), ("udp", EVERY, 1434), ("udp", "::1", 1434)}


def found(name: str, folder: Path = DATA) -> Listing:
    return read_listing(folder / name, "10.0.0.1")


def refused(name: str, folder: Path = DATA) -> str:
    with pytest.raises(ListingError) as error:
        found(name, folder)
    return str(error.value)


@pytest.mark.parametrize("name", ["ss.txt", "netstat.txt", "lsof.txt", "lsof-n.txt"])
def test_real_listings_of_unix(name: str) -> None:
    own = [one for one in found(name).listeners if one.program == "python3"]
    assert {
        (one.transport, "127.0.0.1" if one.address == "localhost" else one.address, one.port) for one in own
    } == SOCKETS
    assert len({one.pid for one in own}) == 1
    assert sum(one.port == 10000 for one in own) == 2  # IPv4 and IPv6


@pytest.mark.parametrize(("name", "program"), [("ss", "miniserv.pl"), ("netstat", "perl"), ("lsof", "miniserv.")])
def test_who_owns_port_10000(name: str, program: str) -> None:
    (one,) = [one for one in found(f"{name}-webmin.txt").listeners if one.port == 10000]
    assert (one.program, one.bound) == (program, "all")
    assert not one.runs("beremote.exe")


def test_netstat_of_windows() -> None:
    listing = found("windows-netstat.txt")
    assert listing.kind == "netstat of Windows"
    assert [(one.transport, one.address, one.port, one.program, one.pid) for one in listing.listeners] == [
        ("tcp", EVERY, 135, "svchost.exe", 1008),
        ("tcp", EVERY, 445, "", 4),
        ("tcp", EVERY, 3527, "beserver.exe", 2764),
        ("tcp", EVERY, 6101, "benetns.exe", 2236),
        ("tcp", EVERY, 6106, "beserver.exe", 2764),
        ("tcp", EVERY, 10000, "beremote.exe", 2312),
        ("tcp", LOOPBACK, 1125, "sqlservr.exe", 1820),
        ("tcp", EVERY, 10000, "beremote.exe", 2312),
        ("udp", EVERY, 1434, "sqlbrowser.exe", 1904),
    ]


def test_powershell_in_utf_16_and_with_a_type_line() -> None:
    tcp, udp = found("windows-tcp.csv"), found("windows-udp.csv")
    assert [(one.transport, one.address, one.port, one.program) for one in tcp.listeners] == [
        ("tcp", EVERY, 10000, "beremote"),
        ("tcp", EVERY, 10000, "beremote"),
        ("tcp", LOOPBACK, 1125, "sqlservr"),
        ("tcp", EVERY, 6101, "benetns"),
    ]
    assert [(one.transport, one.address, one.port) for one in udp.listeners] == [
        ("udp", EVERY, 1434),
        ("udp", "fe80::1", 5353),
    ]


def test_the_field_separator_of_other_countries(tmp_path: Path) -> None:
    text = (DATA / "windows-tcp.csv").read_bytes().decode("utf-16").replace(",", ";")
    (tmp_path / "a.csv").write_text(text)
    assert len(found("a.csv", tmp_path).listeners) == 4


def test_another_language_is_told() -> None:
    message = refused("windows-netstat-german.txt")
    assert "another language" in message
    assert "Get-NetTCPConnection" in message


@pytest.mark.parametrize("name", ["ss.txt", "netstat.txt", "lsof.txt", "windows-netstat.txt", "windows-tcp.csv"])
def test_a_cut_listing_never_gives_a_wrong_socket(name: str, tmp_path: Path) -> None:
    """Cut anywhere, it is refused, or gives sockets that the whole one has."""
    whole = (DATA / name).read_bytes()
    known = {(one.transport, one.address, one.port) for one in found(name).listeners}
    refusals = 0
    for size in range(0, len(whole), 7):
        (tmp_path / "cut.txt").write_bytes(whole[:size])
        try:
            listing = found("cut.txt", tmp_path)
        except ListingError:
            refusals += 1
            continue
        assert {(one.transport, one.address, one.port) for one in listing.listeners} <= known, whole[:size]
    assert refusals > len(whole) // 7 // 20


def test_a_line_cut_in_the_middle_is_named(tmp_path: Path) -> None:
    lines = (DATA / "ss.txt").read_text().splitlines()
    (tmp_path / "cut.txt").write_text("\n".join([*lines[:3], lines[3][:20]]))
    assert "cut.txt:4:1: the line cannot be read" in refused("cut.txt", tmp_path)


ALL_SOCKETS = {
    "ss -anp": """\
Netid State  Recv-Q Send-Q Local Address:Port   Peer Address:Port  Process
nl    UNCONN 4352   0                  4:20281              *
u_str ESTAB  0      0                  * 308070            * 308069 users:(("cargo",pid=20210,fd=5))
tcp   LISTEN 0      128          0.0.0.0:10000       0.0.0.0:*      users:(("beremote",pid=900,fd=5))
tcp   ESTAB  0      0         10.77.0.21:10000    10.77.0.10:50200  users:(("beremote",pid=900,fd=7))
v_str LISTEN 0      0              *:1024              *:*
""",
    "netstat -anp": """\
Active Internet connections (servers and established)
Proto Recv-Q Send-Q Local Address           Foreign Address         State       PID/Program name
tcp        0      0 0.0.0.0:10000           0.0.0.0:*               LISTEN      900/beremote
tcp        0      0 10.77.0.21:10000        10.77.0.10:50200        ESTABLISHED 900/beremote
raw        0      0 0.0.0.0:1               0.0.0.0:*               7           -
Active UNIX domain sockets (servers and established)
Proto RefCnt Flags       Type       State         I-Node   PID/Program name     Path
unix  3      [ ]         STREAM     CONNECTED     308074   20210/cargo
""",
}


@pytest.mark.parametrize("command", ALL_SOCKETS)
def test_a_listing_of_all_sockets_holds_the_listening_ones(command: str, tmp_path: Path) -> None:
    (tmp_path / "all.txt").write_text(ALL_SOCKETS[command])
    (listener,) = found("all.txt", tmp_path).listeners
    assert (listener.transport, listener.port, listener.program, listener.pid) == ("tcp", 10000, "beremote", 900)


WINDOWS = """
Active Connections

  Proto  Local Address          Foreign Address        State           PID
  TCP    0.0.0.0:445            0.0.0.0:0              LISTENING       4
 Can not obtain ownership information
  TCP    0.0.0.0:10000          0.0.0.0:0              LISTENING       1840
 [beremote.exe]"""


@pytest.mark.parametrize("rest", [" Can not obtain owner", "  RpcSs", "  TCP    0.0.0.0:6101    0.0.0.0:0    LISTEN"])
def test_windows_cut_where_the_rest_would_read_well(rest: str, tmp_path: Path) -> None:
    (tmp_path / "whole.txt").write_text(WINDOWS)
    assert [one.port for one in found("whole.txt", tmp_path).listeners] == [445, 10000]
    (tmp_path / "part.txt").write_text(f"{WINDOWS}\n{rest}")
    assert "cut" in refused("part.txt", tmp_path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"hello\nworld\n", "no listing of sockets"),
        (b"\x00\xff" * 500, "no listing of sockets"),
        (b"COMMAND PID USER FD TYPE DEVICE SIZE/OFF NODE NAME\n", "no listening socket"),
        (b"COMMAND PID USER FD TYPE DEVICE SIZE/OFF NODE NAME\nx 1 r 3u IPv4 1 0t0 TCP *:ndmp (LISTEN)\n", "by name"),
        (b'"LocalAddress","LocalPort","State"\n"::","10000","Lis', "cut"),
        (b'"LocalAddress","LocalPort","State"\n"::","99999","Listen"\n', "no port"),
    ],
)
def test_what_is_no_listing_is_refused(content: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes(content)
    assert says in refused("x.txt", tmp_path)
    assert "cannot be read: No such file" in refused("missing.txt", tmp_path)


@pytest.mark.parametrize(
    ("program", "process", "same"),
    [
        ("beremote.exe", "beremote.exe", True),
        ("BEREMOTE.EXE", "beremote.exe", True),
        ("beremote", "beremote.exe", True),
        (r"C:\Program Files\Veritas\Backup Exec\beremote.exe", "beremote.exe", True),
        ("/opt/VRTSralus/bin/beremote", "beremote.exe", True),
        ("beremotex", "beremote.exe", False),
        ("", "beremote.exe", False),
    ],
)
def test_programs_are_the_same_whatever_the_system(program: str, process: str, same: bool) -> None:
    assert Listener("tcp", EVERY, 10000, program).runs(process) is same


def test_lsof_shows_nine_characters() -> None:
    assert Listener("tcp", EVERY, 3999, "DLOAdminS", shortened=True).runs("DLOAdminSvcu.exe")
    assert not Listener("tcp", EVERY, 3999, "DLOAdminS").runs("DLOAdminSvcu.exe")


def test_tcp_and_udp_in_two_files_miss_nothing() -> None:
    """A listing of UDP sockets alone says nothing of TCP services."""
    policy = load_policy(rules_folder() / "examples.yaml")
    udp = Listing("10.0.2.9", "udp.csv", "PowerShell", (Listener("udp", EVERY, 1434, "x"),))
    rows = list(listener_rows([udp], policy, load_catalogue(policy.generation)))
    assert [row for row in rows if row.listener is None and row.service and row.service.transport == "tcp"] == []
    tcp = Listing("10.0.2.9", "tcp.csv", "PowerShell", (Listener("tcp", EVERY, 10000, "beremote"),))
    assert all(row.listener for row in listener_rows([udp, tcp], policy, load_catalogue(policy.generation)))


def audited(*sockets: tuple[str, str], policy: Path | None = POLICY) -> auditor.Report:
    return auditor.audit([CAPTURE], policy_path=policy, options=AuditOptions(sockets=sockets))


def test_a_listing_proves_a_role_and_traffic_infers_it() -> None:
    report = audited(("10.77.0.10", str(DATA / "windows-netstat.txt")))
    hosts = {host.address: host for host in report.hosts}
    media, agent = hosts["10.77.0.10"], hosts["10.77.0.21"]
    assert set(media.proved_roles) == {"beremote.exe", "benetns.exe", "beserver.exe", "sqlservr.exe"}
    assert "media server" in media.process_roles
    assert "media server" not in media.proved_roles
    assert any(reason.startswith("beserver.exe (proved): beserver.exe listens on tcp 3527") for reason in media.because)
    assert agent.proved_roles == ()
    assert agent.process_roles == ("beremote.exe",)
    assert not [one for one in report.findings if one.code.startswith("BX00")]


def test_webmin_on_port_10000() -> None:
    report = audited(("10.77.0.21", str(DATA / "ss-webmin.txt")))
    (one,) = [one for one in report.findings if one.code.startswith("BX00")]
    assert (one.code, one.subject["host"], one.subject["port"]) == ("BX002", "10.77.0.21", "10000")
    assert "miniserv.pl" in one.message
    assert "ss-webmin.txt line 3" in one.message


def test_a_host_may_be_named_as_the_policy_names_it(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(f"{POLICY.read_text()}\nhosts:\n  10.77.0.21: {{name: agent1}}\n")
    report = audited(("agent1", str(DATA / "ss-webmin.txt")), policy=path)
    assert "BX002" in {one.code for one in report.findings}
    with pytest.raises(UsageError, match="agent7"):
        audited(("agent7", str(DATA / "ss-webmin.txt")), policy=path)


def test_the_option_of_the_command(tmp_path: Path) -> None:
    done = run_auditor("audit", CAPTURE, "--policy", POLICY, "--sockets", f"10.77.0.21={DATA / 'ss-webmin.txt'}")
    assert done.code == 1
    assert "BX002" in done.out
    for wrong in ("10.77.0.21", "=x", "10.77.0.21="):
        done = run_auditor("audit", CAPTURE, "--sockets", wrong)
        assert (done.code, "HOST=FILE" in done.err) == (2, True)
    done = run_auditor("audit", CAPTURE, "--sockets", f"10.77.0.21={tmp_path / 'none.txt'}")
    assert done.code == 2
    assert "Traceback" not in done.err
    assert ":1:1" not in done.err


def test_a_listed_host_without_traffic_has_a_row() -> None:
    """10.77.0.77 occurs in no packet of the capture."""
    report = audited(("10.77.0.77", str(DATA / "windows-netstat.txt")))
    (host,) = [host for host in report.hosts if host.address == "10.77.0.77"]
    assert (host.zone, host.operations) == ("undeclared", 0)
    assert host.because[-1] == "no traffic that concerns the audit was seen of it"
