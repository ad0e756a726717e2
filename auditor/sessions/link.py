"""Ties data connections to the announcements of readable control connections, by value."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from auditor.distinct import among
from auditor.flows import ORIGINATOR_BY, TCP, FlowTable
from auditor.sessions.model import Announcement, DataLink, Grade

Rows = npt.NDArray[np.intp]

GUESS = ORIGINATOR_BY.index("guess")
_SECOND = 1_000_000_000
LOOK_BACK = 1 * _SECOND
"""A SYN may be recorded before the reply that announces it: packets of two queues are not always in order."""
EXPIRY = 300 * _SECOND
"""An announcement that nobody used within five minutes is void."""


class Ends(NamedTuple):
    """Flows whose one end is the same, in order of their first packets: rows of the flow table, and those times (ns)."""

    rows: Rows
    times: npt.NDArray[np.int64]


class EndpointIndex:
    """TCP flows by either end, so that an announced end is found without walking the table, however often it is used."""

    def __init__(self, table: FlowTable, excluded: npt.NDArray[np.bool_]) -> None:
        rows = np.flatnonzero((table["transport"] == TCP) & ~excluded)
        guessed = rows[table["syn_packets"][rows] == 0]
        self._sides = {
            "resp": _by_end(table, rows, "resp"),
            "orig": _by_end(table, rows, "orig"),
            "guessed": _by_end(table, guessed, "orig"),
        }

    def at(self, side: str, code: int, port: int) -> Ends:
        """Return the flows with this end as ``resp`` or ``orig``; as ``guessed``, originators without a handshake."""
        keys, rows, times = self._sides[side]
        key = np.uint64(port << 32 | code)
        first, last = np.searchsorted(keys, [key, key + np.uint64(1)])
        return Ends(rows[first:last], times[first:last])


def _by_end(table: FlowTable, rows: Rows, side: str) -> tuple[npt.NDArray[np.uint64], Rows, npt.NDArray[np.int64]]:
    keys = table[f"{side}_port"][rows].astype(np.uint64) << np.uint64(32) | table[f"{side}_addr"][rows]
    order = np.lexsort((table["first_time"][rows], keys))
    return keys[order], rows[order], table["first_time"][rows[order]]


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
        # Without handshake the listener may stand on the originator's side of the record.
        other = "orig" if announcement.state else "guessed"
        for side in ("resp", other):
            ends = [self._index.at(side, code, announcement.port) for code in codes]
            if any(len(found.rows) for found in ends):
                return self._nearest(ends, announcement)
        return None

    def _is_reversed(self, control: int, flow: int, announcement: Announcement) -> bool:
        """Say whether the named end, a listener, stands as originator by a guess.

        A state report may also name the connected peer; it names a listener only where the host speaks of itself.
        """
        guess = int(self._table["originator_by"][flow]) == GUESS
        named = int(self._table["orig_port"][flow]) == announcement.port
        itself = int(self._table["orig_addr"][flow]) == int(self._table["resp_addr"][control])
        return guess and named and (itself or not announcement.state)

    def _at_port_of_pair(self, control: int, announcement: Announcement) -> int | None:
        pair = [int(self._table["orig_addr"][control]), int(self._table["resp_addr"][control])]
        ends = []
        for code in pair:
            found = self._index.at("resp", code, announcement.port)
            inside = among(self._table["orig_addr"][found.rows], pair)
            ends.append(Ends(found.rows[inside], found.times[inside]))
        return self._nearest(ends, announcement)

    def _listener_codes(self, control: int, announcement: Announcement) -> list[int]:
        """Address codes of the listener: as announced; a wildcard or loopback stands for the host that announces."""
        codes = list(announcement.addresses)
        if any(self._table.address(code).is_unspecified for code in codes):
            codes.append(int(self._table["resp_addr"][control]))
        return codes

    def _nearest(self, ends: Iterable[Ends], announcement: Announcement) -> int | None:
        """Return the first connection begun after the announcement; only where there is none, one recorded just before.

        For a state report, the one begun last at that time.
        """
        found = [self._pick(one, announcement) for one in ends if len(one.rows)]
        ages = [(age, row) for age, row in found if row >= 0]
        after = [pair for pair in ages if pair[0] >= 0]
        if after:
            return min(after)[1]
        return max(ages)[1] if ages else None

    def _pick(self, ends: Ends, announcement: Announcement) -> tuple[int, int]:
        """Return age (ns) and row of the connection of these that is meant; row -1 for none."""
        rows, times, at = ends.rows, ends.times, announcement.time
        place = int(np.searchsorted(times, at, side="right" if announcement.state else "left"))
        if not announcement.state and place < len(rows) and times[place] <= at + EXPIRY:
            return int(times[place]) - at, int(rows[place])
        before = place - 1
        if before < 0:
            return 0, -1
        if not announcement.state and times[before] < at - LOOK_BACK:
            # Already open when the capture began: its first packet says nothing of its age.
            earlier = rows[:place]
            running = (self._table["syn_packets"][earlier] == 0) & (self._table["last_time"][earlier] >= at)
            if not running.any():
                return 0, -1
            before = int(np.flatnonzero(running)[-1])
        return int(times[before]) - at, int(rows[before])

    def _named(self, announcement: Announcement) -> str:
        ends = []
        for code in announcement.addresses:
            address = self._table.address(code)
            text = f"[{address}]" if address.version == 6 else str(address)
            ends.append(f"{text}:{announcement.port}")
        return ", ".join(ends)
