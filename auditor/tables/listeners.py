"""Table ``listeners``: sockets that hosts say they listen on, held against the vendor's listening table, and those missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from auditor.listeners import Listener, Listing
from auditor.packs.words import BOUND, EXCESS, ROLES, TRANSPORTS
from auditor.policy.model import ANY, UNDECLARED, Policy, Term, normalised
from auditor.policy.naming import service_ports
from auditor.policy.terms import policy_terms
from auditor.ports import DYNAMIC, PortSet
from auditor.records import record
from auditor.rule_table import NO_FLOW, ColumnData, RuleTable, no_witnesses, words_column
from auditor.services import NDMP_DATA, Catalogue, Service, load_catalogue

_MANY = 1 << 20
"""What ``any`` and ``undeclared`` count for where hosts are counted."""


@record
class ListenerRow:
    """One socket of a listing, or one service that is missing from it (``listener`` None), and what the host is."""

    listing: Listing
    listener: Listener | None
    zone: str
    role: str
    service: Service | None
    ports: str
    callers: int
    known_program: bool
    data_port: bool
    excess: str = "none"

    @property
    def right_program(self) -> bool:
        """Whether the program is the one that the vendor names for the service."""
        return bool(self.listener and self.service and self.listener.runs(self.service.process))


def listener_rows(listings: Sequence[Listing], policy: Policy, catalogue: Catalogue) -> Iterator[ListenerRow]:
    """Yield a row for each socket of the listings, then one for each of the vendor's services that a host lacks."""
    if not listings:
        return
    terms = [term for term in policy_terms(policy, catalogue) if term.action == "permit"]
    # Databases of every product run as sqlservr.exe; only its port tells whose it is.
    own = [service for service in catalogue.services if not service.platform and service.family != "sql"]
    processes = sorted({service.process for service in own if service.process})
    for host, listing in ((host, one) for host, several in _by_host(listings).items() for one in several):
        zone = policy.zone_of(host)
        place = (zone.name, zone.role) if zone else (UNDECLARED, UNDECLARED)
        expected = _expected(host, place[1], policy, catalogue)
        dynamic = policy.dynamic_ports_of(host) or DYNAMIC
        further = _has_undeclared_address(host, listing, policy)
        for one in listing.listeners:
            service = next((s for s, ports in expected if _is_of(one, s, ports)), None)
            known = any(one.runs(process) for process in processes) if one.program else False
            callers = _callers(one, host, terms, policy)
            data_port = one.port in dynamic
            excess = _excess(one, callers, further=further)
            yield ListenerRow(listing, one, *place, service, str(one.port), callers, known, data_port, excess)
    for host, several in _by_host(listings).items():
        zone = policy.zone_of(host)
        place = (zone.name, zone.role) if zone else (UNDECLARED, UNDECLARED)
        yield from _missing(several, place, _expected(host, place[1], policy, catalogue))


def _has_undeclared_address(host: str, listing: Listing, policy: Policy) -> bool:
    """Return whether sockets of a listing are bound to its host's address, and to a further one that no zone has."""
    bound = {one.address for one in listing.listeners if one.bound == "one"}
    for text in bound - {host} if host in bound else ():
        try:
            address = normalised(text)
        except ValueError:
            continue
        local = address.is_link_local or address.is_multicast or address.is_unspecified
        if not local and policy.zone_of(address) is None:
            return True
    return False


def _excess(one: Listener, callers: int, *, further: bool) -> str:
    """Return why a socket is bound wider than the policy needs, a word of ``EXCESS``."""
    if one.bound == "loopback":
        return "none"
    if not callers:
        return EXCESS[1]
    return EXCESS[2] if further and one.bound == "all" else "none"


def _by_host(listings: Sequence[Listing]) -> dict[str, list[Listing]]:
    """Return the listings by host: PowerShell writes TCP and UDP into two files."""
    found: dict[str, list[Listing]] = {}
    for listing in listings:
        found.setdefault(listing.host, []).append(listing)
    return found


def _missing(
    listings: list[Listing], place: tuple[str, str], expected: list[tuple[Service, PortSet]]
) -> Iterator[ListenerRow]:
    """Yield a row for each service that none of a host's listings has, of the transports that they tell of."""
    sockets = [one for listing in listings for one in listing.listeners]
    told = {one.transport for one in sockets}
    for service, ports in expected:
        asked = {"tcp", "udp"} if service.transport == "any" else {service.transport}
        if asked <= told | {"udp"} and asked & told and not any(_is_of(one, service, ports) for one in sockets):
            yield ListenerRow(listings[0], None, *place, service, str(ports), 0, False, False)


def listeners_table(listings: Sequence[Listing], policy: Policy) -> RuleTable:
    """Return the table ``listeners``; it has no flows."""
    catalogue = load_catalogue(policy.generation)
    rows = list(listener_rows(listings, policy, catalogue))

    def flags(values: list[bool]) -> ColumnData:
        return ColumnData(np.array(values, np.bool_))

    sockets = [row.listener for row in rows]
    expected = [row.service.process if row.service else "none" for row in rows]
    columns = {
        "host": words_column([row.listing.host for row in rows]),
        "zone": words_column([row.zone for row in rows]),
        "role": ColumnData(np.array([ROLES.index(row.role) for row in rows], np.int64), ROLES),
        "listing": words_column([row.listing.path for row in rows]),
        "line": ColumnData(np.array([one.line if one else 0 for one in sockets], np.int64)),
        "listens": flags([one is not None for one in sockets]),
        "transport": ColumnData(np.array([TRANSPORTS.index(_transport(row)) for row in rows], np.int64), TRANSPORTS),
        "port": words_column([row.ports for row in rows]),
        "bound": ColumnData(np.array([BOUND.index(one.bound if one else "none") for one in sockets], np.int64), BOUND),
        "excess": ColumnData(np.array([EXCESS.index(row.excess) for row in rows], np.int64), EXCESS),
        "program": words_column([(one.program if one else "") or "none" for one in sockets]),
        "program_told": flags([bool(one and one.program) for one in sockets]),
        "of_backup_exec": flags([row.known_program for row in rows]),
        "service": words_column([row.service.id if row.service else "none" for row in rows]),
        "service_name": words_column([row.service.name_at(row.role) if row.service else "none" for row in rows]),
        "family": words_column([row.service.family if row.service else "none" for row in rows]),
        "expected_program": words_column(expected),
        "right_program": flags([row.right_program for row in rows]),
        "data_port": flags([row.data_port for row in rows]),
        "callers": ColumnData(np.array([row.callers for row in rows], np.int64)),
    }
    return RuleTable("listeners", columns, np.full(len(rows), NO_FLOW), no_witnesses)


def _transport(row: ListenerRow) -> str:
    if row.listener is not None:
        return row.listener.transport
    return row.service.transport if row.service and row.service.transport != "any" else "tcp"


def _expected(host: str, role: str, policy: Policy, catalogue: Catalogue) -> list[tuple[Service, PortSet]]:
    """Return the vendor's services with a program of their own that a host of this role offers, with their ports."""
    found = []
    for service in catalogue.judged():
        if service.platform or service.optional or not service.process or service.id == NDMP_DATA:
            continue
        if role in service.listener:
            at_ndmp = service.ports_from == "ndmp_port"
            ports = PortSet.of([policy.ndmp_port_of(host)]) if at_ndmp else service_ports(service, policy)
            found.append((service, ports or service.ports))
    return found


def _is_of(one: Listener, service: Service, ports: PortSet) -> bool:
    return one.port in ports and service.transport in (one.transport, "any")


def _callers(one: Listener, host: str, terms: Sequence[Term], policy: Policy) -> int:
    """Return how many addresses beside the host itself the policy lets connect to a socket."""
    own = policy.zone_of(host)
    here = {ANY, host, own.name if own else UNDECLARED}
    sources = {
        end
        for term in terms
        if here & set(term.destination)
        and term.transport in (one.transport, "any")
        and (term.ports is None or one.port in term.ports)
        for end in term.source
    }
    count = 0
    for end in sources:
        zone = next((zone for zone in policy.zones if zone.name == end), None)
        if zone is None:
            count += _MANY if end in (ANY, UNDECLARED) else int(end != host)
        else:
            count += min(_MANY, sum(network.num_addresses for network in zone.networks)) - int(zone is own)
    return min(count, _MANY)
