"""Tells which service a combination is, by port and role: the same port means different services on different hosts."""

from __future__ import annotations

import numpy as np

from auditor.arrays import NDArray
from auditor.distinct import among, grouped
from auditor.policy.combine import KIND_WORDS, TRANSPORT_WORDS, Combinations
from auditor.policy.groups import ROLE_NAMES, Groups
from auditor.policy.model import OTHER, UNDECLARED, Policy
from auditor.ports import PortSet
from auditor.records import record, replace
from auditor.services import NDMP_CONTROL, NDMP_DATA, Catalogue, Service

NOT_AT_ALL, BY_PORT, BY_ORIGINATOR, BY_LISTENER, BY_BOTH = range(5)
"""How a service was told, weakest first: the port and no role, one role, or both."""

_LEVELS = (BY_BOTH, BY_LISTENER, BY_ORIGINATOR, BY_PORT)
_OPEN_ROLES = (UNDECLARED, OTHER)

Bools = NDArray[np.bool_]
Codes = NDArray[np.int64]


@record
class Naming:
    """Per combination: ``service`` (index into ``Catalogue.judged()``, -1 none), ``level`` and ``doubt`` (index)."""

    service: Codes
    level: Codes
    doubt: Codes
    doubts: tuple[str, ...]


def service_ports(service: Service, policy: Policy) -> PortSet | None:
    """Return the ports of a service under a policy, None where they depend on the responder."""
    settings = {
        "smtp_ports": policy.smtp_ports,
        "snmp_ports": policy.snmp_ports,
        "ndmp_port": None,
        "dynamic_ports": None,
    }
    return settings.get(service.ports_from, service.ports)


def name_services(combinations: Combinations, groups: Groups, policy: Policy, catalogue: Catalogue) -> Naming:
    """Name the service of each combination; where roles cannot decide between two, the doubt names both."""
    services = catalogue.judged()
    best = np.full(len(combinations), -1, np.int64)
    level = np.zeros(len(combinations), np.int64)
    rivals = np.zeros(len(combinations), np.uint64)  # a bit per service that fits as well as the best
    for number, service in enumerate(services):
        found = _levels(service, combinations, groups, policy)
        tied = (found == level) & (found >= BY_LISTENER)
        rivals[tied] |= np.uint64(1 << number)
        better = found > level
        best[better], level[better], rivals[better] = number, found[better], 0
    first, numbers = grouped(best, level, rivals)
    cases = zip(best[first].tolist(), level[first].tolist(), rivals[first].tolist(), strict=True)
    doubts = ("", *(_doubt(services, *case) for case in cases))
    doubt = numbers + 1
    for service_id, word in ((NDMP_CONTROL, "control"), (NDMP_DATA, "data")):
        carried = combinations.kind == KIND_WORDS.index(word)
        best[carried] = next(number for number, service in enumerate(services) if service.id == service_id)
        level[carried], doubt[carried] = BY_BOTH, 0
    return Naming(best, level, doubt, doubts)


def _levels(service: Service, combinations: Combinations, groups: Groups, policy: Policy) -> Codes:
    """Return how well a service fits each combination; the best of its uses counts."""
    fits = _port_fits(service, combinations, groups, policy)
    level = np.zeros(len(combinations), np.int64)
    if not fits.any():
        # Most services are not there: nothing more is to be asked of them.
        return level
    uses = [(service.transport, service.listener, service.originator)]
    uses += [(variant.transport, variant.listener, variant.originator) for variant in service.also]
    orig_role, resp_role = groups.role[combinations.orig], groups.role[combinations.resp]
    open_end = _has_role(resp_role, _OPEN_ROLES)
    for transport, listener, originator in uses:
        carried = combinations.transport > 0 if transport == "any" else _is_transport(combinations, transport)
        listens, originates = _has_role(resp_role, listener), _has_role(orig_role, originator)
        # What hosts of no zone offer is everybody's port: only both ends together tell it.
        levels = (BY_BOTH, NOT_AT_ALL, NOT_AT_ALL, NOT_AT_ALL) if UNDECLARED in listener else _LEVELS
        one_end = np.where(listens, levels[1], np.where(originates & open_end, levels[2], levels[3]))
        use = np.where(listens & originates, levels[0], one_end)
        level = np.maximum(level, np.where(fits & carried, use, NOT_AT_ALL))
    return level


def _port_fits(service: Service, combinations: Combinations, groups: Groups, policy: Policy) -> Bools:
    if service.ports_from == "dynamic_ports":  # any port might be dynamic: only a term or the session can tell
        return np.zeros(len(combinations), np.bool_)
    if service.ports_from == "ndmp_port":
        ports = np.array([declared.ranges[0][0] if declared else 0 for declared in groups.declared["ndmp_port"]])
        same: Bools = ports[combinations.resp] == combinations.port
        return same
    fixed: Bools = (service_ports(service, policy) or service.ports).contains(combinations.port)
    return fixed


def _doubt(services: tuple[Service, ...], best: int, level: int, rivals: int) -> str:
    if rivals:
        others = ", ".join(service.name for number, service in enumerate(services) if rivals >> number & 1)
        return f"the port is also that of {others}; the zones do not tell which"
    if level == BY_PORT and "any" not in services[best].listener:
        return f"named by the port alone: no host of {' or '.join(services[best].listener)} listens here"
    return ""


def _has_role(codes: Codes, roles: tuple[str, ...]) -> Bools:
    if "any" in roles:
        return np.ones(len(codes), np.bool_)
    return among(codes, [ROLE_NAMES.index(role) for role in roles])


def _is_transport(combinations: Combinations, transport: str) -> Bools:
    same: Bools = combinations.transport == TRANSPORT_WORDS.index(transport)
    return same


def renamed(service: Service, role: str) -> Service:
    """Return a service under the name that it has where a host of ``role`` listens."""
    name = service.name_at(role)
    return service if name == service.name else replace(service, name=name)
