"""NDMP sessions of every shape, between the lab's own peers (server.py, dma.py) and Debian's ndmjob as client.

Each scenario is a class: ``before`` runs ahead of the capture, ``run`` while tcpdump listens; it returns the truth.
"""

from __future__ import annotations

import subprocess
import time
from typing import Any

from estate import MEDIA, Site, back, checked, job, step
from jobs import NDMJOB
from network import Network, address

Json = dict[str, Any]
AGENT, FILER, FILER2 = (address(host) for host in ("agent1", "filer", "filer2"))


class Scenario:
    """What happens before and during a capture. ``snaplen``: bytes kept of each frame, 0 all."""

    snaplen = 512
    tools: tuple[str, ...] = ()

    def before(self, network: Network) -> None:
        """Prepare; nothing of it is captured."""
        self.site = Site(network)

    def run(self) -> Json:
        """Do it, and return the truth."""
        raise NotImplementedError


class TwoWay(Scenario):
    """Backups and restores of one agent, by version, direction and authentication; one local."""

    def run(self) -> Json:
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

    def run(self) -> Json:
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

    def run(self) -> Json:
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

    def run(self) -> Json:
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

    def run(self) -> Json:
        """Do it, and return the truth."""
        site, outside = self.site, {"filer": "10.99.0.30", "media": "10.99.0.10"}
        for caller, target in (("media", "filer"), ("agent1", "media")):
            chain = "add chain ip lab output { type nat hook output priority -100; }"
            rule = f"add rule ip lab output ip daddr {outside[target]} dnat to {address(target)}"
            checked(site.network, caller, "nft", f"add table ip lab\n{chain}\n{rule}")
            checked(site.network, caller, "ip", "route", "add", "10.99.0.0/24", "dev", "eth0")
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

    def run(self) -> Json:
        """Do it, and return the truth."""
        site, second = self.site, "10.88.0.33"
        site.hosts[second] = "filer"
        checked(site.network, "filer", "ip", "address", "add", f"{second}/24", "dev", "eth0")
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

    def run(self) -> Json:
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

    def run(self) -> Json:
        """Do it, and return the truth."""
        site = self.site
        for host in ("media", "agent1"):
            script = ["add table inet lab"]
            for hook in ("input", "output"):
                script.append(f"add chain inet lab {hook} {{ type filter hook {hook} priority 0; }}")
                script.append(f"add rule inet lab {hook} meta l4proto tcp numgen random mod 100 < 5 drop")
            checked(site.network, host, "nft", "\n".join(script))
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

    def run(self) -> Json:
        """Do it, and return the truth."""
        began = time.time()
        self.site.finish()
        return self.site.truth("three control connections were open already when the capture began", began=began)


class StartTls(Scenario):
    """Control connections that go over to TLS after the private message 0xf383; data in the clear."""

    snaplen = 0
    tools = ("openssl",)

    def run(self) -> Json:
        """Do it, and return the truth."""
        site = self.site
        site.serve("agent1", certificate=str(site.certificate()))
        kinds = [step("agent-listens"), back(), step("agent-listens", "restore"), back("restore")]
        alone = [job(AGENT, kind, tls="TLSv1_3", after=n * 0.8) for n, kind in enumerate(kinds)]
        together = [
            job(
                AGENT, step("agent-listens", size=16_000, poll=0.2 + n / 30), tls="TLSv1_2", version=3, after=4 + n / 20
            )
            for n in range(4)
        ]
        site.start(*alone, *together)
        site.finish()
        return site.truth("eight control connections go over to TLS 1.3 and 1.2; four of them at once")


class Tunnels(Scenario):
    """Debian's ndmjob as client, its control connections inside TLS tunnels of socat; the agent listens for data."""

    snaplen = 0
    tools = ("openssl", "socat", NDMJOB)

    def run(self) -> Json:
        """Do it, and return the truth."""
        site, log = self.site, self.site.work / "socat.txt"
        tls = f"openssl-listen:10000,bind={AGENT},reuseaddr,fork,cert={site.certificate()},verify=0"
        site.serve("agent1", at="127.0.0.1", port=20000, data_address=AGENT)
        with log.open("w") as told_here:
            site.network.start("agent1", "socat", "-d", "-d", tls, "tcp:127.0.0.1:20000", stderr=told_here)
            near = "tcp-listen:20000,bind=127.0.0.1,reuseaddr,fork"
            site.network.start("media", "socat", near, f"openssl:{AGENT}:10000,verify=0")
            time.sleep(0.5)
            self._jobs(site)
        site.finish()
        return site.truth("four backups by ndmjob inside TLS tunnels, the last two at once", tunnel_log=log)

    def _jobs(self, site: Site) -> None:
        running = []
        for number, version in enumerate((3, 4, 3, 4)):
            tape = site.work / f"tape{number}"
            tape.touch()
            account = f"127.0.0.1:20000/{version}m,ndmp,ndmp"
            what = ("-E", "LAB_SIZE=24000", "-E", "LAB_PACE=0.03", "-B", "tar", "-C", "/lab", "-T", ".", "-f", tape)
            words = (NDMJOB, "-c", "-D", account, "-o", "swap-connect", *what)
            running.append(site.network.start("media", *words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT))
            if number < 2:
                running[-1].wait(30)
            time.sleep(0.2)
        for job_ in running:
            said = job_.communicate(timeout=30)[0]
            if job_.returncode:
                raise RuntimeError(said)


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
