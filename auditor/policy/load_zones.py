"""Reads the zones of a policy and makes sure that no host is in two of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditor.documents.document import Document, did_you_mean
from auditor.documents.yaml_tree import Mapping, Node, Place
from auditor.policy.model import ANY, MULTICAST, OTHER, UNDECLARED, ZONE_ROLES, Network, Zone
from auditor.policy.read_values import read_logins, read_network, read_port
from auditor.records import record
from auditor.services import ROLES

ZONE_KEYS = ("role", "hosts", "dynamic_ports", "ndmp_port", "logins")
RESERVED_NAMES = (ANY, UNDECLARED, MULTICAST, OTHER)
_LONGEST_NAME = 64


@record
class Placed:
    """A network of a zone, and where it was written."""

    network: Network
    zone: str
    place: Place


def read_zones(document: Document, node: Node | None) -> tuple[Zone, ...]:
    """Return the zones of a policy; complaints, overlaps included, go to the document."""
    mapping = document.mapping(node, "zones by name")
    if mapping is None:
        return ()
    placed: list[Placed] = []
    zones = [
        _read_zone(document, name, mapping, placed) for name in mapping.values if _check_name(document, name, mapping)
    ]
    for inner, outer in find_overlaps(placed):
        document.complain(
            inner.place,
            f"{_text(inner.network)} of zone {inner.zone!r} is also in zone {outer.zone!r}, as {_text(outer.network)} on "
            f"line {outer.place.line}",
            "keep each host in one zone",
        )
    if not mapping.values:
        document.complain(mapping, "the policy has no zones", "add at least media-servers and agents")
    return tuple(zones)


def find_overlaps(placed: Iterable[Placed]) -> Iterator[tuple[Placed, Placed]]:
    """Yield each network that lies within a network of another zone, with that network.

    Networks are nested or disjoint, so one pass over them in order of first address finds all: those that hold the
    present one are on a stack.
    """
    holding: list[Placed] = []
    for item in sorted(placed, key=_sweep_order):
        while holding and not _holds(holding[-1].network, item.network):
            holding.pop()
        outer = next((one for one in reversed(holding) if one.zone != item.zone), None)
        if outer is not None:
            yield item, outer
        if not (holding and holding[-1].zone == item.zone):  # a network within its own zone's adds nothing
            holding.append(item)


def _sweep_order(item: Placed) -> tuple[int, int, int, int]:
    network = item.network
    return network.version, int(network.network_address), network.prefixlen, item.place.line


def _holds(outer: Network, inner: Network) -> bool:
    return outer.version == inner.version and inner.network_address in outer


def _read_zone(document: Document, name: str, mapping: Mapping, placed: list[Placed]) -> Zone:
    node, place = mapping.values[name], mapping.keys[name]
    fields: dict[str, Node] = {"hosts": node}
    if isinstance(node, Mapping):
        fields = document.fields(node, ZONE_KEYS, required=("hosts",), what="a zone")
    role = name if name in ZONE_ROLES else _read_role(document, name, place, fields)
    if name in ROLES and "role" in fields and document.text(fields["role"]) != name:
        document.complain(fields["role"], f"a zone called {name!r} has that role", "rename the zone or remove role")
    networks = []
    for text, item in document.texts(fields.get("hosts"), single=True, some=True):
        network = read_network(document, item, text)
        if network is not None:
            networks.append(network)
            placed.append(Placed(network, name, item.place))
    return Zone(
        name,
        role,
        tuple(networks),
        document.ports(fields.get("dynamic_ports")),
        read_port(document, fields.get("ndmp_port")),
        place,
        read_logins(document, fields.get("logins")),
    )


def _read_role(document: Document, name: str, place: Place, fields: dict[str, Node]) -> str:
    if "role" in fields:
        return document.choice(fields["role"], ZONE_ROLES) or OTHER
    advice = did_you_mean(name, ROLES)
    advice = advice if advice.startswith("did") else "add role: agents, role: other …, or use a role as the name"
    document.complain(place, f"{name!r} is no role, and the zone does not say which it has", advice)
    return OTHER


def _check_name(document: Document, name: str, mapping: Mapping) -> bool:
    place = mapping.keys[name]
    if name in RESERVED_NAMES:
        document.complain(
            place, f"a zone cannot be called {name!r}: the word has its own meaning", "choose another name"
        )
        return False
    if not name or len(name) > _LONGEST_NAME or not name.isprintable() or name != name.strip():
        document.complain(place, "this cannot be the name of a zone", "use a short name of printable characters")
        return False
    return True


def _text(network: Network) -> str:
    return str(network.network_address) if network.num_addresses == 1 else str(network)
