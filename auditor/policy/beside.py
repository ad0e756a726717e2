"""Which control connections that cannot be read came with data between the same two hosts."""

from __future__ import annotations

import numpy as np

from auditor import _native
from auditor.arrays import NDArray
from auditor.blocks import look_up
from auditor.distinct import among, grouped
from auditor.flows import TCP, FlowTable

Rows = NDArray[np.intp]
Bools = NDArray[np.bool_]

LEAST_DATA = 16 * 1024
"""Payload from which on a connection counts as one that moved data."""

_BESIDE = tuple(_native.APPS.index(name) for name in ("unknown", "tls", "mtf"))
_FIRST_FREE_PORT = 1024


def with_data_beside(table: FlowTable, unreadable: Bools, service_ports: tuple[int, ...]) -> Rows:
    """Return those of the ``unreadable`` control connections during which their ends opened another that moved data.

    Neither port of that one is a known service's or ends one of them. ``unreadable`` has shape (flows,).
    """
    control = np.flatnonzero(unreadable)
    if not len(control):
        return control
    known = np.zeros(65536, np.bool_)
    known[np.array(service_ports, np.intp)] = True
    known[table["resp_port"][unreadable]] = True
    known[:_FIRST_FREE_PORT] = True
    moved = np.maximum(table["orig_payload"], table["resp_payload"]) >= LEAST_DATA
    free = ~look_up(known, table["resp_port"]) & ~look_up(known, table["orig_port"]) & among(table["app"], _BESIDE)
    data = np.flatnonzero((table["transport"] == TCP) & moved & free)
    pairs = _pair_numbers(table, np.concatenate([control, data]))
    times = np.sort(table["first_time"][data])
    # Pair and time in one number: how many of a pair's data connections began between two times is then a difference.
    pairs *= len(times) + 1
    begun = np.sort(pairs[len(control) :] + np.searchsorted(times, table["first_time"][data]))
    # One whose opening was not seen was open before all else.
    opened = np.where(table["syn_packets"][control] > 0, table["first_time"][control], -(1 << 63))
    first = pairs[: len(control)] + np.searchsorted(times, opened)
    last = pairs[: len(control)] + np.searchsorted(times, table["last_time"][control], side="right")
    rows: Rows = control[np.searchsorted(begun, last) > np.searchsorted(begun, first)]
    return rows


def _pair_numbers(table: FlowTable, rows: Rows) -> NDArray[np.int64]:
    """Return a number for the pair of hosts of each of these flows, whichever end is the originator."""
    one, other = table["orig_addr"][rows].astype(np.uint64), table["resp_addr"][rows].astype(np.uint64)
    keys = (np.minimum(one, other) << np.uint64(32)) | np.maximum(one, other)
    return grouped(keys)[1].astype(np.int64)
