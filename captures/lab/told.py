"""The truth of a session capture, put together from what both ends of every connection logged. No packet is read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Json = dict[str, Any]
End = tuple[str, int]

_ACCEPTED = re.compile(
    r"^\S+ \S+ socat\[(?P<pid>\d+)\] N accepting connection from AF=2 (?P<client>[\d.]+):(?P<client_port>\d+) "
    r"on AF=2 (?P<server>[\d.]+):(?P<server_port>\d+)$"
)
_CHILD = re.compile(r"^\S+ \S+ socat\[\d+\] N forked off child process (?P<pid>\d+)$")
_INSIDE = re.compile(
    r"^\S+ \S+ socat\[(?P<pid>\d+)\] N successfully connected from local address AF=2 (?P<host>[\d.]+):(?P<port>\d+)$"
)


def events(logs: Iterable[Path]) -> list[Json]:
    """Return what all processes told, in order of time."""
    lines = [json.loads(line) for log in logs for line in log.read_text().splitlines()]
    return sorted(lines, key=lambda line: float(line["t"]))


def _end(pair: list[Any]) -> End:
    return pair[0], pair[1]


def controls(told: list[Json], hosts: dict[str, str]) -> list[Json]:
    """Return the control sessions as the NDMP servers saw them; raises RuntimeError where a client's log disagrees."""
    served = [event for event in told if event["event"] == "control" and "session" in event]
    dialled = {(_end(e["local"]), _end(e["remote"])) for e in told if e["event"] == "control" and "session" not in e}
    sessions = []
    for number, event in enumerate(sorted(served, key=lambda e: float(e["t_open"])), 1):
        client, server = _end(event["remote"]), _end(event["local"])
        if dialled and (client, server) not in dialled:
            raise RuntimeError(f"no client tells of {client} -> {server}")
        sessions.append(
            {
                "id": f"C{number}",
                **_ends(client, server, hosts),
                "t_open": event["t_open"],
                "ndmp_version": event["version"],
                "auth": event["auth"],
                "tls": event["tls"],
                "messages": event["messages"],
                "on_wire": True,
                "begun_before_capture": False,
                "session": event["session"],
            }
        )
    return sessions


def _ends(client: End, server: End, hosts: dict[str, str]) -> Json:
    return {
        "client": client[0],
        "client_port": client[1],
        "server": server[0],
        "server_port": server[1],
        "client_host": hosts[client[0]],
        "server_host": hosts[server[0]],
    }


def data_connections(told: list[Json], sessions: list[Json], hosts: dict[str, str]) -> list[Json]:
    """Return the data connections; both ends' logs must agree on ports and bytes. Raises RuntimeError otherwise."""
    names = {session["session"]: session["id"] for session in sessions}
    listened = [event for event in told if event["event"] == "data" and not event["opened"]]
    opened = {(_end(event["local"]), event["remote"][1]): event for event in told if event["event"] == "data"}
    found: list[Json] = []
    for number, event in enumerate(sorted(listened, key=lambda e: float(e["t_open"])), 1):
        client, server = _end(event["remote"]), _end(event["local"])
        other = opened.get((client, server[1]))
        if other is not None and (other["sent"], other["received"]) != (event["received"], event["sent"]):
            raise RuntimeError(f"{client} -> {server}: the ends disagree: {event} {other}")
        ours = [names[e["session"]] for e in (event, other) if e is not None and e["session"]]
        # A translated address: the opener saw another end than the listener has.
        translated = other is not None and _end(other["remote"]) != server
        found.append(
            {
                "id": f"D{number}",
                **_ends(client, server, hosts),
                "t_open": event["t_open"],
                "client_payload_bytes": event["received"],
                "server_payload_bytes": event["sent"],
                "control_sessions": sorted(ours),
                "translated": translated,
                "on_wire": True,
                "begun_before_capture": False,
            }
        )
    return found


def tunnels(log: Path, hosts: dict[str, str], sessions: list[Json]) -> list[Json]:
    """Return the TLS connections that socat carried, and put each one's name into the session inside it."""
    found: list[Json] = []
    accepted: re.Match[str] | None = None
    outside: dict[str, Json] = {}
    for line in log.read_text().splitlines():
        if match := _ACCEPTED.match(line):
            accepted = match
        elif (match := _CHILD.match(line)) and accepted is not None:
            ends = _ends(
                (accepted["client"], int(accepted["client_port"])),
                (accepted["server"], int(accepted["server_port"])),
                hosts,
            )
            outside[match["pid"]] = {"id": f"O{len(found) + 1}", **ends}
            found.append({**outside[match["pid"]], "service": "tls-server", "on_wire": True})
        elif match := _INSIDE.match(line):
            for session in sessions:
                if (session["client"], session["client_port"]) == (match["host"], int(match["port"])):
                    session |= {"on_wire": False, "tunnel": outside[match["pid"]]["id"]}
    return found
