"""The NDMP port that a policy declares for each address of a flow table."""

from __future__ import annotations

import ipaddress

import numpy as np

from auditor.arrays import NDArray
from auditor.flows import FlowTable
from auditor.policy.model import Network, Policy
from auditor.policy.prefixes import PrefixIndex


def declared_ndmp_ports(flows: FlowTable, policy: Policy) -> NDArray[np.uint16]:
    """Return the port declared for each address code, 0 where no zone has it; shape (addresses,), dtype uint16."""
    networks: list[tuple[Network, int]] = []
    ports = [0]
    for zone in policy.zones:
        networks += [(network, len(ports)) for network in zone.networks]
        ports.append(policy.ndmp_port if zone.ndmp_port is None else zone.ndmp_port)
    for host in policy.hosts.values():
        if host.ndmp_port is not None:
            networks.append((ipaddress.ip_network(host.address), len(ports)))
            ports.append(host.ndmp_port)
    return np.array(ports, np.uint16)[PrefixIndex(networks).lookup(flows.addresses)]
