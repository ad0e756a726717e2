"""Sorts the addresses of a flow table into groups that a policy treats alike.

Judging a pair of groups judges every flow between them, so that the work does not grow with the number of hosts.
"""

from __future__ import annotations

import ipaddress
from bisect import bisect_left
from typing import Any

import numpy as np

from auditor.arrays import NDArray
from auditor.blocks import look_up, occurring
from auditor.flows import UDP, FlowTable
from auditor.policy.distinct import distinct_rows
from auditor.policy.model import ANY, MULTICAST, OTHER, UNDECLARED, Network, Policy, Term
from auditor.policy.prefixes import PrefixIndex, is_ipv4
from auditor.ports import PortSet
from auditor.records import record
from auditor.services import ROLES

ROLE_NAMES = (UNDECLARED, *ROLES, OTHER, MULTICAST)
"""What ``orig_role`` and ``resp_role`` index into."""

_GROUP_ADDRESSES = tuple(
    ipaddress.ip_network(text)
    for text in ("224.0.0.0/4", "255.255.255.255", "0.0.0.0/32", "169.254.0.0/16", "ff00::/8", "fe80::/10", "::")
)
"""Multicast, broadcast, link-local and unspecified: no host that a policy could name by them."""

Bools = NDArray[np.bool_]
Codes = NDArray[np.int64]


@record
class Groups:
    """Groups of addresses. ``of_address`` maps an address code to its group; all else has one entry per group.

    ``zone`` indexes into ``zones`` (0 undeclared, last multicast), ``role`` into ``ROLE_NAMES``; ``declared`` holds, by
    policy setting, the ports that the hosts of a group declare (None: no range). ``named`` is the smallest network of a
    term that holds the group, by its code; ``_operands`` gives the codes of the networks within each, low and high.
    """

    of_address: NDArray[Any]
    zones: tuple[str, ...]
    zone: Codes
    role: Codes
    declared: dict[str, tuple[PortSet | None, ...]]
    named: Codes
    _operands: dict[str, tuple[int, int]]

    def __len__(self) -> int:
        """Return the number of groups."""
        return len(self.zone)

    def matching(self, operands: tuple[str, ...]) -> Bools:
        """Return which groups a source or destination of a term means."""
        found = np.zeros(len(self), np.bool_)
        for operand in operands:
            if operand == ANY:
                found[:] = True
            elif operand in self._operands:
                low, high = self._operands[operand]
                found |= (self.named >= low) & (self.named <= high)
            elif operand in self.zones:
                found |= self.zone == self.zones.index(operand)
        return found


def group_addresses(table: FlowTable, policy: Policy, terms: tuple[Term, ...]) -> Groups:
    """Group the addresses of ``table`` by zone, declared ports and the addresses that terms name."""
    zones = (UNDECLARED, *(zone.name for zone in policy.zones), MULTICAST)
    zone_of = _zone_codes(table, policy)
    hosts = tuple(policy.hosts.values())
    host_of = PrefixIndex((ipaddress.ip_network(host.address), number) for number, host in enumerate(hosts, 1)).lookup(
        table.addresses
    )
    named = sorted({end for term in terms for end in (*term.source, *term.destination) if end not in (*zones, ANY)})
    networks, operands = _numbered(named)
    named_of = PrefixIndex(networks).lookup(table.addresses)
    (zone, host, member), of_address = distinct_rows(
        len(table.addresses),
        lambda rows: (zone_of[rows], host_of[rows], named_of[rows]),
        (len(zones), len(hosts) + 1, len(networks) + 1),
    )
    roles = np.array([ROLE_NAMES.index(role) for role in (UNDECLARED, *(z.role for z in policy.zones), MULTICAST)])
    return Groups(
        of_address=of_address,
        zones=zones,
        zone=zone,
        role=roles[zone],
        declared=_declared(policy, zone, host),
        named=member,
        _operands=operands,
    )


def _numbered(named: list[str]) -> tuple[list[tuple[Network, int]], dict[str, tuple[int, int]]]:
    """Return networks with codes from 1 on, and for each text the codes of the networks that lie within its own.

    Networks are nested or apart: in the order of their first addresses, the wider first, those within one follow it.
    """
    of_text = {text: ipaddress.ip_network(text) for text in named}
    starts = sorted({_place(network): network for network in of_text.values()}.items())
    places = [place for place, _ in starts]
    operands = {}
    for text, network in of_text.items():
        beyond = (network.version, int(network.broadcast_address) + 1, 0)
        operands[text] = (bisect_left(places, _place(network)) + 1, bisect_left(places, beyond))
    return [(network, code) for code, (_, network) in enumerate(starts, 1)], operands


def _place(network: Network) -> tuple[int, int, int]:
    return network.version, int(network.network_address), network.prefixlen


def _declared(policy: Policy, zones: Codes, declared_hosts: Codes) -> dict[str, tuple[PortSet | None, ...]]:
    """Return the ports that each group declares, by setting: those of its host before those of its zone."""
    hosts = tuple(policy.hosts.values())
    ndmp: list[PortSet | None] = []
    dynamic: list[PortSet | None] = []
    for zone_code, host_code in zip(zones.tolist(), declared_hosts.tolist(), strict=True):
        zone = policy.zones[zone_code - 1] if 0 < zone_code <= len(policy.zones) else None
        host = hosts[host_code - 1] if host_code else None
        ndmp_port = (host and host.ndmp_port) or (zone and zone.ndmp_port) or policy.ndmp_port
        ndmp.append(PortSet.of([ndmp_port]))
        dynamic.append((host and host.dynamic_ports) or (zone and zone.dynamic_ports) or None)
    return {"ndmp_port": tuple(ndmp), "dynamic_ports": tuple(dynamic)}


def _zone_codes(table: FlowTable, policy: Policy) -> Codes:
    """Return the zone of each address: a zone of the policy before the pseudo-zone of group addresses."""
    multicast = len(policy.zones) + 1
    placed: list[tuple[Network, int]] = [(network, multicast) for network in _GROUP_ADDRESSES]
    for number, zone in enumerate(policy.zones, 1):
        for network in zone.networks:
            placed.append((network, number))
            if network.version == 4 and network.prefixlen < 31:
                placed.append((ipaddress.ip_network(network.broadcast_address), multicast))
    single = [
        (network, number)
        for number, zone in enumerate(policy.zones, 1)
        for network in zone.networks
        if network.num_addresses == 1
    ]
    codes = PrefixIndex([*placed, *single]).lookup(table.addresses)
    codes[_broadcast(table, codes == 0)] = multicast
    return codes


def _broadcast(table: FlowTable, undeclared: Bools) -> Bools:
    """Return which undeclared addresses are taken for the broadcast address of a /24: they end in .255, are sent UDP
    only, and never send anything themselves."""
    likely: Bools = undeclared & is_ipv4(table.addresses) & (table.addresses[:, 15] == 255)
    if likely.any():
        asked = np.flatnonzero(look_up(likely, table["resp_addr"]))
        alive = (table["resp_packets"][asked] > 0) | (table["transport"][asked] != UDP)
        likely[table["resp_addr"][asked[alive]]] = False
        likely &= ~occurring(table["orig_addr"], len(likely))
    return likely
