"""Hosts of the lab: one network namespace each, joined by a bridge in a namespace of its own.

Nothing is created in the machine's own network. Names carry the process id, so that runs do not meet, and all of
it is removed at the end, whatever happened.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

HOSTS = {
    "media": 10,
    "agent1": 21,
    "agent2": 22,
    "filer": 30,
    "filer2": 31,
    "mail": 40,
    "snmp": 50,
    "sql": 60,
    "rogue": 99,
}
"""Name and last byte of the address of each host."""

TOOLS = ("ip", "tcpdump")


def address(host: str, *, ipv6: bool = False) -> str:
    """Return the address of a host in 10.88.0.0/24 or fd88::/64."""
    return f"fd88::{HOSTS[host]:x}" if ipv6 else f"10.88.0.{HOSTS[host]}"


def missing(tools: Sequence[str]) -> list[str]:
    """Return what is needed and not there, as words for the user."""
    lacking = [tool for tool in (*TOOLS, *tools) if shutil.which(tool) is None]
    if os.geteuid() != 0:
        lacking.append("root (network namespaces need it)")
    return lacking


class Network:
    """The namespaces of one run; a context manager that removes them and ends what it started in them."""

    def __init__(self) -> None:
        self._prefix = f"auditor{os.getpid()}"
        self._made: list[str] = []
        self._running: list[subprocess.Popen[Any]] = []

    def namespace(self, host: str) -> str:
        """Return the name of a host's namespace."""
        return f"{self._prefix}-{host}"

    def __enter__(self) -> Self:
        try:
            self._build()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _build(self) -> None:
        self._namespace("switch")
        switch = self.namespace("switch")
        # Nobody talks but the hosts: the bridge has no address of its own, and does not report groups to snoop on.
        _ip("-n", switch, "link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
        _write_setting(switch, "net/ipv6/conf/br0/disable_ipv6", "1")
        _ip("-n", switch, "link", "set", "br0", "up")
        for host in HOSTS:
            self._namespace(host)
            self._join(host)

    def _namespace(self, host: str) -> None:
        name = self.namespace(host)
        _ip("netns", "add", name)
        self._made.append(name)
        _ip("-n", name, "link", "set", "lo", "up")

    def _join(self, host: str) -> None:
        switch, name = self.namespace("switch"), self.namespace(host)
        _ip("-n", switch, "link", "add", host, "type", "veth", "peer", "name", "eth0", "netns", name)
        _write_setting(switch, f"net/ipv6/conf/{host}/disable_ipv6", "1")
        _ip("-n", switch, "link", "set", host, "master", "br0", "up")
        _ip("-n", name, "link", "set", "eth0", "address", f"02:88:00:00:00:{HOSTS[host]:02x}")
        # One segment for one frame, as on a real wire.
        _ip("-n", name, "link", "set", "eth0", "gso_max_segs", "1", "up")
        _ip("-n", name, "address", "add", f"{address(host)}/24", "dev", "eth0")
        _ip("-n", name, "address", "add", f"{address(host, ipv6=True)}/64", "dev", "eth0", "nodad")

    def dynamic_ports(self, host: str, low: int, high: int) -> None:
        """Give a host its dynamic port range."""
        _write_setting(self.namespace(host), "net/ipv4/ip_local_port_range", f"{low} {high}")

    def command(self, host: str, *words: str | Path) -> list[str]:
        """Return the command line that runs ``words`` on a host."""
        return ["ip", "netns", "exec", self.namespace(host), *map(str, words)]

    def run(self, host: str, *words: str | Path, timeout: float = 20) -> subprocess.CompletedProcess[str]:
        """Run a program on a host to its end."""
        return subprocess.run(self.command(host, *words), capture_output=True, text=True, timeout=timeout, check=False)

    def start(self, host: str, *words: str | Path, **options: Any) -> subprocess.Popen[str]:
        """Start a program on a host; it is ended with the network at the latest."""
        process = subprocess.Popen(self.command(host, *words), text=True, **options)
        self._running.append(process)
        return process

    def close(self) -> None:
        """End what is still running and remove the namespaces, and with them their interfaces."""
        for process in self._running:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    process.kill()
        for name in reversed(self._made):
            subprocess.run(["ip", "netns", "delete", name], check=False)
        self._made.clear()


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def _write_setting(namespace: str, name: str, value: str) -> None:
    command = ["ip", "netns", "exec", namespace, "tee", f"/proc/sys/{name}"]
    subprocess.run(command, input=value, text=True, stdout=subprocess.DEVNULL, check=True)
