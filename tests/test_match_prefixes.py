"""Looking up many addresses in many networks at once, against ipaddress one by one."""

from __future__ import annotations

import ipaddress

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from auditor.policy.distinct import distinct_rows
from auditor.policy.model import Address, Network
from auditor.policy.prefixes import PrefixIndex

# Few bits vary, so that networks nest and addresses fall into them.
FOURS = st.integers(0, 255).map(lambda n: ipaddress.IPv4Address(0x0A000000 | (n & 15) | (n >> 4) << 28))
SIXES = st.integers(0, 255).map(lambda n: ipaddress.IPv6Address((n & 15) | (n >> 4) << 124))
ADDRESSES = st.one_of(FOURS, SIXES)


def network_at(address: Address, length: int) -> Network:
    return ipaddress.ip_network((address, min(length, address.max_prefixlen)), strict=False)


NETWORKS = st.builds(network_at, ADDRESSES, st.sampled_from([0, 1, 4, 8, 30, 31, 32, 124, 127, 128]))


@given(st.lists(NETWORKS, max_size=8), st.lists(ADDRESSES, max_size=20))
@example([ipaddress.ip_network("::/0")], [ipaddress.IPv4Address("10.0.0.1"), ipaddress.IPv6Address("::1")])
@example([ipaddress.ip_network("0.0.0.0/0")], [ipaddress.IPv4Address("10.0.0.1"), ipaddress.IPv6Address("::1")])
def test_the_longest_prefix_counts(networks: list[Network], addresses: list[Address]) -> None:
    codes = {network: number for number, network in enumerate(networks, 1)}
    packed = b"".join(a.packed if a.version == 6 else bytes(10) + b"\xff\xff" + a.packed for a in addresses)
    found = PrefixIndex(codes.items()).lookup(np.frombuffer(packed, np.uint8).reshape(-1, 16))
    for address, code in zip(addresses, found.tolist(), strict=True):
        holding = [network for network in codes if network.version == address.version and address in network]
        assert code == (codes[max(holding, key=lambda network: network.prefixlen)] if holding else 0)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 1)), max_size=30),
    st.sampled_from([1, 1 << 21, 1 << 40]),
)
def test_distinct_rows_lead_back_to_every_row(rows: list[tuple[int, int, int]], wide: int) -> None:
    columns = [np.array([row[n] for row in rows], np.int64) for n in range(3)]
    distinct, index = distinct_rows(len(rows), lambda some: [column[some] for column in columns], [4 * wide, 3, 2])
    kept = list(zip(*(column.tolist() for column in distinct), strict=True))
    assert kept == sorted(set(rows))
    assert [kept[number] for number in index] == rows
