"""Terms that can never decide: an earlier term covers all that they say. By their words alone, whatever the traffic."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import cache

from auditor.policy.model import ANY, MULTICAST, UNDECLARED, Network, Policy, Term, Zone

MOST_EARLIER, MOST_TERMS, MOST_PAIRS = 200, 5000, 10_000
"""Limits of the work: terms of the site that others are held against, terms that are, and networks of two terms that are
compared one by one. What lies beyond is not called shadowed."""


def shadowing(terms: Sequence[Term], policy: Policy) -> tuple[Term | None, ...]:
    """Return for each term the first earlier term that covers it wholly, None where there is none.

    Only terms of the site can cover others: the vendor's speak of flows of their own kind alone. Zones, addresses and
    networks are compared by what they hold; several earlier terms that cover one only together are not found.
    """
    zones = {zone.name: zone for zone in policy.zones}
    found: list[Term | None] = []
    earlier: list[Term] = []
    for number, term in enumerate(terms):
        if number >= MOST_TERMS:
            found.append(None)
            continue
        found.append(next((one for one in earlier if _covers(one, term, zones)), None))
        if term.origin == "site" and len(earlier) < MOST_EARLIER:
            earlier.append(term)
    return tuple(found)


def _covers(one: Term, other: Term, zones: dict[str, Zone]) -> bool:
    if one.transport not in ("any", other.transport):
        return False
    if one.ports is not None:
        if other.ports is None:
            return False
        if not all(any(low <= a and b <= high for low, high in one.ports.ranges) for a, b in other.ports.ranges):
            return False
    return _holds(one.source, other.source, zones) and _holds(one.destination, other.destination, zones)


def _holds(outer: Sequence[str], inner: Sequence[str], zones: dict[str, Zone]) -> bool:
    """Whether every host that the words ``inner`` mean is among those that ``outer`` means."""
    if ANY in outer:
        return True
    networks = [network for word in outer for network in _networks(word, zones)]
    for word in inner:
        if word in outer:
            continue
        own = _networks(word, zones)
        if word in (ANY, UNDECLARED, MULTICAST) or not own:
            return False
        if set(own) <= set(networks):
            continue
        if len(own) * len(networks) > MOST_PAIRS:
            return False
        if not all(any(_within(network, wide) for wide in networks) for network in own):
            return False
    return True


def _networks(word: str, zones: dict[str, Zone]) -> tuple[Network, ...]:
    if word in zones:
        return zones[word].networks
    return () if word in (ANY, UNDECLARED, MULTICAST) else _network(word)


@cache
def _network(word: str) -> tuple[Network, ...]:
    try:
        return (ipaddress.ip_network(word),)
    except ValueError:
        return ()


def _within(network: Network, wide: Network) -> bool:
    return network.version == wide.version and wide.prefixlen <= network.prefixlen and network.network_address in wide
