"""The hosts of a session scenario with the lab's own NDMP peers on them, and the truth of what these did."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import told
from network import HOSTS, Network, address
from scenarios import policy

Json = dict[str, Any]
HERE = Path(__file__).parent
AGENT_PORTS = (50100, 50124)
MEDIA = address("media")


class Site:
    """The hosts of one scenario, their processes and their logs."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._folder = tempfile.TemporaryDirectory(prefix="auditor-lab-")  # goes with this object
        self.work = Path(self._folder.name)
        self.hosts = {address(host, ipv6=six): host for host in HOSTS for six in (False, True)}
        self.hosts["127.0.0.1"] = "agent1"
        self._servers: list[subprocess.Popen[str]] = []
        self._clients: list[subprocess.Popen[str]] = []
        for host in ("agent1", "agent2", "filer", "filer2"):
            network.dynamic_ports(host, *AGENT_PORTS)

    def serve(self, host: str, *, at: str = "", port: int = 10000, **options: str) -> None:
        """Start an NDMP server; ``at`` is its address if not the host's."""
        words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]
        log = self.work / f"server{len(self._servers)}.log"
        command = (sys.executable, HERE / "server.py", at or address(host), str(port), log, *words)
        process = self.network.start(host, *command, stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()  # "READY"
        self._servers.append(process)

    def start(self, *jobs: Json, host: str = "media") -> None:
        """Start a client with its jobs."""
        number = len(self._clients)
        plan = self.work / f"jobs{number}.json"
        plan.write_text(json.dumps(jobs))
        log = self.work / f"client{number}.log"
        words = (sys.executable, HERE / "dma.py", log, plan)
        self._clients.append(self.network.start(host, *words, stderr=subprocess.PIPE))

    def finish(self) -> None:
        """Wait for the clients; raises RuntimeError where a job failed."""
        for client in self._clients:
            complaints = client.communicate(timeout=60)[1]
            if client.returncode:
                raise RuntimeError(complaints)
        time.sleep(0.3)  # the servers' logs
        for server in self._servers:
            server.terminate()

    def truth(self, description: str, *, tunnel_log: Path | None = None, began: float = 0, **declared: Any) -> Json:
        """Return what the logs tell. ``began``: when tcpdump did, if sessions were open already."""
        said = told.events(self.work.glob("*[0-9].log"))
        sessions = told.controls(said, self.hosts)
        data = told.data_connections(said, sessions, self.hosts)
        tunnels = told.tunnels(tunnel_log, self.hosts, sessions) if tunnel_log else []
        for one in (*sessions, *data):
            one["begun_before_capture"] = one["t_open"] < began
        return {
            "description": description,
            "policy": policy(agent_dynamic_range=list(AGENT_PORTS), **declared),
            "control_sessions": sessions,
            "data_connections": data,
            "other_tcp": tunnels,
        }

    def certificate(self) -> Path:
        """Make a key and a certificate of its own; return the file with both."""
        path = self.work / "agent.pem"
        words = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=agent1.lab.invalid")
        key = self.work / "key.pem"
        subprocess.run(["openssl", *words, "-keyout", key, "-out", path], check=True, capture_output=True)
        path.write_text(path.read_text() + key.read_text())
        return path


def job(server: str | tuple[str, ...], *steps: Json, version: int = 4, auth: str = "md5", **more: Any) -> Json:
    """Return a job of dma.py."""
    ends = [server] if isinstance(server, str) else list(server)
    port = more.pop("port", 10000)
    return {"servers": [[end, port] for end in ends], "version": version, "auth": auth, "steps": list(steps), **more}


def step(way: str, op: str = "backup", size: int = 24_000, **more: Any) -> Json:
    """Return a transfer of dma.py."""
    return {"way": way, "op": op, "size": size, "pace": 0.03, "poll": 0.25, **more}


def back(op: str = "backup", size: int = 24_000, at: str = MEDIA, **more: Any) -> Json:
    """Return a transfer whose data connection the server opens to the client."""
    return step("agent-connects", op, size, at=at, **more)


def checked(network: Network, host: str, *words: str) -> None:
    """Run a program on a host; raises RuntimeError where it fails."""
    done = network.run(host, *words)
    if done.returncode:
        raise RuntimeError(f"{host}: {' '.join(words)}: {done.stderr}")
