"""Reduces a flow table to the few combinations of facts that a verdict depends on.

Ports that no term and no service tells apart are one interval; addresses that the policy treats alike are one group. A
million flows so become some hundred combinations, each judged once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from auditor.arrays import NDArray
from auditor.flows import TCP, UDP, FlowTable
from auditor.policy.distinct import distinct_rows
from auditor.policy.groups import Groups
from auditor.ports import PortSet
from auditor.records import record

TRANSPORT_WORDS = ("", "tcp", "udp")
KIND_WORDS = ("", "control", "data")
"""What ``transport`` and ``kind`` of combinations stand for."""

NO_PORT = -1
"""Port of a combination whose flows have none in the capture: a fragment without its first, or a header that was cut."""

Bools = NDArray[np.bool_]
Codes = NDArray[np.int64]


@record
class Combinations:
    """Distinct combinations, one entry each, and for every flow the one that it belongs to (``of_flow``).

    ``orig`` and ``resp`` are groups, ``port`` any port of the responder's interval (all of it is judged alike), or
    ``NO_PORT``.
    """

    orig: Codes
    resp: Codes
    transport: Codes
    port: Codes
    kind: Codes
    of_flow: NDArray[Any]

    def __len__(self) -> int:
        """Return the number of combinations."""
        return len(self.orig)


def combine(
    table: FlowTable, groups: Groups, port_sets: Iterable[PortSet], *, control: Bools, data: Bools
) -> Combinations:
    """Return the combinations of a table. ``control`` and ``data`` mark flows, as bool arrays with one entry each."""
    interval_of, first_port = _intervals(port_sets)
    shape = (len(groups), len(groups), len(TRANSPORT_WORDS), len(first_port) + 1, len(KIND_WORDS))

    def parts(rows: slice) -> tuple[NDArray[Any], ...]:
        is_tcp, is_udp = (table["transport"][rows] == number for number in (TCP, UDP))
        data_only = data[rows] & ~control[rows]
        # Taken, not indexed: of codes narrower than an index that needs a third of the time.
        interval = interval_of.take(table["resp_port"][rows])
        # No connection has port 0 at both ends; it is how the core writes that it saw none.
        interval[(is_tcp | is_udp) & (table["orig_port"][rows] == 0) & (table["resp_port"][rows] == 0)] = len(
            first_port
        )
        return (
            groups.of_address.take(table["orig_addr"][rows]),
            groups.of_address.take(table["resp_addr"][rows]),
            is_tcp + (is_udp.view(np.uint8) << 1),
            interval,
            control[rows] + (data_only.view(np.uint8) << 1),
        )

    (orig, resp, transport, interval, kind), of_flow = distinct_rows(len(table), parts, shape)
    return Combinations(orig, resp, transport, np.concatenate([first_port, [NO_PORT]])[interval], kind, of_flow)


def _intervals(port_sets: Iterable[PortSet]) -> tuple[NDArray[Any], Codes]:
    """Return the interval of each port 0..65535, and the first port of each interval."""
    starts = {0, 1}
    for ports in port_sets:
        for low, high in ports.ranges:
            starts |= {low, high + 1}
    first = np.array(sorted(port for port in starts if port <= 65535), np.int64)
    interval = np.searchsorted(first, np.arange(65536), side="right") - 1
    # Mostly a byte or two each, so that it stays in the inner caches; with room for one more, that of no port.
    return interval.astype(np.min_scalar_type(len(first))), first
