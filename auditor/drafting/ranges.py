"""Dynamic ranges of a draft: the smallest that cover the data ports that were seen, with the arithmetic behind them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from auditor.drafting.material import Held, Material
from auditor.policy.model import Policy, Zone
from auditor.ports import HIGHEST_PORT, PortSet
from auditor.records import record, replace
from auditor.sessions.load import host_loads
from auditor.tables.data_ends import DataEnds

ADVISED = 25
"""Ports that the vendor advises for each host."""

PER_OPERATION = 2
"""Ports that the vendor counts for one operation."""

_MOST_PARTS = 4
"""Separate ranges that a person would still call a choice; more are what an operating system hands out."""


@record
class RangeEvidence:
    """Why a zone got its range. ``ports`` are the data ports seen, sorted; ``covering`` the range drafted; ``scattered``
    tells that they lie so far apart that no range seems set; ``peak`` and ``per_operation`` are the most operations at
    once on one host of the zone and the most data ports that one of them used."""

    ports: tuple[int, ...]
    covering: PortSet
    scattered: bool
    peak: int
    per_operation: int

    @property
    def main(self) -> tuple[int, int]:
        """The part of the range that holds most of the ports seen."""
        return max(self.covering.ranges, key=lambda part: sum(part[0] <= port <= part[1] for port in self.ports))

    @property
    def advised(self) -> PortSet:
        """As many ports as the vendor advises, from the lowest of the main part on."""
        low = min(self.main[0], HIGHEST_PORT - ADVISED + 1)
        return PortSet.of([(low, low + ADVISED - 1)])


def observed_ranges(material: Material, policy: Policy) -> tuple[Policy, dict[str, RangeEvidence]]:
    """Return the policy with a dynamic range for each zone whose hosts used data ports, and the evidence by zone.

    Where media servers only connect, their ports are any that the system gives out, and no firewall has to open them; nor
    do they get a range where the ports at which they listened and connected lie apart.
    """
    held = material.held(policy)
    evidence = {zone.name: found for zone in policy.zones if (found := _of_zone(held, zone)) is not None}
    zones = tuple(
        replace(zone, dynamic_ports=evidence[zone.name].covering) if _has_range(zone, evidence) else zone
        for zone in policy.zones
    )
    return replace(policy, zones=zones), evidence


def _has_range(zone: Zone, evidence: dict[str, RangeEvidence]) -> bool:
    found = evidence.get(zone.name)
    return found is not None and (zone.role != "media-servers" or len(found.covering.ranges) == 1)


def cover(ports: Iterable[int], without: Iterable[int] = ()) -> tuple[PortSet, bool]:
    """Return the smallest ranges around ports, and whether those are scattered.

    A gap of ``ADVISED`` ports and more begins another range; where that makes too many of them, one range from the lowest
    to the highest port stands for all. The ports ``without`` are left out: no range may hold the NDMP port.
    """
    seen = sorted(set(ports))
    parts = [[seen[0], seen[0]]]
    for port in seen[1:]:
        if port - parts[-1][1] > ADVISED:
            parts.append([port, port])
        parts[-1][1] = port
    scattered = len(parts) > _MOST_PARTS
    ranges = [(seen[0], seen[-1])] if scattered else [(low, high) for low, high in parts]
    for port in without:
        ranges = [part for low, high in ranges for part in _split(low, high, port)]
    return PortSet.of(ranges), scattered


def _split(low: int, high: int, port: int) -> list[tuple[int, int]]:
    if not low <= port <= high:
        return [(low, high)]
    return [part for part in ((low, port - 1), (port + 1, high)) if part[0] <= part[1]]


def _of_zone(held: Held, zone: Zone) -> RangeEvidence | None:
    ends = DataEnds.of(held.source)
    zones = np.where(ends.listens, held.verdicts.resp_zone[ends.flow], held.verdicts.orig_zone[ends.flow])
    own = zones == held.verdicts.zones.index(zone.name)
    if not own.any() or (zone.role == "media-servers" and not ends.listens[own].any()):
        return None
    address, port = (ends.of_side(held.source, what)[0][own] for what in ("addr", "port"))
    codes = set(np.unique(address).tolist())
    ndmp = {held.policy.ndmp_port_of(held.table.address(code)) for code in codes} | set(held.policy.ndmp_ports())
    seen = tuple(number for number in np.unique(port).tolist() if number not in ndmp and number > 0)
    if not seen:
        return None
    covering, scattered = cover(seen, ndmp)
    found = host_loads(held.table, held.sessions.sessions, held.source.measured)
    loads = [load for code, load in found.items() if code in codes]
    return RangeEvidence(
        seen,
        covering,
        scattered,
        max((load.peak for load in loads), default=0),
        max((load.ports for load in loads), default=0),
    )
