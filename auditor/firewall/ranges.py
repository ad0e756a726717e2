"""Sets of addresses as sorted, disjoint, non-adjacent ranges of numbers: exact for what no list of prefixes says briefly."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from auditor.policy.model import Network
from auditor.records import record

Range = tuple[int, int]
"""First and last, both included."""

BITS = {4: 32, 6: 128}
VERSIONS = (4, 6)


@record
class Addresses:
    """Addresses of both versions of IP."""

    v4: tuple[Range, ...] = ()
    v6: tuple[Range, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is any address in it."""
        return bool(self.v4 or self.v6)

    def of(self, version: int) -> tuple[Range, ...]:
        """Return the ranges of one version of IP, 4 or 6."""
        return self.v4 if version == 4 else self.v6

    def only(self, version: int) -> Addresses:
        """Return the addresses of one version of IP."""
        return Addresses(v4=self.v4) if version == 4 else Addresses(v6=self.v6)

    def __or__(self, other: Addresses) -> Addresses:
        """Return what is in either."""
        return Addresses(_merged(self.v4 + other.v4), _merged(self.v6 + other.v6))

    def __and__(self, other: Addresses) -> Addresses:
        """Return what is in both."""
        return Addresses(tuple(_common(self.v4, other.v4)), tuple(_common(self.v6, other.v6)))

    def __sub__(self, other: Addresses) -> Addresses:
        """Return what is in the first and not in the other."""
        return self & Addresses(_outside(other.v4, BITS[4]), _outside(other.v6, BITS[6]))

    @property
    def one_host(self) -> Addresses | None:
        """The same, where it is a single address, else None."""
        ranges = self.v4 + self.v6
        return self if len(ranges) == 1 and ranges[0][0] == ranges[0][1] else None

    def covers(self, other: Addresses) -> bool:
        """Return whether all of the other is in it."""
        return other & self == other


def of_networks(networks: Iterable[Network]) -> Addresses:
    """Return the addresses of networks."""
    found: dict[int, list[Range]] = {4: [], 6: []}
    for network in networks:
        found[network.version].append((int(network.network_address), int(network.broadcast_address)))
    return Addresses(_merged(found[4]), _merged(found[6]))


EVERYWHERE = Addresses(((0, 2**32 - 1),), ((0, 2**128 - 1),))


def is_all(ranges: tuple[Range, ...], version: int) -> bool:
    """Return whether ranges hold every address of a version of IP."""
    return ranges == EVERYWHERE.of(version)


def range_texts(ranges: Iterable[Range], version: int) -> list[str]:
    """Return ranges as text: an address, a network where it is exactly one, else ``first-last``."""
    return [_text(low, high, version) for low, high in ranges]


def networks_of(ranges: Iterable[Range], version: int) -> list[str]:
    """Return ranges as the fewest networks that say the same, single hosts as ``/32`` or ``/128``."""
    return [
        str(network)
        for low, high in ranges
        for network in ipaddress.summarize_address_range(_address(low, version), _address(high, version))
    ]


def _text(low: int, high: int, version: int) -> str:
    if low == high:
        return str(_address(low, version))
    size = high - low + 1
    # A network has a power of two of addresses and begins at a multiple of that.
    if size & (size - 1) == 0 and low % size == 0:
        return f"{_address(low, version)}/{BITS[version] - size.bit_length() + 1}"
    return f"{_address(low, version)}-{_address(high, version)}"


def _address(value: int, version: int) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.IPv4Address(value) if version == 4 else ipaddress.IPv6Address(value)


def _merged(ranges: Iterable[Range]) -> tuple[Range, ...]:
    merged: list[Range] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def _common(ours: tuple[Range, ...], others: tuple[Range, ...]) -> Iterator[Range]:
    first = second = 0
    while first < len(ours) and second < len(others):
        low = max(ours[first][0], others[second][0])
        high = min(ours[first][1], others[second][1])
        if low <= high:
            yield low, high
        if ours[first][1] < others[second][1]:
            first += 1
        else:
            second += 1


def _outside(ranges: tuple[Range, ...], bits: int) -> tuple[Range, ...]:
    found, start = [], 0
    for low, high in ranges:
        if low > start:
            found.append((start, low - 1))
        start = high + 1
    if start < 1 << bits:
        found.append((start, (1 << bits) - 1))
    return tuple(found)
