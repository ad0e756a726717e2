"""Network namespaces for tests: a pair of interfaces, one of them here for as long as a ``with`` lasts. Needs root and ip."""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NEW_NETWORK = 0x40000000


def missing() -> str:
    """Return why there can be no namespaces here, or nothing."""
    if not hasattr(socket, "AF_PACKET") or os.geteuid() != 0:
        return "network namespaces need root on Linux"
    if shutil.which("ip") is None:
        return "ip (iproute2) is not installed"
    probe = subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False)
    return "" if probe.returncode == 0 else "this machine allows no network namespaces"


needs_namespaces = pytest.mark.skipif(bool(missing()), reason=missing() or "there are namespaces")


def ip(*words: str) -> None:
    """Run ``ip``; raises CalledProcessError."""
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Pair:
    """Two interfaces, joined, each in a namespace of its own: ``tap`` where is listened, ``gen`` where is sent."""

    def __init__(self) -> None:
        self.listening, self.sending = (f"auditor-{os.getpid()}-{role}" for role in ("tap", "gen"))

    def __enter__(self) -> Pair:
        for name in (self.listening, self.sending):
            ip("netns", "add", name)
            # Nobody talks of their own accord: no router solicitations, no neighbour discovery.
            subprocess.run(
                ["ip", "netns", "exec", name, "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6"],
                check=True,
            )
        self.join()
        return self

    def join(self) -> None:
        """Make the interfaces."""
        ip("-n", self.listening, "link", "add", "tap", "type", "veth", "peer", "name", "gen", "netns", self.sending)
        ip("-n", self.listening, "link", "set", "tap", "up")
        ip("-n", self.sending, "link", "set", "gen", "up")

    def __exit__(self, *_: object) -> None:
        for name in (self.listening, self.sending):
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)

    def send(self, *frames: bytes) -> None:
        """Send frames from the other end."""
        with inside(self.sending), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
            out.bind(("gen", 0))
            for frame in frames:
                out.send(frame)


@contextmanager
def inside(name: str) -> Iterator[None]:
    """Be in a namespace: sockets that are made meanwhile stay in it."""
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(Path("/run/netns") / name, os.O_RDONLY)
    try:
        if libc.setns(there, NEW_NETWORK):
            raise OSError(ctypes.get_errno(), "setns")
        yield
    finally:
        libc.setns(before, NEW_NETWORK)
        os.close(before)
        os.close(there)
