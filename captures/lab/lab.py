#!/usr/bin/env python3
"""Make small captures of backup traffic between network namespaces, each with its truth.

    captures/lab/lab.py mover-listen FOLDER       three backups over NDMP v2, v3 and v4 (needs ndmjob and strace)
    captures/lab/lab.py notification FOLDER       mail and traps from those who may and those who may not
    captures/lab/lab.py notification-ipv6 FOLDER  the same over IPv6
    captures/lab/lab.py blocked FOLDER            what a dropping and a rejecting firewall look like (needs nft)
    captures/lab/lab.py three-way FOLDER          NDMP sessions of one shape; --help names all shapes

Writes FOLDER/NAME.pcap and FOLDER/truth.json, and FOLDER/policy.yaml where there is none. Needs root on Linux. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jobs
import scenarios
import sessions
from network import HOSTS, Network, address, missing

Json = dict[str, Any]

METHOD = (
    "connections: what the sockets of each process saw (its own report, or strace of accept, connect and read); "
    "NDMP: the data agent's own log; violations: the scenario's knowledge. Packets were never consulted."
)
SCENARIOS: dict[str, tuple[tuple[str, ...], Callable[[Network, Path], Json]]] = {
    "mover-listen": ((jobs.NDMJOB, "strace"), jobs.mover_listen),
    "notification": ((), scenarios.notification),
    "notification-ipv6": ((), scenarios.notification_ipv6),
    "blocked": (("nft",), scenarios.blocked),
}


def capture(network: Network, target: Path, scenario: Callable[[Network, Path], Json], snaplen: int = 0) -> Json:
    """Run a scenario while tcpdump listens on the bridge; return its truth with the facts of the capture."""
    cut = ("-s", str(snaplen)) if snaplen else ()
    words = ("tcpdump", "-i", "br0", "--immediate-mode", "-U", "-Z", "root", *cut, "-w", target)
    tcpdump = network.start("switch", *words, stderr=subprocess.PIPE)
    assert tcpdump.stderr is not None
    tcpdump.stderr.readline()  # "listening on br0"
    began = time.time()
    told = scenario(network, target.parent)
    time.sleep(0.5)  # the last segments
    tcpdump.send_signal(signal.SIGINT)
    closing = tcpdump.communicate(timeout=10)[1]
    counts = [int(number) for number in re.findall(r"^(\d+) packets? (?:captured|dropped)", closing, re.MULTILINE)]
    facts = {
        "capture_point": "switch/br0",
        "command": " ".join(["tcpdump", *cut]),
        "t_start": began,
        "t_stop": time.time(),
    }
    return {**facts, "packets": counts[0], "dropped_by_kernel": counts[1], **told}


def version_of(*command: str) -> str:
    """Return the first line that a program prints about itself."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).strip().partition("\n")[0]


def truth_of(name: str, told: Json, target: Path) -> Json:
    """Complete a scenario's truth with what is common to all."""
    data = target.read_bytes()
    software = {"kernel": platform.release(), "tcpdump": version_of("tcpdump", "--version")}
    if told.get("jobs"):
        software["ndmjob"] = version_of("dpkg-query", "-f", "${Version}", "-W", "amanda-common")
    empty: Json = {key: [] for key in ("jobs", "control_sessions", "data_connections", "failed_connects")}
    empty |= {key: [] for key in ("other_tcp", "udp", "extra", "expected_violations", "notes")}
    hosts = [{"name": host, "ip": address(host), "ip6": address(host, ipv6=True)} for host in HOSTS]
    clean = [{key: value for key, value in one.items() if key != "session"} for one in told.get("control_sessions", [])]
    told = {**told, "control_sessions": clean}
    size = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    return {"method": METHOD, "software": software, "scenario": name, **size, "hosts": hosts, **empty, **told}


def policy_of(name: str, declared: Json) -> str:
    """Write the policy that a truth declares as a policy file."""
    agents = "".join(f"\n    {line}" for line in _ranged(declared["agents"], declared["agent_dynamic_range"]))
    zones = {"media-servers": "media_servers", "filers": "filers", "databases": "sql_hosts"}
    zones |= {"mail-relays": "smtp_servers", "snmp-managers": "snmp_managers"}
    lines = [f"  {zone}: {json.dumps(declared[key])}" for zone, key in zones.items()]
    about = f"# Policy of captures/{name}: what this site declares. The truth beside it says what really happened."
    head = f"{about}\ngeneration: 11d-12\nndmp_port: {declared['ndmp_port']}\n\nzones:\n"
    return head + "\n".join([lines[0], f"  agents:{agents}", *lines[1:]]) + "\n"


def _ranged(hosts: list[str], ports: list[int]) -> list[str]:
    return [f"hosts: {json.dumps(hosts)}", f"dynamic_ports: {ports[0]}-{ports[1]}"]


def main() -> int:
    """Make one capture; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", choices=sorted({*SCENARIOS, *sessions.SCENARIOS}))
    parser.add_argument("folder", type=Path, help="is made; NAME.pcap and truth.json in it are overwritten")
    arguments = parser.parse_args()
    shape = sessions.SCENARIOS[arguments.scenario]() if arguments.scenario in sessions.SCENARIOS else None
    tools, scenario = (shape.tools, lambda *_: shape.run()) if shape else SCENARIOS[arguments.scenario]
    lacking = missing(tools)
    if lacking:
        print("lab: missing:", ", ".join(lacking), file=sys.stderr)
        return 2
    arguments.folder.mkdir(parents=True, exist_ok=True)
    target = arguments.folder.resolve() / f"{arguments.folder.resolve().name}.pcap"
    with Network() as network:
        if shape:
            shape.before(network)
        told = capture(network, target, scenario, shape.snaplen if shape else 0)
    truth = truth_of(arguments.scenario, told, target)
    (arguments.folder / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")
    declared = arguments.folder / "policy.yaml"
    if not declared.exists():
        declared.write_text(policy_of(arguments.folder.resolve().name, truth["policy"]))
    print(f"{target.name}: {truth['packets']} packets, {truth['size']} bytes; truth.json beside it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
