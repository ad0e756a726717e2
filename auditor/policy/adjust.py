"""Changes a policy for one example of a rule: what a line ``policy NAME=VALUE …`` of the flow notation says."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping

from auditor.documents.yaml_tree import Place
from auditor.errors import UsageError
from auditor.policy.model import DATA_DIRECTIONS, LOGIN_TYPES, PORTS_PER_WORDS, Policy, Term, Zone
from auditor.ports import PortError, PortSet, parse_ports
from auditor.records import replace

SETTINGS = {
    "data_direction=WORD": "either, media-to-agent, agent-to-media",
    "ports_per=WORD": "operation, job, resource",
    "time_wait=N": "seconds that a closed connection holds its port",
    "logins=TYPES": "types of NDMP login that every host may let in: none, text, md5 …",
    "terms=none": "no terms of the site's own",
    "term.NAME=ACTION/SOURCE/DESTINATION/TRANSPORT/PORTS": "a term of the site's own; ports any or 50100-50124",
    "hosts.ZONE=ADDRESS,…": "the hosts and networks of a zone",
    "range.ZONE=PORTS": "the dynamic range of a zone, or none",
    "range.*=none": "no zone declares a dynamic range",
}
"""Settings of ``policy`` lines and their meaning."""


def adjusted(policy: Policy, settings: Mapping[str, str]) -> Policy:
    """Return the policy with these settings. Raises UsageError naming the setting that is none."""
    for name, value in settings.items():
        head, _, rest = name.partition(".")
        change = _CHANGES.get(head)
        try:
            changed = change(policy, rest, value) if change is not None else None
        except (ValueError, PortError):
            changed = None
        if changed is None:
            fix = f"known: {', '.join(SETTINGS)}"
            raise UsageError(f'"{name}={value}" is no setting of an example\'s policy', fix=fix)
        policy = changed
    return policy


def _direction(policy: Policy, _: str, value: str) -> Policy | None:
    return replace(policy, data_direction=value) if value in DATA_DIRECTIONS else None


def _ports_per(policy: Policy, _: str, value: str) -> Policy | None:
    return replace(policy, ports_per=value) if value in PORTS_PER_WORDS else None


def _time_wait(policy: Policy, _: str, value: str) -> Policy:
    return replace(policy, time_wait=int(value))


def _logins(policy: Policy, _: str, value: str) -> Policy | None:
    named = tuple(value.split(","))
    return replace(policy, logins=named) if set(named) <= set(LOGIN_TYPES) else None


def _no_terms(policy: Policy, _: str, value: str) -> Policy | None:
    return replace(policy, site_terms=()) if value == "none" else None


def _term(policy: Policy, name: str, value: str) -> Policy | None:
    parts = value.split("/")
    if len(parts) != 5 or not name:
        return None
    action, source, destination, transport, ports = parts
    term = Term(
        name=name,
        action=action,
        source=tuple(source.split(",")),
        destination=tuple(destination.split(",")),
        transport=transport,
        ports=None if ports == "any" else parse_ports(ports),
        service="",
        doubt="",
        origin="site",
        place=Place("example", 1),
    )
    return replace(policy, site_terms=(*policy.site_terms, term))


def _hosts(policy: Policy, name: str, value: str) -> Policy | None:
    networks = tuple(ipaddress.ip_network(text) for text in value.split(","))
    return _zones(policy, name, lambda zone: replace(zone, networks=networks))


def _range(policy: Policy, name: str, value: str) -> Policy | None:
    ports: PortSet | None = None if value == "none" else parse_ports(value)
    return _zones(policy, name, lambda zone: replace(zone, dynamic_ports=ports))


def _zones(policy: Policy, name: str, change: Callable[[Zone], Zone]) -> Policy | None:
    """Return the policy with one zone changed, or, for ``*``, all of them."""
    if name != "*" and all(zone.name != name for zone in policy.zones):
        return None
    return replace(policy, zones=tuple(change(zone) if name in ("*", zone.name) else zone for zone in policy.zones))


_CHANGES: dict[str, Callable[[Policy, str, str], Policy | None]] = {
    "data_direction": _direction,
    "ports_per": _ports_per,
    "time_wait": _time_wait,
    "logins": _logins,
    "terms": _no_terms,
    "term": _term,
    "hosts": _hosts,
    "range": _range,
}
