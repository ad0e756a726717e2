"""Networks and addresses that terms name: nested, side by side and of both versions, against plain membership."""

from __future__ import annotations

import ipaddress

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.documents.yaml_tree import Place
from auditor.flows import FlowTable
from auditor.notation import parse
from auditor.policy.groups import group_addresses
from auditor.policy.model import Policy, Term, Zone

HERE = Place("test", 1)
ADDRESSES = [f"10.0.{third}.{last}" for third in (0, 1, 128) for last in (0, 1, 2, 7, 130, 255)]
ADDRESSES += ["fd00::1", "fd00::2", "fd00:0:0:1::1", "fe00::1", "192.0.2.1"]
ENDS = [
    "0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/16", "10.0.0.0/24", "10.0.0.0/31", "10.0.0.0", "10.0.0.1", "10.0.0.1/32",
    "10.0.1.0/24", "10.0.1.128/25", "10.0.128.0/17", "10.0.0.255", "::/0", "fd00::/16", "fd00::/64", "fd00::1",
    "fd00:0:0:1::/64", "192.0.2.0/24", "255.255.255.255/32",
]  # fmt: skip


def table() -> FlowTable:
    ends = [f"[{address}]" if ":" in address else address for address in ADDRESSES]
    return parse("\n".join(f"{end}:1 > {end}:2 tcp" for end in ends)).table


@settings(max_examples=60)
@given(st.lists(st.sampled_from(ENDS), min_size=1, max_size=8, unique=True), st.data())
def test_a_term_means_the_hosts_within_its_networks(ends: list[str], data: st.DataObject) -> None:
    terms = tuple(
        Term(f"t{n}", "permit", (end,), ("any",), "tcp", None, "", "", "site", HERE) for n, end in enumerate(ends)
    )
    zone = Zone("agents", "agents", (ipaddress.ip_network("10.0.0.0/30"),), None, None, HERE)
    flows = table()
    groups = group_addresses(flows, Policy("test", zones=(zone,), site_terms=terms), terms)
    asked = tuple(data.draw(st.lists(st.sampled_from(ends), min_size=1, max_size=3)))
    found = groups.matching(asked)[groups.of_address]
    for code in range(len(flows.addresses)):
        address = flows.address(code)
        networks = [ipaddress.ip_network(end) for end in asked]
        assert found[code] == any(address in net for net in networks if net.version == address.version), (
            address,
            asked,
        )


def test_many_names_are_one_column() -> None:
    """Ten thousand addresses named by terms, each of them seen: a column for each would be a hundred million entries."""
    hosts = [f"10.{n // 250}.{n % 250}.1" for n in range(10_000)]
    flows = parse("\n".join(f"{host}:1 > 192.0.2.1:2 tcp" for host in hosts)).table
    term = Term("t", "deny", tuple(hosts), ("any",), "tcp", None, "", "", "site", HERE)
    groups = group_addresses(flows, Policy("test", site_terms=(term,)), (term,))
    assert len(groups) == 10_001
    assert int(groups.matching(term.source).sum()) == 10_000
    assert groups.named.dtype == np.int64
