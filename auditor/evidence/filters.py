"""Display filters for Wireshark: made of numbers and addresses that were read as such, never of a capture's text."""

from __future__ import annotations

import re
from collections.abc import Iterable

from auditor.evidence.flows import PROTOCOLS, End, read_connection
from auditor.model import Finding, FlowReference

_CODE = re.compile(r"[A-Z]{2,8}[0-9]{3}", re.ASCII)
_ICMP = {"icmp": "icmp", "icmpv6": "icmpv6", "icmp6": "icmpv6"}


def flow_filter(flows: Iterable[FlowReference]) -> str:
    """Return a filter for whole connections, empty where none of them could be read."""
    parts = dict.fromkeys(part for flow in flows if (part := _one(flow)))
    return " or ".join(f"({part})" for part in parts) if len(parts) > 1 else "".join(parts)


def packet_filter(packets: Iterable[int]) -> str:
    """Return a filter for packets of one capture by number, empty where there are none."""
    numbers = sorted({int(number) for number in packets if number > 0})
    return f"frame.number in {{{', '.join(map(str, numbers))}}}" if numbers else ""


def comment_filter(finding: Finding) -> str:
    """Return a filter for the packets of a carved capture that prove a finding; empty where its code is none."""
    return f'frame.comment contains "{finding.code}"' if _CODE.fullmatch(finding.code) else ""


def _one(flow: FlowReference) -> str:
    connection = read_connection(flow)
    if connection is None:
        return ""
    # An ICMP flow with its type as a port, or another transport: the addresses alone.
    with_ports = flow.transport in PROTOCOLS
    parts = [] if with_ports else [_ICMP[flow.transport]] if flow.transport in _ICMP else []
    for end in (connection.one, connection.other):
        parts.append(f"{_field(end)} == {end.address}")
        if with_ports:
            parts.append(f"{flow.transport}.port == {end.port}")
    return " and ".join(parts)


def _field(end: End) -> str:
    return "ip.addr" if end.address.version == 4 else "ipv6.addr"
