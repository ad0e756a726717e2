"""Control connections, and the data connections tied to each: proved, probable or possible."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from auditor.flows import FlowTable
from auditor.ndmp import NdmpMessages
from auditor.sessions.claims import without_claims
from auditor.sessions.controls import control_mask, readable, session_mask
from auditor.sessions.dialogue import DialogueReader
from auditor.sessions.infer import MOST_CLAIMS, Candidates, after_cut_announcements, by_time
from auditor.sessions.link import EndpointIndex, Linker
from auditor.sessions.model import (
    Announcement,
    DataLink,
    Dialogue,
    Grade,
    Login,
    Readable,
    Session,
)

__all__ = [
    "Announcement",
    "DataLink",
    "Dialogue",
    "Grade",
    "Login",
    "Readable",
    "Session",
    "SessionSet",
    "find_sessions",
]

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SessionSet:
    """Sessions in order of their control connections' first packets.

    ``control`` marks every flow that is, or tries to be, a control connection; ``data`` every flow that is tied to one.
    Both have shape (flows,), dtype bool.
    """

    sessions: tuple[Session, ...]
    control: Mask
    data: Mask

    @property
    def reversed(self) -> npt.NDArray[np.intp]:
        """Rows whose guessed originator is the listener that an NDMP message names; shape (rows,), sorted."""
        rows = {link.flow for session in self.sessions for link in session.data if link.reversed}
        return np.array(sorted(rows), np.intp)

    def without_claims(self, permitted: Mask) -> SessionSet:
        """Return the set less what control connections that are not ``permitted`` claim by hosts and time alone.

        The very same set where there is none; ``permitted`` has shape (flows,).
        """
        kept = without_claims(self.sessions, permitted)
        if all(new is old for new, old in zip(kept, self.sessions, strict=True)):
            return self
        data = np.zeros_like(self.data)
        data[[link.flow for session in kept for link in session.data]] = True
        return SessionSet(kept, self.control, data)


def find_sessions(
    table: FlowTable,
    messages: NdmpMessages,
    *,
    control_ports: npt.NDArray[np.uint16],
    service_ports: npt.NDArray[np.uint16],
) -> SessionSet:
    """Find the control connections and tie data connections to them.

    ``control_ports``: declared NDMP port of each address code, 0 where none is, shape (addresses,). ``service_ports``:
    fixed ports of known services, never those of a data connection.
    """
    control = control_mask(table, control_ports)
    rows = np.flatnonzero(session_mask(table, control))
    sessions = _read_all(table, messages, rows)
    sessions = _tie_by_value(table, sessions, control)
    data = _data_mask(table, sessions)
    sessions = _tie_by_time(table, sessions, control | data, service_ports)
    return SessionSet(tuple(sessions), control, _data_mask(table, sessions))


def _read_all(table: FlowTable, messages: NdmpMessages, rows: npt.NDArray[np.intp]) -> list[Session]:
    sessions = []
    for row in rows:
        flow = int(row)
        dialogue = DialogueReader(messages, flow).read()
        sessions.append(Session(flow, readable(table, messages, flow, dialogue.cut_messages), dialogue))
    return sessions


def _tie_by_value(table: FlowTable, sessions: list[Session], control: Mask) -> list[Session]:
    linker = Linker(table, EndpointIndex(table, control))
    return [
        replace(session, data=tuple(linker.by_value(session.control, session.dialogue.announcements)))
        for session in sessions
    ]


def _tie_by_time(
    table: FlowTable, sessions: list[Session], taken: Mask, service_ports: npt.NDArray[np.uint16]
) -> list[Session]:
    """Give unreadable sessions what is left, the surer ties first, so that a flow gets its best grade."""
    candidates = Candidates(table, taken, service_ports)
    taken = taken.copy()
    sure: list[Session] = []
    for session in sessions:
        cut = after_cut_announcements(table, candidates, session.control, session.dialogue.announcements)
        links = tuple(link for link in cut if not taken[link.flow])
        taken[[link.flow for link in links]] = True
        sure.append(replace(session, data=session.data + links))
    blind, claims = taken.copy(), np.zeros(len(table), np.uint8)
    return [_with_possible(table, session, candidates, blind, claims) for session in sure]


def _with_possible(
    table: FlowTable, session: Session, candidates: Candidates, taken: Mask, claims: npt.NDArray[np.uint8]
) -> Session:
    """Tie by hosts and time; a flow that has enough possible ties counts as ``taken`` from then on."""
    if session.readable is Readable.READ or (session.data and session.readable is not Readable.TLS):
        return session
    links = by_time(table, candidates, session.control, session.readable, taken)
    rows = [link.flow for link in links]
    claims[rows] += 1
    taken[rows] = claims[rows] >= MOST_CLAIMS
    return replace(session, data=session.data + tuple(links))


def _data_mask(table: FlowTable, sessions: list[Session]) -> Mask:
    mask = np.zeros(len(table), np.bool_)
    mask[[link.flow for session in sessions for link in session.data]] = True
    return mask
