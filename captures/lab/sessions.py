"""NDMP sessions of every shape, between the lab's own peers (server.py, dma.py) and Debian's ndmjob as client.

Each scenario is a class: ``before`` runs ahead of the capture, ``run`` while tcpdump listens; it returns the truth.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import told
from jobs import NDMJOB
from network import HOSTS, Network, address
from scenarios import policy

Json = dict[str, Any]
HERE = Path(__file__).parent
AGENT_PORTS = (50100, 50124)
MEDIA, AGENT, FILER, FILER2 = (address(host) for host in ("media", "agent1", "filer", "filer2"))


class Site:
    """The hosts of one scenario, their processes and their logs."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.work = Path(tempfile.mkdtemp(prefix="auditor-lab-"))
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


class Scenario:
    """What happens before and during a capture. ``snaplen``: bytes kept of each frame, 0 all."""

    snaplen = 512
    tools: tuple[str, ...] = ()

    def before(self, network: Network) -> None:
        """Prepare; nothing of it is captured."""
        self.site = Site(network)

    def run(self, network: Network, folder: Path) -> Json:
        """Do it, and return the truth."""
        raise NotImplementedError


class TwoWay(Scenario):
    """Backups and restores of one agent, by version, direction and authentication; one local."""

    def run(self, network: Network, folder: Path) -> Json:
        """Do it, and return the truth."""
        site = self.site
        site.serve("agent1")
        site.start(
            job(AGENT, step("agent-listens"), version=3, auth="text"),
            job(AGENT, step("agent-listens", "restore"), version=4, after=0.8),
            job(AGENT, back(), version=3, after=1.6),
            job(AGENT, back("restore"), version=4, auth="none", after=2.4),
            job(AGENT, back(), version=2, auth="text", after=3.2),
            job(AGENT, back("restore"), version=2, after=4.0),
            job(AGENT, step("local"), version=4, after=4.8),
        )
        site.finish()
        truth = site.truth("v2, v3, v4; backup and restore; the agent listens or connects; one local")
        admitted = {"type": "login-without-authentication", "host": MEDIA, "server": AGENT, "port": 10000}
        return {**truth, "expected_violations": [admitted]}


class ThreeWay(Scenario):
    """Transfers between two filers, in both orders and in each version; the media server carries no data."""

    def run(self, network: Network, folder: Path) -> Json:
        """Do it, and return the truth."""
        site = self.site
        site.serve("filer")
        site.serve("filer2")
        both = (FILER, FILER2)
        site.start(
            job(both, step("mover-listens"), version=4),
            job(both, step("data-listens"), version=3, after=1.0),
            job(both, step("mover-listens", "restore"), version=3, auth="text", after=2.0),
            job(both, step("data-listens", "restore"), version=4, after=3.0),
            job(both, step("mover-listens"), version=2, after=4.0),
            job(both, step("data-to-data"), version=4, after=5.0),
        )
        site.finish()
        about = "three-way between filer and filer2 in both orders, v2 to v4, and data to data"
        return site.truth(about, filers=[FILER, FILER2])


class InSequence(Scenario):
    """Several data connections one after another on one control connection, in turning directions."""

    def run(self, network: Network, folder: Path) -> Json:
        """Do it, and return the truth."""
        site = self.site
        site.serve("agent1")
        site.start(
            job(AGENT, step("agent-listens"), back(), step("agent-listens", "restore"), back("restore"), version=4),
            job(AGENT, *[step("agent-listens", size=16_000)] * 3, version=3, after=0.4),
        )
        site.finish()
        return site.truth("four and three data connections one after another on two control connections")


class AtOnce(Scenario):
    """Many control connections between one pair of hosts at once, all with the same amount of data."""

    def run(self, network: Network, folder: Path) -> Json:
        """Do it, and return the truth."""
        site = self.site
        site.serve("agent1")
        listens = [job(AGENT, step("agent-listens", poll=0.15 + n / 50), after=n * 0.04) for n in range(6)]
        connects = [job(AGENT, back(poll=0.2 + n / 40), version=3, after=0.1 + n * 0.05) for n in range(6)]
        site.start(*listens, *connects)
        site.finish()
        return site.truth("twelve control connections between one pair at once; in six the agent connects")


class Translated(Scenario):
    """The address that is announced is not the one on the wire: translation on the way."""

    tools = ("nft",)

    def run(self, network: Network, folder: Path) -> Json:
        """Do it, and return the truth."""
        site, outside = self.site, {"filer": "10.99.0.30", "media": "10.99.0.10"}
        for caller, target in (("media", "filer"), ("agent1", "media")):
            chain = "add chain ip lab output { type nat hook output priority -100; }"
            rule = f"add rule ip lab output ip daddr {outside[target]} dnat to {address(target)}"
            _checked(network, caller, "nft", f"add table ip lab\n{chain}\n{rule}")
            _checked(network, caller, "ip", "route", "add", "10.99.0.0/24", "dev", "eth0")
        site.serve("filer", announce=outside["filer"])
        site.serve("agent1")
        site.start(
            job(FILER, step("agent-listens"), version=4),
            job(FILER, step("agent-listens", "restore"), version=3, auth="text", after=0.9),
            job(AGENT, back(announce=outside["media"]), version=4, after=1.8),
        )
        site.finish()
        return site.truth("announced addresses 10.99.0.x are translated to 10.88.0.x; the ports stay")


class TwoAddresses(Scenario):
    """A filer that listens for data on another address of its own than the control connection's."""

    def run(self, network: Network, folder: Path) -> Json:
        """Do it, and return the truth."""
        site, second = self.site, "10.88.0.33"
        site.hosts[second] = "filer"
        _checked(network, "filer", "ip", "address", "add", f"{second}/24", "dev", "eth0")
        site.serve("filer", data_address=second)
        jobs = [
            job(FILER, step("agent-listens", op), version=version, after=n * 0.8)
            for n, (op, version) in enumerate((("backup", 4), ("backup", 3), ("restore", 4)))
        ]
        site.start(*jobs)
        site.finish()
        about = "the filer's data address 10.88.0.33 is not its control address 10.88.0.30"
        return site.truth(about, filers=[FILER, second])


class OverIpv6(Scenario):
    """Transfers over IPv6: the v4 address type of the IPv6 extension, and its v3 form."""

    def run(self, network: Network, folder: Path) -> Json:
        """Do it, and return the truth."""
        agent, media = address("agent1", ipv6=True), address("media", ipv6=True)
        site = self.site
        site.serve("agent1", at=agent)
        site.start(
            job(agent, step("agent-listens"), version=4),
            job(agent, back(at=media), version=4, after=0.8),
            job(agent, step("agent-listens", "restore"), version=3, after=1.6),
            job(agent, back("restore", at=media), version=3, auth="text", after=2.4),
        )
        site.finish()
        return site.truth("IPv6; the agent listens or connects, v3 and v4", ipv6=True)


class Lossy(Scenario):
    """One segment in twenty is lost, before the point of capture or behind it."""

    tools = ("nft",)

    def run(self, network: Network, folder: Path) -> Json:
        """Do it, and return the truth."""
        for host in ("media", "agent1"):
            script = ["add table inet lab"]
            for hook in ("input", "output"):
                script.append(f"add chain inet lab {hook} {{ type filter hook {hook} priority 0; }}")
                script.append(f"add rule inet lab {hook} meta l4proto tcp numgen random mod 100 < 5 drop")
            _checked(network, host, "nft", "\n".join(script))
        site = self.site
        site.serve("agent1", port=9999)
        jobs = [
            job(AGENT, step("agent-listens", size=60_000), version=4, port=9999),
            job(AGENT, back(size=60_000), version=3, port=9999, after=0.3),
            job(AGENT, step("agent-listens", "restore", 60_000), version=3, port=9999, after=0.6),
            job(AGENT, back("restore", 60_000), version=4, port=9999, after=0.9),
        ]
        site.start(*jobs)
        site.finish()
        return site.truth("NDMP on 9999; about one TCP segment in twenty was dropped in the hosts", ndmp_port=9999)


class BegunBefore(Scenario):
    """Control connections begun before the capture; one data connection opened before it, the others after."""

    def before(self, network: Network) -> None:
        """Open the control connections, and one data connection."""
        super().before(network)
        self.site.serve("agent1")
        long = step("agent-listens", size=60_000, pace=0.2)
        brief = step("agent-listens", size=8_000, pace=0.01)
        self.site.start(
            job(AGENT, long, version=4),
            job(AGENT, step("agent-listens", size=16_000, pace=0.5), step("agent-listens"), version=3, after=0.1),
            job(AGENT, step("agent-listens", size=16_000, pace=0.55), back(), version=4, after=0.2),
            job(AGENT, brief, version=4, after=2.2),
        )
        time.sleep(1.2)

    def run(self, network: Network, folder: Path) -> Json:
        """Do it, and return the truth."""
        began = time.time()
        self.site.finish()
        return self.site.truth("three control connections were open already when the capture began", began=began)


class StartTls(Scenario):
    """Control connections that go over to TLS after the private message 0xf383; data in the clear."""

    snaplen = 0
    tools = ("openssl",)

    def run(self, network: Network, folder: Path) -> Json:
        """Do it, and return the truth."""
        site = self.site
        site.serve("agent1", certificate=str(site.certificate()))
        kinds = [step("agent-listens"), back(), step("agent-listens", "restore"), back("restore")]
        alone = [job(AGENT, kind, tls="TLSv1_3", after=n * 0.8) for n, kind in enumerate(kinds)]
        together = [
            job(AGENT, step("agent-listens", size=16_000, poll=0.2 + n / 30), tls="TLSv1_2", version=3, after=4 + n / 20)
            for n in range(4)
        ]
        site.start(*alone, *together)
        site.finish()
        return site.truth("eight control connections go over to TLS 1.3 and 1.2; four of them at once")


class Tunnels(Scenario):
    """Debian's ndmjob as client, its control connections inside TLS tunnels of socat; the agent listens for data."""

    snaplen = 0
    tools = ("openssl", "socat", NDMJOB)

    def run(self, network: Network, folder: Path) -> Json:
        """Do it, and return the truth."""
        site, log = self.site, self.site.work / "socat.txt"
        tls = f"openssl-listen:10000,bind={AGENT},reuseaddr,fork,cert={site.certificate()},verify=0"
        site.serve("agent1", at="127.0.0.1", port=20000, data_address=AGENT)
        with log.open("w") as told_here:
            network.start("agent1", "socat", "-d", "-d", tls, "tcp:127.0.0.1:20000", stderr=told_here)
            near = "tcp-listen:20000,bind=127.0.0.1,reuseaddr,fork"
            network.start("media", "socat", near, f"openssl:{AGENT}:10000,verify=0")
            time.sleep(0.5)
            self._jobs(network, site)
        site.finish()
        return site.truth("four backups by ndmjob inside TLS tunnels, the last two at once", tunnel_log=log)

    def _jobs(self, network: Network, site: Site) -> None:
        running = []
        for number, version in enumerate((3, 4, 3, 4)):
            tape = site.work / f"tape{number}"
            tape.touch()
            account = f"127.0.0.1:20000/{version}m,ndmp,ndmp"
            what = ("-E", "LAB_SIZE=24000", "-E", "LAB_PACE=0.03", "-B", "tar", "-C", "/lab", "-T", ".", "-f", tape)
            words = (NDMJOB, "-c", "-D", account, "-o", "swap-connect", *what)
            running.append(network.start("media", *words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT))
            if number < 2:
                running[-1].wait(30)
            time.sleep(0.2)
        for job_ in running:
            said = job_.communicate(timeout=30)[0]
            if job_.returncode:
                raise RuntimeError(said)


def _checked(network: Network, host: str, *words: str) -> None:
    done = network.run(host, *words)
    if done.returncode:
        raise RuntimeError(f"{host}: {' '.join(words)}: {done.stderr}")


SCENARIOS: dict[str, type[Scenario]] = {
    "two-way": TwoWay,
    "three-way": ThreeWay,
    "in-sequence": InSequence,
    "at-once": AtOnce,
    "translated": Translated,
    "two-addresses": TwoAddresses,
    "sessions-ipv6": OverIpv6,
    "lossy": Lossy,
    "begun-before": BegunBefore,
    "starttls": StartTls,
    "tunnels": Tunnels,
}
