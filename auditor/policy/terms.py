"""Turns zones and service catalogue into terms: what the vendor's tables permit between the hosts of this policy."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.policy.model import UNDECLARED, Policy, Term, Zone
from auditor.ports import DYNAMIC, PortSet
from auditor.records import record, replace
from auditor.services import Catalogue, Service

UNANNOUNCED = "the port is in the declared dynamic range, but no control connection that announced it was seen"
_MEDIA = ("media-servers",)


@record
class _Use:
    """One way in which a service is used: who connects to whom, and what is doubtful about it."""

    suffix: str
    transport: str
    listener: tuple[str, ...]
    originator: tuple[str, ...]
    doubt: str


def policy_terms(policy: Policy, catalogue: Catalogue) -> tuple[Term, ...]:
    """Return all terms of a policy in order; the first that a flow matches decides.

    A site's ``deny`` terms come first, so that a site can be stricter than the vendor; then the generated terms in the
    order of the catalogue; then the site's ``permit`` terms.
    """
    denied = tuple(term for term in policy.site_terms if term.action == "deny")
    permitted = tuple(term for term in policy.site_terms if term.action == "permit")
    return denied + generated_terms(policy, catalogue) + permitted


def generated_terms(policy: Policy, catalogue: Catalogue) -> tuple[Term, ...]:
    """Return a ``permit`` term for each use of each vendor service between zones that the policy has."""
    return tuple(
        term
        for service in catalogue.judged()
        if not service.platform
        for use in _uses(service, policy)
        for term in _terms_of_use(service, use, policy)
    )


def _uses(service: Service, policy: Policy) -> Iterator[_Use]:
    doubt = f"optional service: {service.doubt}" if service.optional else ""
    if service.family == "data":
        yield from _data_uses(service, policy)
    elif service.originator:
        yield _Use("", service.transport, service.listener, service.originator, doubt)
    for number, variant in enumerate(service.also, 1):
        suffix = ":doubtful" if number == 1 else f":doubtful-{number}"
        yield _Use(suffix, variant.transport, variant.listener, variant.originator, variant.doubt)


def _data_uses(service: Service, policy: Policy) -> Iterator[_Use]:
    """Yield the directions of data between a media server and the others that the policy lets open them."""
    if policy.data_direction != "agent-to-media":
        yield _Use(":to-agent", service.transport, service.listener, _MEDIA, "")
    if policy.data_direction != "media-to-agent":
        agents = tuple(role for role in service.originator if role not in _MEDIA)
        yield _Use(":to-media", service.transport, _MEDIA, agents, "")


def _terms_of_use(service: Service, use: _Use, policy: Policy) -> Iterator[Term]:
    source = tuple(zone.name for zone in policy.zones_with(use.originator))
    zones = policy.zones_with(use.listener)
    outside = (UNDECLARED,) if UNDECLARED in use.listener else ()
    if not source or not (zones or outside):
        return
    for ports, destination in _ports_by_destination(service, zones, policy):
        declared = service.ports_from if service.ports_from in ("ndmp_port", "dynamic_ports") else ""
        term = Term(
            name=_name(service, use, ports, policy),
            action="permit",
            source=source,
            destination=(*(zone.name for zone in destination), *outside),
            transport=use.transport,
            ports=DYNAMIC if ports is None else ports,
            service=service.id,
            doubt=use.doubt,
            origin="vendor",
            place=service.place,
            declared=declared,
        )
        yield from _data_terms(term, ranged=ports is not None) if service.family == "data" else (term,)


def _data_terms(term: Term, *, ranged: bool) -> Iterator[Term]:
    """Yield a term for known data connections and, where a range was declared, a doubtful one for any other."""
    yield replace(term, carries="data")
    if ranged:
        yield replace(term, name=f"{term.name}:unannounced", doubt=term.doubt or UNANNOUNCED)


def _ports_by_destination(
    service: Service, zones: tuple[Zone, ...], policy: Policy
) -> list[tuple[PortSet | None, tuple[Zone, ...]]]:
    """Return each port set with the zones it holds for; None stands for hosts that declare no dynamic range."""
    if service.ports_from == "smtp_ports":
        return [(policy.smtp_ports, zones)]
    if service.ports_from == "snmp_ports":
        return [(policy.snmp_ports, zones)]
    if not service.ports_from:
        return [(service.ports, zones)]
    found: dict[PortSet | None, list[Zone]] = {}
    for zone in zones:
        for ports in _declared(service.ports_from, zone, policy):
            found.setdefault(ports, []).append(zone)
    return [(ports, tuple(having)) for ports, having in found.items()]


def _declared(setting: str, zone: Zone, policy: Policy) -> list[PortSet | None]:
    """Return what a zone and the hosts in it declare, without repeats."""
    own = [host for host in policy.hosts.values() if policy.zone_of(host.address) is zone]
    if setting == "ndmp_port":
        ports: list[PortSet | None] = [PortSet.of([zone.ndmp_port or policy.ndmp_port])]
        ports += [PortSet.of([host.ndmp_port]) for host in own if host.ndmp_port is not None]
    else:
        ports = [zone.dynamic_ports]
        ports += [host.dynamic_ports for host in own if host.dynamic_ports is not None]
    return list(dict.fromkeys(ports))


def _name(service: Service, use: _Use, ports: PortSet | None, policy: Policy) -> str:
    detail = ""
    if service.ports_from == "ndmp_port" and ports != PortSet.of([policy.ndmp_port]):
        detail = f":{ports}"
    elif service.ports_from == "dynamic_ports":
        detail = ":any" if ports is None else f":{ports}"
    return f"{service.id}{use.suffix}{detail}"
