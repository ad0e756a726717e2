"""Ties data connections to the announcements of readable control connections, by value."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence

import numpy as np

from auditor.arrays import NDArray
from auditor.distinct import among
from auditor.flows import ORIGINATOR_BY, TCP, FlowTable
from auditor.records import record, replace
from auditor.sessions.model import Announcement, DataLink, Grade
from auditor.sessions.settle import Choice, Pair, Place, Settled, settle

Rows = NDArray[np.intp]

GUESS = ORIGINATOR_BY.index("guess")
_SECOND = 1_000_000_000
LOOK_BACK = 1 * _SECOND
"""A SYN may be recorded before the reply that announces it: packets of two queues are not always in order."""
EXPIRY = 300 * _SECOND
"""An announcement that nobody used within five minutes is void."""
_MOST_REASONS = 2
"""Reasons of a tie, beyond which state reports add none."""
_MOST = 4
"""Connections looked at on either side of an announcement."""


@record
class Ends:
    """Flows whose one end is the same, in order of their first packets: rows of the flow table, and those times (ns)."""

    rows: Rows
    times: NDArray[np.int64]


_Side = tuple[NDArray[np.uint64], Rows, NDArray[np.int64]]
"""Ends as numbers, sorted, with the rows of their flows and those flows' first times."""


class EndpointIndex:
    """TCP flows by either end, so that an announced end is found without walking the table, however often it is used."""

    def __init__(self, table: FlowTable, excluded: NDArray[np.bool_]) -> None:
        self._table, self._excluded = table, excluded
        self._sides: dict[str, _Side] = {}
        self._known: dict[tuple[str, int, int], Ends] = {}

    def at(self, side: str, code: int, port: int) -> Ends:
        """Return the flows with this end as ``resp`` or ``orig``; as ``guessed``, originators without a handshake."""
        # Reports of a session's state ask for the same end again and again.
        known = self._known.get((side, code, port))
        if known is None:
            known = self._known[side, code, port] = self._found(side, code, port)
        return known

    def _found(self, side: str, code: int, port: int) -> Ends:
        if side not in self._sides:
            # A million flows take 25 ms to sort, and where nothing is announced nobody asks.
            self._sides[side] = self._sorted(side)
        keys, rows, times = self._sides[side]
        key = np.uint64(port << 32 | code)
        first, last = np.searchsorted(keys, [key, key + np.uint64(1)])
        return Ends(rows[first:last], times[first:last])

    def _sorted(self, side: str) -> _Side:
        rows = np.flatnonzero((self._table["transport"] == TCP) & ~self._excluded)
        if side == "guessed":
            return _by_end(self._table, rows[self._table["syn_packets"][rows] == 0], "orig")
        return _by_end(self._table, rows, side)


def _by_end(table: FlowTable, rows: Rows, side: str) -> _Side:
    keys = table[f"{side}_port"][rows].astype(np.uint64) << np.uint64(32) | table[f"{side}_addr"][rows]
    order = np.lexsort((table["first_time"][rows], keys))
    return keys[order], rows[order], table["first_time"][rows[order]]


class Linker:
    """Ties data connections to all control connections at once, each connection to one announcement of either role."""

    def __init__(self, table: FlowTable, index: EndpointIndex) -> None:
        self._table = table
        self._index = index
        self._clients: set[int] = set()

    def by_value(self, told: Mapping[int, Sequence[Announcement]]) -> dict[int, list[DataLink]]:
        """Return for each control connection (row) of ``told`` what its announcements tie, each flow once with all reasons."""
        self._clients = {int(self._table["orig_addr"][control]) for control in told}
        places = [
            (control, number)
            for control, announcements in told.items()
            for number, one in enumerate(announcements)
            if one.captured and not one.state
        ]
        pairs = [pair for place in places for pair in self._named_pairs(place, told)]
        named = settle(pairs)
        taken = {(choice.flow, told[control][number].connects) for (control, number), choice in named.items()}
        more = [pair for place in places if place not in named for pair in self._port_pairs(place, told, taken)]
        translated = settle(more)
        return {
            control: self._links(control, announcements, named, translated) for control, announcements in told.items()
        }

    def _links(
        self, control: int, announcements: Sequence[Announcement], named: Settled, translated: Settled
    ) -> list[DataLink]:
        found: dict[int, DataLink] = {}
        # Announcements before state reports: a report adds a reason to a tie, or is the only trace of it.
        for number, announcement in sorted(enumerate(announcements), key=lambda one: one[1].state):
            if not announcement.captured:
                continue
            place = (control, number)
            if announcement.state:
                link = self._reported(control, announcement, found)
            else:
                link = self._announced(announcement, named.get(place), translated.get(place), control)
            if link is None:
                continue
            known = found.setdefault(link.flow, link)
            if known is not link:
                found[link.flow] = replace(known, because=known.because + link.because)
        return list(found.values())

    def _reported(self, control: int, announcement: Announcement, found: Mapping[int, DataLink]) -> DataLink | None:
        """Return what a state report says of a connection, None where it adds nothing: one reason more is told, not thousands."""
        flow = self._at_value(control, announcement)
        if flow is None or (flow in found and len(found[flow].because) >= _MOST_REASONS):
            return None
        told, grade = self._told(announcement), Grade.PROVED
        if flow not in found:
            grade, told = Grade.PROBABLE, f"{told}; the announcement itself was not captured"
        return DataLink(flow, grade, (told,), self._is_reversed(control, flow, announcement))

    def _announced(
        self, announcement: Announcement, named: Choice | None, translated: Choice | None, control: int
    ) -> DataLink | None:
        told = self._told(announcement)
        if named is not None:
            grade = Grade.PROVED if named.alone else Grade.PROBABLE
            told = told if named.alone else f"{told}; another announcement of the same port came as near to its opening"
            return DataLink(named.flow, grade, (told,), self._is_reversed(control, named.flow, announcement))
        if translated is None:
            return None
        told = f"{told}; the port agrees, the address does not: translated, or another interface"
        return DataLink(translated.flow, Grade.PROBABLE, (told,))

    def _named_pairs(self, place: Place, told: Mapping[int, Sequence[Announcement]]) -> Iterator[Pair]:
        """Give the connections to the very end that is named."""
        control, number = place
        announcement = told[control][number]
        codes = self._listener_codes(control, announcement)
        # Without handshake the listener may stand on the originator's side of the record.
        for side in ("resp", "guessed"):
            ends = [self._index.at(side, code, announcement.port) for code in codes]
            if any(len(found.rows) for found in ends):
                near = [one for end in ends for one in self._near(end, announcement)]
                yield from (pair for one in near if (pair := self._pair(place, announcement, *one)))
                return

    def _port_pairs(
        self, place: Place, told: Mapping[int, Sequence[Announcement]], taken: Container[tuple[int, bool]]
    ) -> Iterator[Pair]:
        """Give the connections between the two hosts of the control connection to the port that is named."""
        control, number = place
        announcement = told[control][number]
        hosts = [int(self._table[f"{side}_addr"][control]) for side in ("orig", "resp")]
        for code in hosts:
            found = self._index.at("resp", code, announcement.port)
            inside = among(self._table["orig_addr"][found.rows], hosts)
            for flow, age in self._near(Ends(found.rows[inside], found.times[inside]), announcement):
                pair = self._pair(place, announcement, flow, age)
                if pair and (flow, announcement.connects) not in taken:
                    yield pair

    def _pair(self, place: Place, announcement: Announcement, flow: int, age: int) -> Pair | None:
        """Return the pair; it is natural where the end that the announcement leaves to the NDMP server has its address.

        None where that end is an NDMP client of this capture: not another address of this server, but somebody else whom
        the announcement names, by mistake or in bad faith.
        """
        reversed_ = self._is_reversed(place[0], flow, announcement)
        own = "orig_addr" if announcement.connects ^ reversed_ else "resp_addr"
        address = int(self._table[own][flow])
        natural = address == int(self._table["resp_addr"][place[0]])
        if not natural and address in self._clients:
            return None
        return Pair(place, announcement.connects, flow, abs(age), natural)

    def _near(self, ends: Ends, announcement: Announcement) -> Iterator[tuple[int, int]]:
        """Give row and age (ns after the announcement) of the connections that it can mean: few, the nearest."""
        rows, times, at = ends.rows, ends.times, announcement.time
        place, last = np.searchsorted(times, [at, min(at + EXPIRY, announcement.until)])
        for after in range(place, min(int(last), place + _MOST)):
            yield int(rows[after]), int(times[after]) - at
        # One that had ended by then is an earlier use of the port, however short a time before.
        open_then = self._table["last_time"][rows[max(place - _MOST, 0) : place]] >= at
        before = [
            n
            for n, runs in zip(range(max(place - _MOST, 0), place), open_then.tolist(), strict=True)
            if runs and times[n] >= at - LOOK_BACK
        ]
        yield from ((int(rows[n]), int(times[n]) - at) for n in before)
        if place and not before:
            running = self._running(rows[:place], at)
            if running is not None:
                yield int(rows[running]), -EXPIRY

    def _running(self, rows: Rows, at: int) -> int | None:
        """Return the last of these that was open when the capture began: its first packet says nothing of its age."""
        running = (self._table["syn_packets"][rows] == 0) & (self._table["last_time"][rows] >= at)
        return int(np.flatnonzero(running)[-1]) if running.any() else None

    def _at_value(self, control: int, report: Announcement) -> int | None:
        """Return the connection with the end that a state report names, the one begun last before it."""
        codes = self._listener_codes(control, report)
        for side in ("resp", "orig"):
            ends = [self._index.at(side, code, report.port) for code in codes]
            begun = [int(np.searchsorted(found.times, report.time, side="right")) for found in ends]
            if any(len(found.rows) for found in ends):
                last = [(int(e.times[n - 1]), int(e.rows[n - 1])) for e, n in zip(ends, begun, strict=True) if n]
                return max(last)[1] if last else None
        return None

    def _is_reversed(self, control: int, flow: int, announcement: Announcement) -> bool:
        """Say whether the named end, a listener, stands as originator by a guess.

        A state report may also name the connected peer; it names a listener only where the host speaks of itself.
        """
        guess = int(self._table["originator_by"][flow]) == GUESS
        named = int(self._table["orig_port"][flow]) == announcement.port
        itself = int(self._table["orig_addr"][flow]) == int(self._table["resp_addr"][control])
        return guess and named and (itself or not announcement.state)

    def _listener_codes(self, control: int, announcement: Announcement) -> list[int]:
        """Address codes of the listener: as announced; a wildcard or loopback stands for the host that announces."""
        codes = list(announcement.addresses)
        if any(self._table.address(code).is_unspecified for code in codes):
            codes.append(int(self._table["resp_addr"][control]))
        return codes

    def _told(self, announcement: Announcement) -> str:
        ends = []
        for code in announcement.addresses:
            address = self._table.address(code)
            text = f"[{address}]" if address.version == 6 else str(address)
            ends.append(f"{text}:{announcement.port}")
        return f"{announcement.message} in packet {announcement.packet} names {', '.join(ends)}"
