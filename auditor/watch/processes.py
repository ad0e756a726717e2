"""Which program owns which port of this very machine, as the system tells (psutil)."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from typing import Any

from auditor.errors import MissingExtra, UsageError
from auditor.listeners import ALL_ADDRESSES, Listener, Listing

_KIND = "this machine"


def own_listings() -> tuple[Listing, ...]:
    """Return what this machine listens on, as one listing for each of its addresses but loopback.

    A program that the system does not tell (another user's, without privilege) is empty, never guessed. Raises MissingExtra
    without psutil, UsageError where the system tells nothing.
    """
    try:
        import psutil
    except ImportError:
        raise MissingExtra("psutil", "processes") from None
    try:
        sockets = psutil.net_connections(kind="inet")
        addresses = psutil.net_if_addrs()
    except (psutil.Error, OSError) as error:
        raise UsageError(
            f"--processes: the system does not tell which program owns which port: {error}",
            fix="run it with the privilege to see other users' programs, or leave --processes out",
        ) from None
    names: dict[int, str] = {}
    listeners = tuple(filter(None, (_listener(one, names) for one in sockets)))
    own = [one.address.partition("%")[0] for several in addresses.values() for one in several if _is_ip(one.family)]
    found = []
    for address in sorted(set(own)):
        parsed = ipaddress.ip_address(address)
        if parsed.is_loopback or parsed.is_link_local:
            continue
        mine = tuple(one for one in listeners if _reaches(one, parsed))
        found.append(Listing(str(parsed), _KIND, _KIND, mine))
    return tuple(found)


def _listener(one: Any, names: dict[int, str]) -> Listener | None:
    """Return a socket that listens: TCP in that state, UDP without a peer."""
    transport = "tcp" if one.type == socket.SOCK_STREAM else "udp"
    if not one.laddr or (one.status != "LISTEN" if transport == "tcp" else bool(one.raddr)):
        return None
    address = ipaddress.ip_address(one.laddr.ip.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    bound = ALL_ADDRESSES if address.is_unspecified else str(mapped or address)
    pid = one.pid or 0
    if pid and pid not in names:
        names[pid] = _program(pid)
    return Listener(transport, bound, one.laddr.port, names.get(pid, ""), pid)


def _program(pid: int) -> str:
    import psutil

    # It may have ended since, or be another user's.
    with contextlib.suppress(psutil.Error, OSError):
        return str(psutil.Process(pid).name())
    return ""


def _reaches(one: Listener, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Return whether a socket belongs to this address: it is bound to it, to all, or to loopback."""
    return one.bound in ("all", "loopback") or one.address == str(address)


def _is_ip(family: int) -> bool:
    return family in (socket.AF_INET, socket.AF_INET6)
