"""Finds, for many addresses at once, which of many networks they are in."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from auditor.arrays import NDArray
from auditor.policy.model import Network

Addresses = NDArray[np.uint8]
_MAPPED = np.frombuffer(bytes(10) + b"\xff\xff", "<u4")
"""The first three words of an IPv4 address in mapped form."""


class PrefixIndex:
    """Networks, each with a code above 0. Where networks are nested, the longest prefix counts."""

    def __init__(self, networks: Iterable[tuple[Network, int]]) -> None:
        by_length: dict[tuple[bool, int], dict[bytes, int]] = {}
        for network, code in networks:
            key = (network.version == 4, network.prefixlen)
            by_length.setdefault(key, {})[network.network_address.packed] = code
        self._tables = [
            (four, length, *_sorted_table(codes, four=four)) for (four, length), codes in sorted(by_length.items())
        ]

    def lookup(self, addresses: Addresses) -> NDArray[np.int64]:
        """Return the code of each row of ``addresses`` (shape (n, 16), IPv4 mapped), 0 where no network holds it."""
        found = np.zeros(len(addresses), np.int64)
        if not (len(addresses) and self._tables):
            return found
        mapped = is_ipv4(addresses)
        for four in (True, False):
            tables = [table[1:] for table in self._tables if table[0] == four]
            rows = np.flatnonzero(mapped == four) if tables else np.zeros(0, np.intp)
            if len(rows):
                found[rows] = _codes(addresses[rows], tables, four=four)
        return found


def is_ipv4(addresses: Addresses) -> NDArray[np.bool_]:
    """Return which rows are IPv4 addresses in mapped form."""
    # Word by word: a tenth of the time that twelve bytes and a reduction take.
    words = np.ascontiguousarray(addresses).view("<u4")
    same: NDArray[np.bool_] = (words[:, 2] == _MAPPED[2]) & (words[:, 0] == 0) & (words[:, 1] == 0)
    return same


_Table = tuple[int, NDArray[np.generic], NDArray[np.int64]]
"""Length of a prefix, the networks of that length in order, and their codes."""


def _codes(addresses: Addresses, tables: Iterable[_Table], *, four: bool) -> NDArray[np.int64]:
    """Return the codes of addresses of one family; the tables come shortest prefix first."""
    found = np.zeros(len(addresses), np.int64)
    # IPv4 as numbers: they are found many times faster than strings of bytes are.
    numbers = np.ascontiguousarray(addresses[:, 12:]).view(">u4").ravel().astype(np.uint32) if four else None
    prefixes: NDArray[np.generic]
    for length, keys, codes in tables:
        if numbers is not None:
            prefixes = numbers & np.uint32(((1 << length) - 1) << (32 - length))
        else:
            prefixes = _as_keys(addresses & _mask(length))
        position = np.minimum(np.searchsorted(keys, prefixes), len(keys) - 1)
        hit = keys[position] == prefixes
        found[hit] = codes[position[hit]]
    return found


def _sorted_table(codes: dict[bytes, int], *, four: bool) -> tuple[NDArray[np.generic], NDArray[np.int64]]:
    keys: NDArray[np.generic] = (
        np.array([int.from_bytes(key, "big") for key in codes], np.uint32) if four else np.array(list(codes), "S16")
    )
    order = np.argsort(keys)
    return keys[order], np.array(list(codes.values()), np.int64)[order]


def _as_keys(addresses: Addresses) -> NDArray[np.bytes_]:
    """One 16-byte string per row: NumPy sorts and compares these bytewise."""
    return np.ascontiguousarray(addresses).view("S16").ravel()


def _mask(length: int) -> Addresses:
    return np.frombuffer((((1 << length) - 1) << (128 - length)).to_bytes(16, "big"), np.uint8)
