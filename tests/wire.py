"""What a capture can show of a truth: the processes' own record, seen from the wire."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

Json = dict[str, Any]
Ends = tuple[str, str]

_CODES = {
    "data-port-out-of-range": "BX301",
    "smtp-not-from-media-server": "BX401",
    "snmp-not-from-media-server": "BX402",
    "ndmp-from-unauthorized-host": "BX201",
    "service-from-unauthorized-host": "BX202",
    "login-without-authentication": "BX603",
}
_ALIASES = {"NOTIFY_CONNECTED": "NOTIFY_CONNECTION_STATUS"}
"""ndmjob logs message 0x502 by its v2 name; the specifications of v3 and v4 call it CONNECTION_STATUS."""
_LEAST_SNAPLEN = 256
"""Control messages up to the announcement of a data address fit into frames of this size."""


def ends_of(record: Json) -> Ends:
    """Return the endpoints of a connection of the truth as reports write them."""
    return endpoint(record["client"], record["client_port"]), endpoint(record["server"], record["server_port"])


def endpoint(address: str, port: int) -> str:
    """Write an endpoint as reports do."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


@dataclass(frozen=True, slots=True)
class Control:
    """A control connection on the wire. ``legible``: all of its NDMP can be read from the capture."""

    endpoints: Ends
    version: int | None
    attempts: list[tuple[str, bool | None]]
    tls: bool
    legible: bool
    messages: Counter[tuple[str, str, int]] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Link:
    """A data connection on the wire with the control connection it belongs to."""

    control: Ends
    endpoints: Ends
    payload: tuple[int, int]
    provable: bool
    whole: bool


class Wire:
    """The truth of one capture, reduced to what was on the wire at the point of capture."""

    def __init__(self, truth: Json) -> None:
        self.truth = truth
        self.snaplen = _snaplen(truth)
        self._tunnels = [other for other in truth["other_tcp"] if other["service"] == "tls-server"]

    @property
    def lossy(self) -> bool:
        """Whether segments were dropped on purpose, so that some were sent again."""
        return bool(self.truth["scenario"] == "lossy")

    @property
    def _legible_frames(self) -> bool:
        return self.snaplen >= _LEAST_SNAPLEN

    @cached_property
    def controls(self) -> list[Control]:
        """The control connections, TLS tunnels included: those are all that the wire shows of their inside."""
        return [self._control(session) for session in self.truth["control_sessions"] if session["on_wire"]] + [
            Control(ends_of(tunnel), None, [], tls=True, legible=False) for tunnel in self._tunnels
        ]

    def _control(self, session: Json) -> Control:
        return Control(
            endpoints=ends_of(session),
            version=session["ndmp_version"],
            attempts=[(attempt["type"], attempt["result"] == "OK") for attempt in session["auth"]],
            tls=session.get("tls", False),
            legible=self._legible_frames and not session["begun_before_capture"] and not session.get("tls", False),
            messages=Counter(
                (m["who"], _ALIASES.get(m["message"], m["message"]), m["seq"]) for m in session["messages"]
            ),
        )

    @cached_property
    def links(self) -> list[Link]:
        """The data connections, each with its control connection as the wire shows it; with two in three-way transfers.

        What is announced after the capture began can be proved, also where the control connection is older.
        """
        hidden = {control.endpoints for control in self.controls if control.tls}
        links = []
        for data in self.truth["data_connections"]:
            if not data["on_wire"]:
                continue
            before = data["begun_before_capture"]
            payload = (data["client_payload_bytes"], data["server_payload_bytes"])
            for session_id in data["control_sessions"]:
                control = self._control_on_wire(session_id)
                told = self._legible_frames and control not in hidden and not before
                provable = told and not data.get("translated", False)
                links.append(Link(control, ends_of(data), payload, provable, not before))
        return links

    def _control_on_wire(self, session_id: str) -> Ends:
        (session,) = (s for s in self.truth["control_sessions"] if s["id"] == session_id)
        if session["on_wire"]:
            return ends_of(session)
        own = session.get("tunnel")
        (tunnel,) = (
            t for t in self._tunnels if own in (None, t.get("id")) and t["server_host"] == session["server_host"]
        )
        return ends_of(tunnel)

    @cached_property
    def failed(self) -> set[Ends]:
        """Connections that never came about."""
        return {ends_of(failed) for failed in self.truth["failed_connects"]}

    def in_order(self, ends: Ends) -> Ends:
        """Turn round what a report guessed the other way: who opened a connection before the capture is not in it."""
        undirected = {link.endpoints for link in self.links if not link.whole}
        return ends[::-1] if ends[::-1] in undirected else ends

    @property
    def supports_a_verdict(self) -> bool:
        """Whether everything that happened can be read from the capture."""
        return all(control.legible for control in self.controls)


def _snaplen(truth: Json) -> int:
    """Return how many bytes of a frame were kept, as the capturing command says."""
    words = truth["command"].split()
    return int(words[words.index("-s") + 1]) if "-s" in words else 1 << 18


def blocked_code(violation: Json, ndmp_port: int) -> str:
    """Return the code of a required flow that was blocked: control, data or another service."""
    if violation.get("what") == "data connection":
        return "BX102"
    return "BX101" if violation["port"] == ndmp_port else "BX104"


def expected_findings(wire: Wire) -> Counter[tuple[str, str, str]]:
    """Return code, originator's address and responder's endpoint of each violation of the truth."""
    expected: Counter[tuple[str, str, str]] = Counter()
    connections = {data["id"]: data for data in wire.truth["data_connections"]}
    for violation in wire.truth["expected_violations"]:
        kind = violation["type"]
        if kind == "required-flow-blocked":
            code = blocked_code(violation, wire.truth["policy"]["ndmp_port"])
        else:
            code = _CODES[kind]
        if "data_connection" in violation:
            data = connections[violation["data_connection"]]
            expected[code, data["client"], ends_of(data)[1]] += 1
        else:
            # The same service over UDP and TCP is two violations.
            server = f"{endpoint(violation['server'], violation['port'])}/{violation.get('proto', 'tcp')}"
            expected[code, violation["host"], server.removesuffix("/tcp")] += 1
    return expected


def found_findings(report: Json) -> Counter[tuple[str, str, str]]:
    """Return the same of each finding that counts, as its first evidence tells: the flow that it is about."""
    found: Counter[tuple[str, str, str]] = Counter()
    for finding in report["findings"]:
        if finding["severity"] == "info" or finding["waived"]:
            continue
        flow = finding["evidence"][0]["flow"]
        originator = flow["originator"].rpartition(":")[0].strip("[]")
        transport = "" if flow["transport"] == "tcp" else f"/{flow['transport']}"
        found[finding["code"], originator, flow["responder"] + transport] += 1
    return found
