"""Ties data connections by host pair and time, where the control stream cannot be read. Never a proof."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from auditor import _native
from auditor.arrays import NDArray
from auditor.blocks import blocks, look_up, parted
from auditor.distinct import among, distinct
from auditor.flows import TCP, FlowTable
from auditor.sessions.model import Readable

Rows = NDArray[np.intp]
Mask = NDArray[np.bool_]

_CARRIES_DATA = tuple(_native.APPS.index(name) for name in ("unknown", "tls", "mtf") if name in _native.APPS)
_FIRST_FREE_PORT = 1024
ENDED = frozenset(n for n, name in enumerate(_native.STATES) if name in ("SF", "RSTO", "RSTR", "S2", "S3", "SH", "SHR"))
"""States of connections whose end was captured: a last packet is an end only there, elsewhere the capture's doing."""

MOST_POSSIBLE = 128
"""Possible ties of one control connection. An outsider's unreadable one must not claim all of its port scan."""


class Candidates:
    """TCP flows that might be data connections of an unreadable control connection, by host pair."""

    def __init__(self, table: FlowTable, taken: Mask, service_ports: NDArray[np.uint16]) -> None:
        self._table = table
        self._taken = taken
        self._service_ports = service_ports
        self._strangers: dict[int, Rows] = {}

    @cached_property
    def _rows(self) -> Rows:
        """The candidates in order of first packets. Mostly nothing is unreadable, and nobody asks."""
        table = self._table
        known = np.zeros(65536, np.bool_)
        known[self._service_ports] = True
        known[:_FIRST_FREE_PORT] = True
        free = (
            (table["transport"] == TCP)
            & ~self._taken
            & ~look_up(known, table["resp_port"])
            & among(table["app"], _CARRIES_DATA)
            # Without a handshake either end may be the listener.
            & ~((table["syn_packets"] == 0) & look_up(known, table["orig_port"]))
        )
        return np.flatnonzero(free)

    @cached_property
    def _by_pair(self) -> tuple[NDArray[np.uint64], NDArray[np.intp]]:
        """The host pairs of the candidates as keys, and the order of these."""
        table, keys = self._table, np.empty(len(self._rows), np.uint64)
        for part in blocks(len(keys)):
            rows = self._rows[part]
            keys[part] = _pair_keys(table["orig_addr"][rows], table["resp_addr"][rows])
        return keys, np.argsort(keys, kind="stable")

    def of_pair(self, control: int) -> Rows:
        """Return the candidates between the two hosts of a control connection, in order of first packets."""
        return self.between(int(self._table["orig_addr"][control]), int(self._table["resp_addr"][control]))

    def between(self, one: int, other: int) -> Rows:
        """Return the candidates between two hosts, given as address codes, in order of first packets."""
        key = _pair_keys(np.array([one], np.uint32), np.array([other], np.uint32))[0]
        keys, order = self._by_pair
        first, last = np.searchsorted(keys, [key, key + np.uint64(1)], sorter=order)
        found: Rows = self._rows[order[first:last]]
        return found

    def within(self, hosts: frozenset[int]) -> dict[int, Rows]:
        """Return the candidates between two of ``hosts``, by the address code of either end."""
        known = np.array(sorted(hosts), np.uint32)
        orig, resp = self._table["orig_addr"][self._rows], self._table["resp_addr"][self._rows]
        rows = self._rows[among(orig, known) & among(resp, known)]
        found: dict[int, Rows] = {}
        for side in ("orig_addr", "resp_addr"):
            for code in distinct(self._table[side][rows]).tolist():
                own = rows[self._table[side][rows] == code]
                found[code] = distinct(np.concatenate([found[code], own])) if code in found else own
        return found

    def with_strangers(self, host: int, hosts: frozenset[int]) -> Rows:
        """Return the candidates between ``host`` and an address that is none of ``hosts``, all address codes."""
        found = self._strangers.get(host)
        if found is None:
            known = np.array(sorted(hosts), np.uint32)
            rows = self._rows
            orig, resp = self._table["orig_addr"][rows], self._table["resp_addr"][rows]
            other = np.where(orig == host, resp, orig)
            found = rows[((orig == host) | (resp == host)) & ~among(other, known)]
            self._strangers[host] = found
        return found

    def open_with(self, control: int, taken: Mask, rank: int, most: int = MOST_POSSIBLE) -> Rows:
        """Return those of its hosts that came about while the control connection was open, ``most`` at most.

        ``rank``: control connections of the same hosts that were open already. Data connections open in much the same
        order, so that of very many the ones around that place are kept.
        """
        return self.come_about(control, self.of_pair(control), taken, rank, most)

    def come_about(self, control: int, rows: Rows, taken: Mask, rank: int = 0, most: int = MOST_POSSIBLE) -> Rows:
        """Return those of ``rows`` that came about while the control connection was open, ``most`` at most."""
        table = self._table
        rows = rows[~taken[rows]]
        before = int(table["syn_packets"][control]) == 0
        opened, closed = int(table["first_time"][control]), int(table["last_time"][control])
        starts = table["first_time"][rows]
        # What was not seen to end may have gone on after its last packet.
        lasting = int(table["state"][control]) not in ENDED
        fits = ((starts <= closed) | lasting) & ((starts >= opened) | before)
        # Who never answered carried no data, and host pair and time alone make no case for a blocked attempt.
        fits &= (table["orig_packets"][rows] > 0) & (table["resp_packets"][rows] > 0) & (table["refusal"][rows] == 0)
        rows = rows[fits]
        start = max(0, min(rank - most // 2, len(rows) - most))
        found: Rows = rows[start : start + most]
        return found

    def ranks(self, controls: Sequence[int]) -> dict[int, int]:
        """Return for each of ``controls`` how many others of the same hosts were open when it opened."""
        ranks: dict[int, int] = {}
        for rows in self.by_pair(controls):
            opened = self._table["first_time"][rows]
            # Whatever had closed had opened: the difference was open.
            closed = np.sort(self._table["last_time"][rows])
            found = np.searchsorted(np.sort(opened), opened) - np.searchsorted(closed, opened)
            ranks |= dict(zip(rows.tolist(), found.tolist(), strict=True))
        return ranks

    def by_pair(self, controls: Sequence[int]) -> list[Rows]:
        """Return ``controls`` apart by their hosts, those of the same hosts in their order."""
        rows = np.array(controls, np.intp)
        keys = _pair_keys(self._table["orig_addr"][rows], self._table["resp_addr"][rows])
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        return parted(rows[order], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1) if len(rows) else []


def _pair_keys(one: NDArray[np.uint32], other: NDArray[np.uint32]) -> NDArray[np.uint64]:
    low, high = np.minimum(one, other).astype(np.uint64), np.maximum(one, other).astype(np.uint64)
    keys: NDArray[np.uint64] = (low << np.uint64(32)) | high
    return keys


WHY_BLIND = {
    Readable.TLS: "the control connection is inside TLS",
    Readable.MID_STREAM: "the control connection began before the capture",
    Readable.CUT: "parts of the control connection could not be read",
    Readable.READ: "bytes of the control connection are missing, and nothing that was read names this connection",
    Readable.NOT_SEEN: "no NDMP message of the control connection was captured",
}
"""Why a control connection could not be read."""
