"""Lines of the listings that Unix programs print, and of ``netstat`` of Windows."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator

from auditor.listeners.model import ALL_ADDRESSES, Listener

Complain = Callable[[int, str, str], None]
"""Called with line number, message and fix."""

_SS = re.compile(
    r"(?:(?P<netid>tcp|udp)\s+)?(?P<state>[A-Z][A-Z0-9-]+)\s+\d+\s+\d+\s+(?P<local>\S+):(?P<port>\S+)\s+\S+:\S+"
    r"(?:\s+users:\(\((?P<users>.*)\)\))?(?:\s+\S+:.*)?"
)
_OTHER_FAMILY = re.compile(
    r"(?:nl|p_raw|p_dgr|u_str|u_seq|u_dgr|raw|icmp6?|sctp|dccp|mptcp|tipc|xdp|v_str|v_dgr|\?\?\?)\s"
)
"""Sockets of other families in ``ss -anp``, which has all of TCP and UDP as well."""
_OTHER_PROTOCOL = re.compile(r"(?:raw6?|udplite6?|udpl6?|sctp6?|icmp6?|unix)\s")
_SS_USER = re.compile(r'"(?P<name>[^"]*)",pid=(?P<pid>\d+)')
_NETSTAT = re.compile(
    r"(?P<proto>tcp6?|udp6?)\s+\d+\s+\d+\s+(?P<local>\S+):(?P<port>\S+)\s+\S+:\S+(?:\s+(?P<state>[^\s\d/-][^\s/]*))?"
    r"(?:\s+(?P<pid>\d+)/(?P<name>.*?)|\s+-)?"
)
_LSOF = re.compile(
    r"(?P<name>\S+)\s+(?P<pid>\d+)\s+.*\s(?P<proto>TCP|UDP)\s+(?P<ends>\S+)(?:\s+\((?P<state>[A-Z0-9_]+)\))?"
)
_WINDOWS = re.compile(
    r"\s*(?P<proto>TCP|UDP)\s+(?P<local>\S+):(?P<port>\d+)\s+(?P<remote>\S+)(?:\s+(?P<state>[^\s\d]\S*))?(?:\s+(?P<pid>\d+))?"
)
_TCP_STATES = frozenset({
    "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSED", "CLOSE_WAIT", "LAST_ACK",
    "LISTEN", "CLOSING", "UNKNOWN", "SYN_RECEIVED", "FIN_WAIT_1", "FIN_WAIT_2", "LISTENING", "BOUND", "DELETE_TCB",
})  # fmt: skip
_BEGINNINGS = frozenset({
    None, *(state[:end] for state in ("LISTENING", "ESTABLISHED", "TIME_WAIT") for end in range(1, len(state)))
})  # fmt: skip
"""What is left of states of Windows where a line is cut."""
_OWNERLESS = "Can not obtain ownership information"
_CUT = ("the line cannot be read; the listing seems to be cut", "save the whole output of the command once more")
_NAMES = ("ports are listed by name", "list them as numbers: ss -tulpn, netstat -tulpn, lsof -i -P")


def read_ss(lines: list[str], complain: Complain) -> Iterator[Listener]:
    """Yield the listeners of ``ss -tulpn``; of ``ss -anp`` those among all the sockets there."""
    for number, line in _rows(lines, ("Netid", "State")):
        if _OTHER_FAMILY.match(line):
            continue
        match = _SS.fullmatch(line)
        if match is None:
            complain(number, *_CUT)
        elif match["state"] in ("LISTEN", "UNCONN"):
            user = _SS_USER.search(match["users"] or "")
            transport = match["netid"] or ("tcp" if match["state"] == "LISTEN" else "udp")
            name, pid = (user["name"], int(user["pid"])) if user else ("", 0)
            yield from _listener(transport, match["local"], match["port"], (name, pid), number, complain)


def read_netstat(lines: list[str], complain: Complain) -> Iterator[Listener]:
    """Yield the listeners of ``netstat -tulpn`` of Linux; of ``netstat -anp`` those before the sockets without a network."""
    for number, line in _rows(lines, ("Active", "Proto")):
        if _OTHER_PROTOCOL.match(line):
            continue
        match = _NETSTAT.fullmatch(line)
        if match is None:
            complain(number, *_CUT)
            continue
        transport, state = match["proto"][:3], match["state"] or ""
        if transport == "tcp" and state not in _TCP_STATES:
            complain(number, f"{state or 'no state'!r} is no state of a connection in English", "run it with LC_ALL=C")
        elif transport == "udp" or state == "LISTEN":
            owner = ((match["name"] or "").strip(), int(match["pid"] or 0))
            yield from _listener(transport, match["local"], match["port"], owner, number, complain)


def read_lsof(lines: list[str], complain: Complain) -> Iterator[Listener]:
    """Yield the listeners of ``lsof -i -P``, with or without ``-n``."""
    for number, line in _rows(lines, ("COMMAND",)):
        match = _LSOF.fullmatch(line)
        if match is None:
            complain(number, *_CUT)
            continue
        listens = match["state"] == "LISTEN" if match["proto"] == "TCP" else match["state"] in (None, "Idle")
        local, _, port = match["ends"].rpartition(":")
        if "->" in match["ends"] or not listens:
            if match["proto"] == "TCP" and match["state"] is None:
                complain(number, *_CUT)
            continue
        owner = (re.sub(r"\\x20", " ", match["name"]), int(match["pid"]))
        yield from _listener(match["proto"].lower(), local, port, owner, number, complain, shortened=True)


def read_windows(lines: list[str], complain: Complain) -> Iterator[Listener]:
    """Yield the listeners of ``netstat -abno`` of Windows, where the program follows its socket on a line of its own."""
    pending: tuple[str, str, str, int, int] | None = None
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text.startswith("[") and text.endswith("]") and pending is not None:
            yield from _listener(*pending[:3], (text[1:-1], pending[3]), pending[4], complain)
            pending = None
            continue
        if not text.startswith(("TCP ", "UDP ")):
            continue
        if pending is not None:
            yield from _listener(*pending[:3], ("", pending[3]), pending[4], complain)
        pending = None
        match = _WINDOWS.fullmatch(line.rstrip())
        if match is None or (match["proto"] == "TCP" and match["state"] in _BEGINNINGS):
            complain(number, *_CUT)
        elif match["proto"] == "TCP" and match["state"] not in _TCP_STATES:
            complain(number, *other_language(match["state"]))
        elif match["proto"] == "UDP" or match["state"] == "LISTENING":
            pending = (match["proto"].lower(), match["local"], match["port"], int(match["pid"] or 0), number)
    if pending is not None:
        yield from _listener(*pending[:3], ("", pending[3]), pending[4], complain)


def ends_whole(line: str) -> bool:
    """Return whether a line of ``netstat -abno`` can be the last: a socket, its program, or that there is none to be told."""
    text = line.strip()
    return text.startswith(("TCP ", "UDP ")) or (text.startswith("[") and text.endswith("]")) or text == _OWNERLESS


def other_language(word: str) -> tuple[str, str]:
    """Return what to say of a listing of Windows that is not in English."""
    return (
        f"{word[:40]!r} is not English: this netstat printed in another language",
        "use Get-NetTCPConnection -State Listen | Export-Csv FILE, which is the same in every language",
    )


def _rows(lines: list[str], heads: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Yield the lines that are neither empty nor a heading, each with its number."""
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text and not text.startswith(heads):
            yield number, text


def _listener(
    transport: str,
    local: str,
    port: str,
    owner: tuple[str, int],
    number: int,
    complain: Complain,
    *,
    shortened: bool = False,
) -> Iterator[Listener]:
    if port == "*":  # a socket that is bound to no port yet
        return
    if not (port.isascii() and port.isdecimal() and int(port) <= 0xFFFF):
        complain(number, *_NAMES)
        return
    yield Listener(transport, clean_address(local), int(port), owner[0], owner[1], number, shortened)


def clean_address(text: str) -> str:
    """Return an address as ``ipaddress`` writes it, without brackets and zone; ``ALL_ADDRESSES`` for any; a name as it is."""
    bare = text.strip("[]").partition("%")[0]
    if bare in ("*", "::", "0.0.0.0", ""):  # noqa: S104 - read, not bound
        return ALL_ADDRESSES
    try:
        parsed = ipaddress.ip_address(bare)
    except ValueError:
        return bare.lower()
    mapped = parsed.ipv4_mapped if parsed.version == 6 else None
    return str(mapped or parsed)
