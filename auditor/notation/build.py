"""Makes flow tables of lines, and lines of flow tables."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

import numpy as np

from auditor import _native
from auditor.arrays import NDArray
from auditor.flows import COLUMNS, ORIGINATOR_BY, TCP, FlowTable
from auditor.notation.model import Flow

_FRAME_OVERHEAD = 54
_SYN, _RST, _ACK = 0x02, 0x04, 0x10
_SYNS = 3
"""SYNs of an attempt that got no answer, where the line does not say: a first one and two retransmissions."""

_UNANSWERED = frozenset({"S0", "REJ", "RSTOS0", "SH"})


def table_of(flows: Sequence[Flow]) -> FlowTable:
    """Return the flow table of parsed lines: packets numbered as if the flows followed one another in one file."""
    codes: dict[str, int] = {}
    rows: list[dict[str, int]] = []
    packet = 1
    for position, flow in enumerate(flows):
        row = _counters(flow)
        row |= {
            "orig_addr": codes.setdefault(flow.orig[0], len(codes)),
            "resp_addr": codes.setdefault(flow.resp[0], len(codes)),
            "first_packet": packet,
            "last_packet": packet + row["orig_packets"] + row["resp_packets"] - 1,
        }
        row["refusal_packet"] = row["last_packet"] if row["refusal"] else 0
        start = float(position) if flow.at is None else flow.at
        row["first_time"] = round(start * 1e9)
        row["last_time"] = round((start + flow.lasts) * 1e9)
        packet = row["last_packet"] + 1
        rows.append(row)
    columns = {c.name: np.array([row.get(c.name, 0) for row in rows], c.dtype) for c in COLUMNS}
    letters = tuple(flow.history for flow in flows)
    return FlowTable.from_columns(columns, _packed(codes), files=("example.pcap",), history=letters.__getitem__)


def flow_text(table: FlowTable, row: int) -> str:
    """Write a flow of a table in the notation, so that ``parse`` gives its ends, state, counters and application."""
    words = [
        f"{table.endpoint(row, 'orig')} > {table.endpoint(row, 'resp')} {table.transport_text(row)}",
        _native.STATES[int(table["state"][row])],
        f"x{int(table['orig_packets'][row])}",
        f"by={ORIGINATOR_BY[int(table['originator_by'][row])]}",
        f"bytes={int(table['orig_payload'][row])}/{int(table['resp_payload'][row])}",
    ]
    for name, names in (("app", _native.APPS), ("refusal", _native.REFUSALS)):
        if table[name][row]:
            words.append(f"{name}={names[int(table[name][row])]}")
    if table["orig_missed"][row] or table["resp_missed"][row]:
        words.append(f"missed={int(table['orig_missed'][row])}/{int(table['resp_missed'][row])}")
    if table["vlan"][row]:
        words.append(f"vlan={int(table['vlan'][row])}")
    if int(table["flags"][row]) & _native.FLAG_CUT:
        words.append("cut")
    return " ".join(words)


def _counters(flow: Flow) -> dict[str, int]:
    """Return the columns of a flow that do not depend on its place among others."""
    answered, tcp = flow.state not in _UNANSWERED, flow.transport == TCP
    refusal = flow.refusal or ("rst" if flow.state == "REJ" else "none")
    silent = not answered and refusal == "none"
    sent = flow.packets if flow.packets is not None else (5 if answered else _SYNS if silent and tcp else 1)
    replies = 0 if flow.one_sided else 4 if answered else int(refusal != "none")
    payload = flow.bytes if flow.bytes is not None else (64 * answered, 64 * (replies > 1))
    began = answered and flow.state != "OTH"
    return {
        "transport": flow.transport,
        "orig_port": flow.orig[1],
        "resp_port": flow.resp[1],
        "originator_by": ORIGINATOR_BY.index(flow.by),
        "state": _native.STATES.index(flow.state),
        "refusal": _native.REFUSALS.index(refusal),
        "app": _native.APPS.index(flow.app),
        "vlan": flow.vlan,
        "orig_packets": sent,
        "resp_packets": replies,
        "orig_payload": payload[0],
        "resp_payload": payload[1],
        "orig_bytes": sent * _FRAME_OVERHEAD + payload[0],
        "resp_bytes": replies * _FRAME_OVERHEAD + payload[1],
        "orig_missed": flow.missed[0],
        "resp_missed": flow.missed[1],
        "syn_packets": 0 if not tcp or flow.state == "OTH" else (flow.syns if began else sent),
        "flags": _native.FLAG_CUT if flow.cut else 0,
        "orig_flags": (_SYN | _ACK if answered else _SYN) if tcp else 0,
        "resp_flags": _reply_flags(flow, answered, refusal) if tcp and replies else 0,
    }


def _reply_flags(flow: Flow, answered: bool, refusal: str) -> int:
    if answered:
        return _ACK if flow.state == "OTH" else _SYN | _ACK
    return _RST | _ACK if refusal == "rst" else 0


def _packed(codes: Iterable[str]) -> NDArray[np.uint8]:
    """Return addresses as rows of 16 bytes, IPv4 mapped."""
    rows = [ipaddress.ip_address(text) for text in codes]
    raw = b"".join(a.packed if a.version == 6 else bytes(10) + b"\xff\xff" + a.packed for a in rows)
    return np.frombuffer(raw, np.uint8).reshape(-1, 16)
