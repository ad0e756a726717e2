"""Zones and NDMP ports of a draft: the roles that traffic shows, and receivers of mail and traps where it shows no others."""

from __future__ import annotations

import ipaddress

import numpy as np

from auditor import _native
from auditor.documents.yaml_tree import Place
from auditor.drafting.material import Material
from auditor.flows import TCP, UDP
from auditor.policy.model import SMTP_PORTS, SNMP_PORTS, Address, Host, Policy, Zone, normalised
from auditor.policy.outcome import ESTABLISHED, observed
from auditor.records import replace

NOWHERE = Place("", 0)
_NDMP = _native.APPS.index("ndmp")
_RECEIVERS = (
    ("mail-relays", SMTP_PORTS, (TCP,), "accepts mail"),
    ("snmp-managers", SNMP_PORTS, (TCP, UDP), "is sent SNMP traps"),
)


MOST_HOSTS = 2000
"""Hosts of one zone; beyond them only those that ever sent a packet are listed, and not more of these either."""


def draft_zones(material: Material) -> tuple[Policy, int]:
    """Return a policy with zones and NDMP ports only, and how many hosts its zones lack because they were too many.

    There is no zone where the captures show no host of a backup network.
    """
    inferred = material.inferred()
    if not inferred.zones:
        inferred = _receivers(material, inferred)
    bounded, left_out = _bounded(material, inferred)
    return replace(bounded, inferred=False, path="", hosts=_other_ndmp_ports(material, bounded)), left_out


def _bounded(material: Material, policy: Policy) -> tuple[Policy, int]:
    """Return the policy without the many hosts that a scan tried and that never answered."""
    if all(len(zone.networks) <= MOST_HOSTS for zone in policy.zones):
        return policy, 0
    table = material.table
    alive = np.unique(np.concatenate([table["orig_addr"], table["resp_addr"][table["resp_packets"] > 0]]))
    known = {normalised(table.address(code)) for code in alive.tolist()}
    zones, left_out = [], 0
    for zone in policy.zones:
        kept = zone.networks
        if len(kept) > MOST_HOSTS:
            kept = tuple(network for network in kept if network.network_address in known)[:MOST_HOSTS]
        left_out += len(zone.networks) - len(kept)
        if kept:
            zones.append(replace(zone, networks=kept))
    return replace(policy, zones=tuple(zones)), left_out


def _receivers(material: Material, policy: Policy) -> Policy:
    """Return a policy with the receivers of mail and traps, which an audit infers only beside a media server."""
    table = material.table
    # Whether a datagram arrived nobody can see; that it was sent is enough to ask for the receiver.
    passed = (observed(table, np.ones(len(table), np.bool_)) == ESTABLISHED) & (
        table["resp_addr"] != table["orig_addr"]
    )
    zones: list[Zone] = []
    because: dict[str, tuple[str, ...]] = {}
    taken: set[Address] = set()
    for role, ports, transports, reason in _RECEIVERS:
        rows = np.flatnonzero(passed & ports.contains(table["resp_port"]) & np.isin(table["transport"], transports))
        codes, first = np.unique(table["resp_addr"][rows], return_index=True)
        hosts = []
        for code, row in zip(codes.tolist(), rows[first].tolist(), strict=True):
            address = normalised(table.address(code))
            if address.is_multicast or address.is_unspecified or address in taken:
                continue
            taken.add(address)
            hosts.append(ipaddress.ip_network(address))
            because[str(address)] = (f"{reason} (packet {int(table['first_packet'][row])})",)
        if hosts:
            zones.append(Zone(role, role, tuple(hosts), None, None, NOWHERE))
    return replace(policy, zones=tuple(zones), because=because)


def _other_ndmp_ports(material: Material, policy: Policy) -> dict[str, Host]:
    """Return the hosts of zones that answer NDMP, but never on the policy's port, with the port on which they do."""
    table = material.table
    rows = np.flatnonzero((table["transport"] == TCP) & (table["app"] == _NDMP))
    hosts: dict[str, Host] = {}
    for code in np.unique(table["resp_addr"][rows]).tolist():
        address = normalised(table.address(code))
        ports, counts = np.unique(table["resp_port"][rows][table["resp_addr"][rows] == code], return_counts=True)
        if policy.zone_of(address) is None or policy.ndmp_port in ports.tolist():
            continue
        hosts[str(address)] = Host(str(address), "", None, int(ports[int(np.argmax(counts))]), NOWHERE)
    return hosts
