"""Control connections, and the data connections tied to each: proved, probable or possible."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from auditor.arrays import NDArray
from auditor.distinct import among
from auditor.flows import FlowTable
from auditor.handshakes import Handshakes
from auditor.ndmp import NdmpMessages
from auditor.records import record, replace
from auditor.sessions.claims import still_undecided, without_claims
from auditor.sessions.controls import backwards, control_mask, readable, session_rows
from auditor.sessions.cut import after_cut_announcements
from auditor.sessions.dialogue import ANNOUNCES, DialogueReader
from auditor.sessions.exchange import read_exchange
from auditor.sessions.infer import WHY_BLIND, Candidates
from auditor.sessions.jobs import HALTS, JobReader
from auditor.sessions.link import EndpointIndex, Linker
from auditor.sessions.model import (
    Announcement,
    Authority,
    DataLink,
    Dialogue,
    Grade,
    Job,
    Login,
    Outcome,
    Posture,
    Readable,
    Session,
    Undecided,
)
from auditor.sessions.posture import PostureReader
from auditor.sessions.score import Rehearsal, Scored, assign, rehearse
from auditor.sessions.timing import Beats
from auditor.sessions.tls import with_handshakes

__all__ = [
    "Announcement",
    "Authority",
    "DataLink",
    "Dialogue",
    "Grade",
    "Job",
    "Login",
    "Outcome",
    "Posture",
    "Readable",
    "Rehearsal",
    "Session",
    "SessionSet",
    "Undecided",
    "find_sessions",
    "rehearse_blind",
]

Mask = NDArray[np.bool_]


@record
class SessionSet:
    """Sessions in order of their control connections' first packets.

    ``control`` marks every flow that is, or tries to be, a control connection; ``data`` every flow that is tied to one.
    Both have shape (flows,), dtype bool. ``undecided`` are data connections, marked as such in ``data``, of which it
    cannot be told whose they are.
    """

    sessions: tuple[Session, ...]
    control: Mask
    data: Mask
    undecided: tuple[Undecided, ...] = ()

    @property
    def reversed(self) -> NDArray[np.intp]:
        """Rows whose guessed originator is the listener that an NDMP message names; shape (rows,), sorted."""
        rows = {link.flow for session in self.sessions for link in session.data if link.reversed}
        return np.array(sorted(rows), np.intp)

    def without_claims(self, permitted: Mask) -> SessionSet:
        """Return the set less what control connections that are not ``permitted`` claim by hosts and time alone.

        The very same set where there is none; ``permitted`` has shape (flows,).
        """
        kept = without_claims(self.sessions, permitted)
        undecided = still_undecided(self.undecided, permitted)
        if undecided == self.undecided and all(new is old for new, old in zip(kept, self.sessions, strict=True)):
            return self
        return SessionSet(kept, self.control, _data_mask(len(self.data), kept, undecided), undecided)


def find_sessions(
    table: FlowTable,
    messages: NdmpMessages,
    *,
    control_ports: NDArray[np.uint16],
    service_ports: NDArray[np.uint16],
    handshakes: Handshakes | None = None,
) -> SessionSet:
    """Find the control connections and tie data connections to them.

    ``control_ports``: declared NDMP port of each address code, 0 where none is, shape (addresses,). ``service_ports``:
    fixed ports of known services, never those of a data connection.
    """
    control = control_mask(table, control_ports)
    rows = session_rows(table, control)
    sessions = with_handshakes(_read_all(table, messages, rows), handshakes or Handshakes())
    sessions = _tie_by_value(table, sessions, control)
    data = _data_mask(len(table), sessions)
    taken = control | data | backwards(table, control_ports)
    sessions, undecided = _tie_by_time(table, messages, sessions, taken, service_ports)
    return SessionSet(tuple(sessions), control, _data_mask(len(table), sessions, undecided), undecided)


def _read_all(table: FlowTable, messages: NdmpMessages, rows: NDArray[np.intp]) -> list[Session]:
    sessions = []
    for row in rows:
        flow = int(row)
        lossy = _lacks_bytes(table, flow)
        dialogue = DialogueReader(messages, flow, lossy=lossy).read()
        how = readable(table, messages, flow, dialogue.cut_messages)
        jobs = JobReader(messages, flow).read()
        whole = how in (Readable.READ, Readable.TLS) and not lossy
        posture = PostureReader(messages, flow, from_the_start=whole).read()
        exchange = read_exchange(messages, flow, whole=whole)
        counts = messages.stream_counts(flow)
        sessions.append(
            Session(
                flow,
                how,
                dialogue,
                jobs=jobs,
                posture=posture,
                exchange=exchange,
                messages=counts.messages,
                bodies_missing=counts.bodies_missing,
                skipped_bytes=counts.skipped_bytes,
            )
        )
    return sessions


def _lacks_bytes(table: FlowTable, flow: int) -> bool:
    """Whether a message may be missing without a trace in the dialogue: a hole, or one direction alone."""
    holes = int(table["orig_missed"][flow]) + int(table["resp_missed"][flow])
    return bool(holes) or not int(table["orig_packets"][flow]) or not int(table["resp_packets"][flow])


def _tie_by_value(table: FlowTable, sessions: list[Session], control: Mask) -> list[Session]:
    linker = Linker(table, EndpointIndex(table, control))
    tied = linker.by_value({session.control: session.dialogue.announcements for session in sessions})
    return [replace(session, data=tuple(tied[session.control])) for session in sessions]


def _tie_by_time(
    table: FlowTable,
    messages: NdmpMessages,
    sessions: list[Session],
    taken: Mask,
    service_ports: NDArray[np.uint16],
) -> tuple[list[Session], tuple[Undecided, ...]]:
    """Give unreadable sessions what is left, the surer ties first, so that a flow gets its best grade.

    Return with them what remains undecided.
    """
    candidates = Candidates(table, taken, service_ports)
    taken = taken.copy()
    sure = after_cut_announcements(table, candidates, sessions, taken)
    blind = {session.control: session.readable for session in sure if _is_blind(table, session)}
    old = (session for session in sure if session.readable is Readable.MID_STREAM and session.data)
    running = frozenset(session.control for session in old)
    beats = _beats_of(messages, blind)
    given: dict[int, list[DataLink]] = {}
    undecided: dict[int, Undecided] = {}
    for scored in assign(table, candidates, list(blind), taken, beats=beats, running=running):
        if scored.doubt:
            undecided[scored.flow] = Undecided(scored.flow, scored.owners, scored.doubt)
        else:
            given.setdefault(scored.control, []).append(_blind_link(scored, blind[scored.control]))
    tied = [replace(session, data=(*session.data, *given.get(session.control, ()))) for session in sure]
    return tied, tuple(undecided[flow] for flow in sorted(undecided))


def _blind_link(scored: Scored, readable: Readable) -> DataLink:
    why = f"{WHY_BLIND[readable]}; score {scored.score}, margin {scored.margin}: {', '.join(scored.reasons)}"
    # However clear: hosts and times never prove.
    grade = Grade.PROBABLE if scored.clear and scored.turned else Grade.POSSIBLE
    return DataLink(scored.flow, grade, (why,), score=scored.score, margin=scored.margin)


def _is_blind(table: FlowTable, session: Session) -> bool:
    """Whether hosts, time and shape are all that is left to tie the session's data connections by.

    Of a session that began before the capture also those that did, though later ones were announced. Of one that was
    read, but for bytes that are missing, where it had more jobs than announcements tie connections.
    """
    if session.readable in (Readable.TLS, Readable.MID_STREAM):
        return True
    if session.readable is Readable.READ:
        fewer = len(session.data) < len(session.jobs)
        return fewer and not session.dialogue.local and _lacks_bytes(table, session.control)
    cut = sum(not one.captured and not one.state for one in session.dialogue.announcements)
    told = sum(not link.blind for link in session.data)
    return not session.data or cut > told


def _beats_of(messages: NdmpMessages, blind: Mapping[int, Readable]) -> Callable[[int], Beats | None]:
    """Return what tells a control connection's turns; of those of ``blind`` that can be read in part, with what was read."""

    def beats(control: int) -> Beats | None:
        times, by_server = messages.beats(control)
        if not len(times):
            return None
        legible = blind.get(control) in (Readable.MID_STREAM, Readable.CUT, Readable.READ)
        if not legible:
            return Beats(times, by_server)
        rows = messages.rows(control)
        read, codes = messages["time"][rows], messages["message"][rows]
        opens = among(codes, list(ANNOUNCES))
        beside = among(times, read[~opens]) & ~among(times, read[opens])
        return Beats(times, by_server, np.sort(read[among(codes, list(HALTS))]), beside)

    return beats


def rehearse_blind(
    table: FlowTable, messages: NdmpMessages, sessions: SessionSet, service_ports: NDArray[np.uint16]
) -> Rehearsal:
    """Run the blind scorer beside the decoder, on sessions that were read and without showing it their messages.

    Of the messages it sees what TLS shows as well: the times of their segments, and who sent them.
    """
    candidates = Candidates(table, sessions.control, service_ports)
    failed = table.attempts()
    truth = {
        session.control: frozenset(link.flow for link in session.data if not link.blind and not failed[link.flow])
        for session in sessions.sessions
        if session.readable is Readable.READ
    }
    controls = [session.control for session in sessions.sessions]
    return rehearse(table, candidates, truth, controls, _beats_of(messages, {}))


def _data_mask(flows: int, sessions: Iterable[Session], undecided: Iterable[Undecided] = ()) -> Mask:
    mask = np.zeros(flows, np.bool_)
    mask[[link.flow for session in sessions for link in session.data]] = True
    mask[[one.flow for one in undecided]] = True
    return mask
