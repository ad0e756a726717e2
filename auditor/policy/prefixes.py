"""Finds, for many addresses at once, which of many networks they are in."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from auditor.policy.model import Network

Addresses = npt.NDArray[np.uint8]
_MAPPED = np.frombuffer(bytes(10) + b"\xff\xff", np.uint8)
_MAPPED_BITS = 96


class PrefixIndex:
    """Networks, each with a code above 0. Where networks are nested, the longest prefix counts."""

    def __init__(self, networks: Iterable[tuple[Network, int]]) -> None:
        by_length: dict[tuple[bool, int], dict[bytes, int]] = {}
        for network, code in networks:
            four = network.version == 4
            packed = network.network_address.packed
            length = network.prefixlen + _MAPPED_BITS if four else network.prefixlen
            key = bytes(_MAPPED) + packed if four else packed
            by_length.setdefault((four, length), {})[key] = code
        self._tables = [
            (four, length, *_sorted_table(codes))
            for (four, length), codes in sorted(by_length.items(), key=lambda i: i[0][1])
        ]

    def lookup(self, addresses: Addresses) -> npt.NDArray[np.int64]:
        """Return the code of each row of ``addresses`` (shape (n, 16), IPv4 mapped), 0 where no network holds it."""
        found = np.zeros(len(addresses), np.int64)
        if not len(addresses):
            return found
        mapped = is_ipv4(addresses)
        for four, length, keys, codes in self._tables:
            prefixes = _as_keys(addresses & _mask(length))
            position = np.minimum(np.searchsorted(keys, prefixes), len(keys) - 1)
            hit = (keys[position] == prefixes) & (mapped == four)
            found[hit] = codes[position[hit]]
        return found


def is_ipv4(addresses: Addresses) -> npt.NDArray[np.bool_]:
    """Return which rows are IPv4 addresses in mapped form."""
    same: npt.NDArray[np.bool_] = (addresses[:, :12] == _MAPPED).all(axis=1)
    return same


def _sorted_table(codes: dict[bytes, int]) -> tuple[npt.NDArray[np.bytes_], npt.NDArray[np.int64]]:
    keys = np.array(list(codes), dtype="S16")
    order = np.argsort(keys)
    return keys[order], np.array(list(codes.values()), np.int64)[order]


def _as_keys(addresses: Addresses) -> npt.NDArray[np.bytes_]:
    """One 16-byte string per row: NumPy sorts and compares these bytewise."""
    return np.ascontiguousarray(addresses).view("S16").ravel()


def _mask(length: int) -> Addresses:
    return np.frombuffer((((1 << length) - 1) << (128 - length)).to_bytes(16, "big"), np.uint8)
