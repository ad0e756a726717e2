"""Tables ``terms`` and ``ranges``: what a policy says, held against itself and against what was seen under it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from auditor.capacity import ADVISED_PORTS, ADVISED_ROLES
from auditor.packs.words import ROLES
from auditor.policy.match import VERDICTS
from auditor.policy.model import Policy
from auditor.policy.shadow import shadowing
from auditor.ports import PortSet
from auditor.records import record
from auditor.rule_table import NO_FLOW, ColumnData, RuleTable, no_witnesses, words_column
from auditor.services import Catalogue, load_catalogue
from auditor.tables.source import Source

_HIGHEST_SYSTEM_PORT = 1023
_MEDIA = "media-servers"


def terms_table(source: Source) -> RuleTable:
    """Return the table ``terms``: every line of the policy in its order. Its flow is the first that it decided."""
    verdicts, terms = source.verdicts, source.verdicts.terms
    decided = np.flatnonzero((verdicts.verdict != VERDICTS.index("out-of-scope")) & (verdicts.term >= 0))
    flows = np.bincount(verdicts.term[decided], minlength=len(terms))
    earlier = shadowing(terms, source.policy)
    columns = {
        "term": words_column([term.name for term in terms]),
        "text": words_column([term.text for term in terms]),
        "action": words_column([term.action for term in terms]),
        "origin": words_column([term.origin for term in terms]),
        "position": ColumnData(np.arange(1, len(terms) + 1)),
        "flows": ColumnData(flows.astype(np.int64)),
        "exercised": ColumnData(flows > 0),
        "shadowed": ColumnData(np.array([one is not None for one in earlier], np.bool_)),
        "shadowed_by": words_column([one.name if one else "none" for one in earlier]),
        "shadowed_by_text": words_column([one.text if one else "none" for one in earlier]),
    }
    return RuleTable("terms", columns, np.full(len(terms), NO_FLOW), no_witnesses)


@record
class _Scope:
    """A zone, or a host with a range of its own."""

    name: str
    kind: str
    role: str
    ports: PortSet | None


def ranges_table(source: Source) -> RuleTable:
    """Return the table ``ranges``: every zone that data may come from or go to, and every host with its own range."""
    policy = source.policy
    scopes = [] if policy.inferred else list(_scopes(policy))
    catalogue = load_catalogue(policy.generation)
    media = {scope.ports: scope for scope in reversed(scopes) if scope.role == _MEDIA and scope.ports is not None}
    # Thousands of hosts share a few ranges: each is looked at once.
    ranges = {scope.ports for scope in scopes if scope.ports is not None}
    overlapping = {ports: next((one for held, one in media.items() if ports.overlaps(held)), None) for ports in ranges}
    inside = {ports: _service_inside(ports, catalogue) for ports in ranges}
    ndmp = {ports: next((port for port in policy.ndmp_ports() if port in ports), 0) for ports in ranges}
    others = [overlapping[scope.ports] if scope.ports and scope.role != _MEDIA else None for scope in scopes]
    services = [inside[scope.ports] if scope.ports else "" for scope in scopes]
    # That of the same hosts no policy may hold: what is found is another's.
    foreign = [ndmp[scope.ports] if scope.ports else 0 for scope in scopes]
    columns = {
        "scope": words_column([scope.name for scope in scopes]),
        "kind": ColumnData(np.array([_KINDS.index(scope.kind) for scope in scopes], np.int64), _KINDS),
        "role": ColumnData(np.array([ROLES.index(scope.role) for scope in scopes], np.int64), ROLES),
        "declared": ColumnData(np.array([scope.ports is not None for scope in scopes], np.bool_)),
        "declared_range": words_column([str(scope.ports) if scope.ports else "none" for scope in scopes]),
        "size": ColumnData(np.array([scope.ports.size if scope.ports else 0 for scope in scopes], np.int64)),
        "advised": ColumnData(
            np.array([ADVISED_PORTS if scope.role in ADVISED_ROLES else 0 for scope in scopes], np.int64)
        ),
        "overlaps": ColumnData(np.array([other is not None for other in others], np.bool_)),
        "overlap": words_column([f"{one.name} {one.ports}" if one else "none" for one in others]),
        "holds_service": ColumnData(np.array([bool(text) for text in services], np.bool_)),
        "service_inside": words_column([text or "none" for text in services]),
        "ndmp_inside": ColumnData(np.array(foreign, np.int64)),
    }
    return RuleTable("ranges", columns, np.full(len(scopes), NO_FLOW), no_witnesses)


_KINDS = ("zone", "host")


def _scopes(policy: Policy) -> Iterator[_Scope]:
    for zone in policy.zones:
        if zone.role in (_MEDIA, *ADVISED_ROLES):
            yield _Scope(zone.name, "zone", zone.role, zone.dynamic_ports)
    for host in policy.hosts.values():
        zone_of = policy.zone_of(host.address)
        if host.dynamic_ports is not None and zone_of is not None:
            yield _Scope(host.address, "host", zone_of.role, host.dynamic_ports)


def _service_inside(ports: PortSet, catalogue: Catalogue) -> str:
    """Return the first fixed service whose port a range holds, and the port; else its first system port."""
    for service in catalogue.services:
        if service.ports_from in ("dynamic_ports", "ndmp_port"):
            continue
        if service.ports.overlaps(ports):
            port = next(p for low, high in service.ports.ranges for p in range(low, high + 1) if p in ports)
            return f"{service.name} {port}"
    lowest = ports.ranges[0][0]
    return f"system port {lowest}" if lowest <= _HIGHEST_SYSTEM_PORT else ""
