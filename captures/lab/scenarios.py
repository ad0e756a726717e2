"""Scenarios without NDMP: mail and traps, blocked flows. Each returns what its processes told."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from network import Network, address

Json = dict[str, Any]

TALK = Path(__file__).with_name("talk.py")


def policy(*, ipv6: bool = False, **more: Any) -> Json:
    """Return the policy that all scenarios share, as truths write it."""

    def one(host: str) -> list[str]:
        return [address(host, ipv6=ipv6)]

    return {
        "media_servers": one("media"),
        "agents": one("agent1") + one("agent2"),
        "filers": one("filer"),
        "ndmp_port": 10000,
        "agent_dynamic_range": [50100, 50124],
        "media_dynamic_range": None,
        "smtp_servers": one("mail"),
        "snmp_managers": one("snmp"),
        "sql_hosts": one("sql"),
        "domain_controllers": [],
        **more,
    }


@contextmanager
def servers(network: Network, *wanted: tuple[str, ...]) -> Iterator[None]:
    """Run servers, each given as host and words for talk.py, until the end of the block."""
    running = []
    for host, *words in wanted:
        process = network.start(host, sys.executable, TALK, *words, stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()  # "READY"
        running.append(process)
    yield
    for process in running:
        process.terminate()
        process.communicate(timeout=5)


def talk(network: Network, host: str, *words: str) -> Json:
    """Run one program of talk.py on a host and return what its socket saw."""
    done = network.run(host, sys.executable, TALK, *words)
    if done.returncode != 0:
        raise RuntimeError(f"{host}: talk.py {' '.join(words)}: {done.stderr}")
    return {"client_host": host, **json.loads(done.stdout)}


def notification(network: Network, _: Path) -> Json:
    """Mail and traps over IPv4 from the media server, an agent and an outsider."""
    return _notification(network, ipv6=False)


def notification_ipv6(network: Network, _: Path) -> Json:
    """Mail and traps over IPv6 from the media server, an agent and an outsider."""
    return _notification(network, ipv6=True)


def _notification(network: Network, *, ipv6: bool) -> Json:
    mail, snmp = address("mail", ipv6=ipv6), address("snmp", ipv6=ipv6)
    told: Json = {"other_tcp": [], "udp": [], "expected_violations": []}
    with servers(network, ("mail", "mail-server"), ("snmp", "trap-server-udp"), ("snmp", "trap-server-tcp")):
        for host in ("media", "agent1", "rogue"):
            told["other_tcp"].append(talk(network, host, "mail", mail) | {"service": "mail", "on_wire": True})
            told["udp"].append(talk(network, host, "trap-udp", snmp) | {"service": "trap"})
            told["other_tcp"].append(talk(network, host, "trap-tcp", snmp) | {"service": "trap", "on_wire": True})
            if host == "media":
                continue
            who = address(host, ipv6=ipv6)
            smtp = {"type": "smtp-not-from-media-server", "host": who, "server": mail, "port": 25, "proto": "tcp"}
            trap = {"type": "snmp-not-from-media-server", "host": who, "server": snmp, "port": 162}
            told["expected_violations"] += [smtp, {**trap, "proto": "udp"}, {**trap, "proto": "tcp"}]
    about = "only the media server may send mail (25) and traps (162); an agent and an outsider do so too"
    return {"description": about + (" (IPv6)" if ipv6 else ""), "policy": policy(ipv6=ipv6), **told}


DROPPED, RESET, PROHIBITED = "no answer to SYN", "RST", "ICMP admin prohibited"

BLOCKS = (
    ("media", "agent1", 10000, "drop", DROPPED),
    ("media", "agent2", 10000, "reject with tcp reset", RESET),
    ("media", "filer", 10000, "reject with icmp type admin-prohibited", PROHIBITED),
    ("media", "mail", 25, "drop", DROPPED),
    ("media", "sql", 1125, "", RESET),
)
"""Originator, responder, port, what the responder's firewall does ("" nothing: there is no listener), how it shows."""


def blocked(network: Network, _: Path) -> Json:
    """Permitted connections that get no answer or a refusal, each of its own kind."""
    told: Json = {"failed_connects": [], "expected_violations": []}
    for _originator, responder, port, action, _how in BLOCKS:
        if action:
            _filter(network, responder, f"tcp dport {port} {action}")
    for originator, responder, port, _action, how in BLOCKS:
        server = address(responder)
        failed = talk(network, originator, "connect", server, str(port))
        if "errno" not in failed:
            raise RuntimeError(f"{originator} reached {responder}:{port}, which was to be blocked")
        told["failed_connects"].append({"client": address(originator), "t": time.time(), **failed})
        violation = {"type": "required-flow-blocked", "host": address(originator), "server": server, "port": port}
        told["expected_violations"].append({**violation, "how": how})
    about = "agent1:10000 DROP, agent2:10000 RST, filer:10000 ICMP prohibited, mail:25 DROP, sql:1125 no listener"
    return {"description": about, "policy": policy(), **told}


def _filter(network: Network, host: str, rule: str) -> None:
    chain = "add chain inet lab input { type filter hook input priority 0; }"
    script = f"add table inet lab\n{chain}\nadd rule inet lab input {rule}"
    done = network.run(host, "nft", script)
    if done.returncode != 0:
        raise RuntimeError(f"{host}: nft: {done.stderr}")
