"""Ends of connections out of the texts of a report, and the sessions that a finding belongs to.

A saved report is a file that anybody can write: what is no address or no port is None here, and so reaches neither a
filter nor the core.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import UTC, datetime

from auditor.model import ControlSummary, DataSummary, Finding, FlowReference, Report, SessionSummary
from auditor.records import record

PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132}
"""Transports with ports -> IP protocol number."""

EVER = (-(1 << 63), (1 << 63) - 1)
"""First and last time of a connection, in ns, where nothing is known of them."""

_PORT = re.compile(r"[0-9]{1,5}", re.ASCII)
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{9})Z", re.ASCII)


@record
class End:
    """An address and a port; 0 where there is none, as of ICMP."""

    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    port: int = 0


@record
class Connection:
    """Both ends of a connection and its period in ns, both ends of that included."""

    transport: str
    one: End
    other: End
    first: int = EVER[0]
    last: int = EVER[1]


def read_end(text: str) -> End | None:
    """Return an end as reports write it (``10.0.0.1:40000``, ``[2001:db8::1]:10000``, a bare address), or None."""
    host, sign, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif not sign or ":" in host:
        host, port = text.strip("[]"), "0"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    if not _PORT.fullmatch(port) or int(port) > 65535 or "%" in host:
        return None
    return End(address, int(port))


def read_connection(flow: FlowReference, first: str = "", last: str = "") -> Connection | None:
    """Return the connection that a report names, or None where its text is none."""
    one, other = read_end(flow.originator), read_end(flow.responder)
    if one is None or other is None or not flow.transport.isascii() or not flow.transport.isalnum():
        return None
    begin, end = nanoseconds(first), nanoseconds(last)
    return Connection(flow.transport, one, other, EVER[0] if begin is None else begin, EVER[1] if end is None else end)


def nanoseconds(time: str) -> int | None:
    """Return a time of a report in ns since 1970, or None where it is none."""
    match = _TIME.fullmatch(time)
    if match is None:
        return None
    try:
        moment = datetime.fromisoformat(f"{match[1]}+00:00")
    except ValueError:
        return None
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 1_000_000_000 + int(match[2])


def sessions_of(report: Report, finding: Finding) -> tuple[SessionSummary, ...]:
    """Return the sessions of which a flow is among a finding's evidence."""
    cited = {frozenset((one.flow.originator, one.flow.responder)) for one in finding.evidence}
    return tuple(session for session in report.sessions if any(frozenset((a, b)) in cited for a, b in _ends(session)))


def connections_of(report: Report, finding: Finding) -> tuple[Connection, ...]:
    """Return the connections behind a finding: those of its evidence, and its sessions' control and data connections."""
    found = [
        connection
        for one in finding.evidence
        if (connection := read_connection(one.flow)) and one.flow.transport in PROTOCOLS
    ]
    for session in sessions_of(report, finding):
        for part in _parts(session):
            flow = FlowReference("tcp", part.originator, part.responder)
            connection = read_connection(flow, part.first, part.last)
            if connection is not None:
                # The same ends may serve again later: the session's own period says which of them is meant.
                found = [one for one in found if {one.one, one.other} != {connection.one, connection.other}]
                found.append(connection)
    return tuple(dict.fromkeys(found))


def _ends(session: SessionSummary) -> list[tuple[str, str]]:
    return [(part.originator, part.responder) for part in _parts(session)]


def _parts(session: SessionSummary) -> list[ControlSummary | DataSummary]:
    return [session.control, *session.data, *session.attempts]
