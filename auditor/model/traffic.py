"""Hosts, services and terms: who talked to whom, and which line of the policy it exercised."""

from __future__ import annotations

from auditor.model.names import NameEvidence
from auditor.records import record


@record
class HostSummary:
    """One host of interest, where it belongs and what it does, each with the reason.

    ``operations`` counts the backups and restores that it took part in, ``peak_operations`` those at the same time,
    ``ports_per_operation`` the data ports of the host that one of them used at most. ``name`` is the policy's own,
    ``names`` are what traffic calls the host. ``proved_roles`` are those process roles that a listing of the host's own
    sockets shows; all others are inferred from ports and behaviour.
    """

    address: str
    zone: str
    process_roles: tuple[str, ...]
    because: tuple[str, ...]
    name: str = ""
    operations: int = 0
    peak_operations: int = 0
    ports_per_operation: int = 0
    names: tuple[NameEvidence, ...] = ()
    proved_roles: tuple[str, ...] = ()


@record
class ServiceSummary:
    """Traffic of one service, port, direction and verdict."""

    service: str
    process: str
    transport: str
    port: str
    direction: str
    flows: int
    packets: int
    bytes: int
    verdict: str
    term: str = ""
    note: str = ""
    originator_zone: str = ""
    responder_zone: str = ""


@record
class TermSummary:
    """One line of the policy and how often it decided. No flow means: not exercised in what was captured.

    ``text`` is the line as a sentence of the policy, ``origin`` ``vendor`` or ``site``. ``path`` and ``line`` tell where the
    policy says so: a site's own line, or the zone that makes a vendor's one speak; empty and 0 where nothing is written.
    """

    name: str
    text: str
    action: str
    origin: str
    flows: int
    path: str = ""
    line: int = 0
