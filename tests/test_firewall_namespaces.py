"""The nftables rules in a real router: three namespaces, a media server, an agent and the router between them. What the
policy declares passes, all else is dropped, and an audit of the traffic with the same policy finds nothing blocked."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.netns import inside, ip, missing
from tests.support import run_auditor

NEEDED = [name for name in ("nft", "tcpdump") if shutil.which(name) is None]
REASON = missing() or (f"{' and '.join(NEEDED)} not installed" if NEEDED else "")
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON or "there are namespaces")

SITE = """\
generation: 11d-12
zones:
  media-servers: {hosts: [10.66.1.10, "fd66:1::10"], dynamic_ports: 50200-50224}
  agents: {hosts: [10.66.2.0/24, "fd66:2::/64"], dynamic_ports: 50100-50124}
terms:
  - {name: no-sql, action: deny, source: [10.66.2.21, "fd66:2::21"], destination: media-servers, ports: 1125}
  - {name: rdp, action: permit, source: media-servers, destination: agents, transport: tcp, ports: 3389}
"""
MEDIA, AGENT, ROUTER = "media", "agent", "router"
ADDRESS = {4: {MEDIA: "10.66.1.10", AGENT: "10.66.2.21"}, 6: {MEDIA: "fd66:1::10", AGENT: "fd66:2::21"}}

# Who opens what, and whether it passes: read off the policy above and the vendor's table, by hand.
DECLARED = [(MEDIA, 10000), (MEDIA, 50100), (MEDIA, 50124), (MEDIA, 3389), (AGENT, 6101), (AGENT, 3527), (AGENT, 50210)]
DROPPED = [(MEDIA, 50125), (MEDIA, 50099), (MEDIA, 22), (AGENT, 10000), (AGENT, 1125), (AGENT, 3389), (AGENT, 445)]


def name(role: str) -> str:
    return f"auditor-{os.getpid()}-{role}"


@pytest.fixture
def network() -> Iterator[None]:
    """A media server and an agent, each behind an interface of its own of the router."""
    try:
        for role in (MEDIA, AGENT, ROUTER):
            ip("netns", "add", name(role))
            ip("-n", name(role), "link", "set", "lo", "up")
        for number, role in ((1, MEDIA), (2, AGENT)):
            ip("-n", name(ROUTER), "link", "add", role, "type", "veth", "peer", "name", "eth0", "netns", name(role))
            for space, link, four, six in (
                (ROUTER, role, f"10.66.{number}.1/24", f"fd66:{number}::1/64"),
                (role, "eth0", f"{ADDRESS[4][role]}/24", f"{ADDRESS[6][role]}/64"),
            ):
                ip("-n", name(space), "address", "add", four, "dev", link)
                ip("-n", name(space), "address", "add", six, "dev", link, "nodad")
                ip("-n", name(space), "link", "set", link, "up")
            ip("-n", name(role), "route", "add", "default", "via", f"10.66.{number}.1")
            ip("-n", name(role), "-6", "route", "add", "default", "via", f"fd66:{number}::1")
        forward = "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding"
        subprocess.run(["ip", "netns", "exec", name(ROUTER), "sh", "-c", forward], check=True)
        yield
    finally:
        for role in (MEDIA, AGENT, ROUTER):
            subprocess.run(["ip", "netns", "delete", name(role)], capture_output=True)


@pytest.fixture
def rules(network: None, tmp_path: Path) -> str:
    """The rules, loaded as they come out of the command."""
    (tmp_path / "site.yaml").write_text(SITE)
    done = run_auditor("policy", "firewall", "site.yaml", "--target", "nftables", "--output", "rules.nft", cwd=tmp_path)
    assert done.code == 0, done.err
    for _ in range(2):  # the second time replaces what the first one loaded
        subprocess.run(["ip", "netns", "exec", name(ROUTER), "nft", "-f", str(tmp_path / "rules.nft")], check=True)
    return (tmp_path / "rules.nft").read_text()


@contextlib.contextmanager
def captured(path: Path) -> Iterator[None]:
    """Record what the media server sees meanwhile."""
    words = ["ip", "netns", "exec", name(MEDIA), "tcpdump", "-i", "eth0", "-U", "-w", str(path), "--immediate-mode"]
    process = subprocess.Popen([*words, "tcp"], stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        assert "listening" in process.stderr.readline()
        yield
        time.sleep(0.2)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)


def outcomes(attempts: list[tuple[str, int]], version: int) -> dict[tuple[str, int], bool]:
    """Open all connections at once, each to a listener, and return which were established, data sent both ways."""
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    with contextlib.ExitStack() as stack:
        pairs = {}
        for role, port in attempts:
            other = AGENT if role == MEDIA else MEDIA
            with inside(name(other)):
                listener = stack.enter_context(socket.create_server((ADDRESS[version][other], port), family=family))
            with inside(name(role)):
                caller = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
            caller.setblocking(False)
            caller.connect_ex((ADDRESS[version][other], port))
            pairs[role, port] = (caller, listener)
        waiting = [caller for caller, _ in pairs.values()]
        # A second SYN comes after a second: of a single one at the end of a capture no answer could be expected.
        end = time.monotonic() + 1.3
        connected: set[socket.socket] = set()
        while (left := end - time.monotonic()) > 0 and len(connected) < len(waiting):
            _, ready, _ = select.select([], [one for one in waiting if one not in connected], [], left)
            connected |= {one for one in ready if one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0}
        for caller, listener in pairs.values():
            if caller in connected:
                accepted, _ = listener.accept()
                with accepted:
                    accepted.settimeout(2)
                    caller.send(b"asked")
                    assert accepted.recv(10) == b"asked"
                    accepted.send(b"answered")
                    caller.settimeout(2)
                    assert caller.recv(10) == b"answered"
        return {key: caller in connected for key, (caller, _) in pairs.items()}


@pytest.mark.parametrize("version", [4, 6])
def test_a_router_with_the_rules_lets_pass_what_is_declared_and_nothing_else(
    rules: str, tmp_path: Path, version: int
) -> None:
    with captured(tmp_path / "declared.pcap"):
        found = outcomes(DECLARED, version)
    assert found == dict.fromkeys(DECLARED, True)
    with captured(tmp_path / "dropped.pcap"):
        found = outcomes(DROPPED, version)
    assert found == dict.fromkeys(DROPPED, False)

    listing = subprocess.run(
        ["ip", "netns", "exec", name(ROUTER), "nft", "list", "chain", "inet", "backup_exec", "forward"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    (last,) = re.findall(r"counter packets (\d+) bytes \d+ drop comment \"no rule permits it\"", listing)
    (denied,) = (
        int(count)
        for family, count in re.findall(r"(ip6?) saddr .*counter packets (\d+) bytes \d+ drop comment \"be-", listing)
        if family == ("ip" if version == 4 else "ip6")
    )
    assert int(last) >= len(DROPPED) - 1, "each first packet, but for the one that a rule of its own drops"
    assert denied >= 1

    report = audited(tmp_path, "declared.pcap")
    assert [one["code"] for one in report["findings"] if one["code"].startswith("BX1")] == []
    assert report["totals"]["flows"] == len(DECLARED)
    # Nor is what was dropped anything that the policy had permitted.
    assert [one["code"] for one in audited(tmp_path, "dropped.pcap")["findings"] if one["code"].startswith("BX1")] == []


def test_the_same_traffic_without_a_rule_for_it_is_found_blocked(network: None, tmp_path: Path) -> None:
    """The proof that the test above could fail: a router that drops everything, and the audit says so."""
    (tmp_path / "site.yaml").write_text(SITE)
    drop = "add table inet t\nadd chain inet t c { type filter hook forward priority filter; policy drop; }"
    subprocess.run(["ip", "netns", "exec", name(ROUTER), "nft", "-f", "-"], input=drop.encode(), check=True)
    with captured(tmp_path / "blocked.pcap"):
        assert outcomes([(MEDIA, 10000)], 4) == {(MEDIA, 10000): False}
    codes = {one["code"] for one in audited(tmp_path, "blocked.pcap")["findings"]}
    assert "BX101" in codes


def audited(folder: Path, capture: str) -> dict[str, object]:
    done = run_auditor("audit", capture, "--policy", "site.yaml", "--format", "json", cwd=folder)
    report: dict[str, object] = json.loads(done.out)
    return report
