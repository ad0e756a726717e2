"""Ties the connection that opens next after an announcement that could not be read.

The capture kept its header alone, or nothing but the request that it answers.

Only where that is plain: the connection is much nearer to this announcement than to another control connection's, and no
other opens as near. What is not plain is left to the blind scorer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from auditor.flows import FlowTable
from auditor.records import record, replace
from auditor.sessions.evidence import AS_NEAR, RESOLUTION
from auditor.sessions.infer import Candidates, Mask
from auditor.sessions.model import Announcement, DataLink, Grade, Session

CUT_WINDOW = 5_000_000_000
"""A connection opens within this time after its announcement, ns."""
MOST_ROUNDS = 8
"""Rounds in which what is tied makes plain what remains; two or three are usual."""


@record
class _Told:
    """An announcement without its body, and whose it is (place in the list of sessions)."""

    session: int
    announcement: Announcement


def after_cut_announcements(
    table: FlowTable, candidates: Candidates, sessions: Sequence[Session], taken: Mask
) -> list[Session]:
    """Return the sessions with what is plain of their cut announcements; marks as ``taken`` what is tied."""
    by_hosts: dict[frozenset[int], list[_Told]] = {}
    for place, session in enumerate(sessions):
        for announcement in session.dialogue.announcements:
            if not announcement.captured and not announcement.state and not _is_known(table, session, announcement):
                hosts = frozenset(int(table[f"{side}_addr"][session.control]) for side in ("orig", "resp"))
                by_hosts.setdefault(hosts, []).append(_Told(place, announcement))
    links: dict[int, list[DataLink]] = {}
    for told in by_hosts.values():
        left = sorted(told, key=lambda one: one.announcement.time)
        for _ in range(MOST_ROUNDS):
            found = _plain(table, candidates, sessions, left, taken)
            for one, flow in found:
                taken[flow] = True
                links.setdefault(one.session, []).append(_link(table, one.announcement, flow))
            done = {id(one) for one, _ in found}
            left = [one for one in left if id(one) not in done]
            if not found or not left:
                break
    return [replace(session, data=session.data + tuple(links.get(place, ()))) for place, session in enumerate(sessions)]


def _is_known(table: FlowTable, session: Session, announcement: Announcement) -> bool:
    """Whether the connection that the announcement means is tied already, by what a report of the state says."""
    return any(announcement.time <= int(table["first_time"][link.flow]) < announcement.until for link in session.data)


def _plain(
    table: FlowTable, candidates: Candidates, sessions: Sequence[Session], told: Sequence[_Told], taken: Mask
) -> list[tuple[_Told, int]]:
    """Return the announcements, of hosts that are the same, with the connections that are plainly theirs."""
    rows = candidates.of_pair(sessions[told[0].session].control)
    rows = rows[~taken[rows]]
    opened = table["first_time"][rows]
    times = np.array([one.announcement.time for one in told], np.int64)
    found: list[tuple[_Told, int]] = []
    used: set[int] = set()
    for one in told:
        at = one.announcement.time
        first, last = np.searchsorted(opened, [at, at + CUT_WINDOW + 1])
        nearest = next((place for place in range(first, last) if _fits(table, sessions, one, int(rows[place]))), None)
        if nearest is None or int(rows[nearest]) in used:
            continue
        near = max(AS_NEAR * (int(opened[nearest]) - at), RESOLUTION)
        after = rows[nearest + 1 : int(np.searchsorted(opened, at + near, side="right"))]
        low, high = np.searchsorted(times, [int(opened[nearest]) - near, int(opened[nearest]) + 1])
        rivals = {other.session for other in told[low:high] if _fits(table, sessions, other, int(rows[nearest]))}
        if rivals <= {one.session} and not any(_fits(table, sessions, one, int(row)) for row in after):
            used.add(int(rows[nearest]))
            found.append((one, int(rows[nearest])))
    return found


def _fits(table: FlowTable, sessions: Sequence[Session], told: _Told, flow: int) -> bool:
    """Whether the connection was seen to open, by the end that the announcement leaves it to."""
    if not int(table["syn_packets"][flow]):
        return False
    opener = "resp_addr" if told.announcement.connects else "orig_addr"
    return int(table["orig_addr"][flow]) == int(table[opener][sessions[told.session].control])


def _link(table: FlowTable, announcement: Announcement, flow: int) -> DataLink:
    milliseconds = (int(table["first_time"][flow]) - announcement.time) / 1_000_000
    message, packet = announcement.message, announcement.packet
    told = f"{message} in packet {packet} was cut by the capture"
    if announcement.lost:
        told = f"the {message} to packet {packet} is not in the capture"
    return DataLink(
        flow, Grade.PROBABLE, (f"{told}; this connection of the same hosts opened {milliseconds:.3g} ms later",)
    )
