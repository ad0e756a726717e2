"""Ties data connections to the announcements of readable control connections, by value."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from auditor.flows import ORIGINATOR_BY, TCP, FlowTable
from auditor.sessions.model import Announcement, DataLink, Grade

Rows = npt.NDArray[np.intp]

GUESS = ORIGINATOR_BY.index("guess")
_SECOND = 1_000_000_000
LOOK_BACK = 1 * _SECOND
"""A SYN may be recorded before the reply that announces it: packets of two queues are not always in order."""
EXPIRY = 300 * _SECOND
"""An announcement that nobody used within five minutes is void."""


class EndpointIndex:
    """TCP flows by either end's port, so that an announced end is found without walking the table."""

    def __init__(self, table: FlowTable, excluded: npt.NDArray[np.bool_]) -> None:
        self._table = table
        rows = np.flatnonzero((table["transport"] == TCP) & ~excluded)
        self._sides = {}
        for side in ("resp", "orig"):
            order = rows[np.argsort(table[f"{side}_port"][rows], kind="stable")]
            self._sides[side] = (table[f"{side}_port"][order], order)

    def at_port(self, side: str, port: int) -> Rows:
        """Return the flows whose end ``side`` has this port."""
        ports, rows = self._sides[side]
        first, last = np.searchsorted(ports, [port, port + 1])
        found: Rows = rows[first:last]
        return found


class Linker:
    """Ties data connections to one control connection at a time."""

    def __init__(self, table: FlowTable, index: EndpointIndex) -> None:
        self._table = table
        self._index = index

    def by_value(self, control: int, announcements: Iterable[Announcement]) -> list[DataLink]:
        """Tie the connection that each announcement names; a flow is tied once, with all its reasons."""
        found: dict[int, DataLink] = {}
        told = [a for a in announcements if a.captured]
        # Announcements before state reports: a report adds a reason to a tie, or is the only trace of it.
        for announcement in sorted(told, key=lambda a: a.state):
            link = self._tie(control, announcement, found)
            if link is None:
                continue
            known = found.setdefault(link.flow, link)
            if known is not link and (len(known.because) < 2 or not announcement.state):
                found[link.flow] = replace(known, because=known.because + link.because)
        return list(found.values())

    def _tie(self, control: int, announcement: Announcement, found: Container[int]) -> DataLink | None:
        told = f"{announcement.message} in packet {announcement.packet} names {self._named(announcement)}"
        flow = self._at_value(control, announcement)
        if flow is not None:
            grade = Grade.PROVED
            if announcement.state and flow not in found:
                grade, told = Grade.PROBABLE, f"{told}; the announcement itself was not captured"
            return DataLink(flow, grade, (told,), self._is_reversed(control, flow, announcement))
        if announcement.state:
            return None
        flow = self._at_port_of_pair(control, announcement)
        if flow is None or flow in found:
            return None
        return DataLink(
            flow, Grade.PROBABLE, (f"{told}; the port agrees, the address does not: translated, or another interface",)
        )

    def _at_value(self, control: int, announcement: Announcement) -> int | None:
        codes = self._listener_codes(control, announcement)
        rows = self._index.at_port("resp", announcement.port)
        rows = rows[np.isin(self._table["resp_addr"][rows], codes)]
        if not len(rows):
            # Without handshake the listener may stand on the originator's side of the record.
            rows = self._index.at_port("orig", announcement.port)
            guessed = self._table["syn_packets"][rows] == 0
            rows = rows[np.isin(self._table["orig_addr"][rows], codes) & (guessed | announcement.state)]
        return self._nearest(rows, announcement)

    def _is_reversed(self, control: int, flow: int, announcement: Announcement) -> bool:
        """Say whether the named end, a listener, stands as originator by a guess.

        A state report may also name the connected peer; it names a listener only where the host speaks of itself.
        """
        guess = int(self._table["originator_by"][flow]) == GUESS
        named = int(self._table["orig_port"][flow]) == announcement.port
        itself = int(self._table["orig_addr"][flow]) == int(self._table["resp_addr"][control])
        return guess and named and (itself or not announcement.state)

    def _at_port_of_pair(self, control: int, announcement: Announcement) -> int | None:
        rows = self._index.at_port("resp", announcement.port)
        pair = [int(self._table["orig_addr"][control]), int(self._table["resp_addr"][control])]
        ends = np.isin(self._table["orig_addr"][rows], pair) & np.isin(self._table["resp_addr"][rows], pair)
        return self._nearest(rows[ends], announcement)

    def _listener_codes(self, control: int, announcement: Announcement) -> list[int]:
        """Address codes of the listener: as announced; a wildcard or loopback stands for the host that announces."""
        codes = list(announcement.addresses)
        if any(self._table.address(code).is_unspecified for code in codes):
            codes.append(int(self._table["resp_addr"][control]))
        return codes

    def _nearest(self, rows: Rows, announcement: Announcement) -> int | None:
        """Return the first connection begun after the announcement; for a state report, the one alive at that time."""
        first, last = self._table["first_time"][rows], self._table["last_time"][rows]
        if announcement.state:
            rows = rows[first <= announcement.time]
            return int(rows[np.argmax(self._table["first_time"][rows])]) if len(rows) else None
        near = (first >= announcement.time - LOOK_BACK) & (first <= announcement.time + EXPIRY)
        # Already open when the capture began: its first packet says nothing of its age.
        running = (self._table["syn_packets"][rows] == 0) & (first <= announcement.time) & (last >= announcement.time)
        rows = rows[near | running]
        if not len(rows):
            return None
        age = self._table["first_time"][rows] - announcement.time
        after = age >= 0
        # The next one opened; only where there is none, one recorded just before.
        return int(rows[after][np.argmin(age[after])]) if after.any() else int(rows[np.argmax(age)])

    def _named(self, announcement: Announcement) -> str:
        ends = []
        for code in announcement.addresses:
            address = self._table.address(code)
            text = f"[{address}]" if address.version == 6 else str(address)
            ends.append(f"{text}:{announcement.port}")
        return ", ".join(ends)
