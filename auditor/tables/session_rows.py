"""Table ``sessions``: every control connection that came about, with what was said on it."""

from __future__ import annotations

from collections import Counter
from functools import cache

import numpy as np

from auditor import _native
from auditor.packs.words import LOGIN_POLICIES, LOGINS, READABLE, VERDICTS
from auditor.rule_table import Array, ColumnData, Rows, RuleTable, Witness, words_column
from auditor.sessions import Session
from auditor.sessions.dialogue import UNKNOWN_LOGIN
from auditor.tables.captures import lone_directions
from auditor.tables.flow_rows import login_code
from auditor.tables.posture_rows import posture_columns
from auditor.tables.source import NANOSECONDS, Source
from auditor.tables.witness import flow_witness

_OPEN = frozenset({"OTH", "S0", "S1"})
_SOON = 5 * NANOSECONDS
"""How long a data connection may take to follow its announcement."""


def sessions_table(source: Source) -> RuleTable:
    """Return the table ``sessions``."""
    sessions = source.sessions.sessions
    control = np.array([session.control for session in sessions], np.intp)
    columns = {**_of_control(source, control), **_of_dialogue(source, sessions), **posture_columns(source, sessions)}

    def witnesses(row: int) -> tuple[Witness, ...]:
        session = sessions[row]
        return (flow_witness(source.flows, session.control, "; ".join(session.notes), session.posture.packets),)

    return RuleTable("sessions", columns, control, witnesses)


def _of_control(source: Source, control: Rows) -> dict[str, ColumnData]:
    flows, verdicts = source.flows, source.verdicts
    return {
        "originator": ColumnData(flows["orig_addr"][control], source.addresses),
        "responder": ColumnData(flows["resp_addr"][control], source.addresses),
        "resp_port": ColumnData(flows["resp_port"][control]),
        "orig_zone": ColumnData(verdicts.orig_zone[control], source.zones),
        "resp_zone": ColumnData(verdicts.resp_zone[control], source.zones),
        "orig_role": ColumnData(verdicts.orig_role[control], source.roles),
        "resp_role": ColumnData(verdicts.resp_role[control], source.roles),
        "verdict": ColumnData(verdicts.verdict[control], VERDICTS),
        "missed": ColumnData(flows["orig_missed"][control] + flows["resp_missed"][control]),
    }


def _of_dialogue(source: Source, sessions: tuple[Session, ...]) -> dict[str, ColumnData]:
    def flags(values: list[bool]) -> ColumnData:
        return ColumnData(np.array(values, np.bool_))

    def numbers(values: list[int]) -> ColumnData:
        return ColumnData(np.array(values, np.int64))

    undecided = Counter(control for one in source.sessions.undecided for control in one.controls)
    readable = [READABLE.index(session.readable.value) for session in sessions]
    standing = [_login_policy(source, session) for session in sessions]
    return {
        "version": numbers([session.version or 0 for session in sessions]),
        "auth": words_column([_auth(session) for session in sessions]),
        "login_policy": ColumnData(_codes([LOGIN_POLICIES.index(word) for word in standing]), LOGIN_POLICIES),
        "login": ColumnData(_codes([login_code(session) for session in sessions]), LOGINS),
        "tls": flags([session.tls for session in sessions]),
        "readable": ColumnData(_codes(readable), READABLE),
        "transfer": flags([_transfers(session) for session in sessions]),
        "local": flags([session.local for session in sessions]),
        "settled": flags([_settled(source, session) for session in sessions]),
        "data_connections": numbers([len(session.data) for session in sessions]),
        "undecided": numbers([undecided[session.control] for session in sessions]),
        "one_sided": flags(_one_sided(source, sessions)),
        "cut_messages": numbers([session.dialogue.cut_messages for session in sessions]),
    }


def _codes(values: list[int]) -> Array:
    return np.array(values, np.uint8)


def _auth(session: Session) -> str:
    """Return the type of the login that was accepted, else of the last one, else ``none``."""
    logins = session.authentications
    accepted = [login.type for login in logins if login.accepted]
    return (accepted or [login.type for login in logins] or ["none"])[-1]


def _login_policy(source: Source, session: Session) -> str:
    """Return whether the policy accepts logins of the session's type at its server; unsaid also where none was seen."""
    accepted = source.policy.logins_of(source.flows.address(int(source.flows["resp_addr"][session.control])))
    if accepted is None or not session.authentications or _auth(session) == UNKNOWN_LOGIN:
        return "unsaid"
    return "accepted" if _auth(session) in accepted else "not-accepted"


def _transfers(session: Session) -> bool:
    return session.started or any(not announcement.state for announcement in session.dialogue.announcements)


def _one_sided(source: Source, sessions: tuple[Session, ...]) -> list[bool]:
    """Return for each session whether its NDMP server then had a connection of which one direction alone was captured.

    What it announced, or the data connection itself, may have gone the way that the capture does not show.
    """
    if not sessions:
        return []
    flows = source.flows
    alone = lone_directions(flows)
    hosts = np.concatenate([flows["orig_addr"][alone], flows["resp_addr"][alone]])
    begun, ended = (np.concatenate([flows[name][alone]] * 2) for name in ("first_time", "last_time"))
    order = np.lexsort((begun, hosts))
    hosts, begun, ended = hosts[order], begun[order], ended[order]

    @cache
    def spans(host: int) -> tuple[Array, Array]:
        low, high = np.searchsorted(hosts, [host, host + 1])
        # In order of their beginnings, with the latest end so far: one search tells whether any was open.
        return begun[low:high], np.maximum.accumulate(ended[low:high])

    def was_open(session: Session) -> bool:
        starts, ends = spans(int(flows["resp_addr"][session.control]))
        place = int(np.searchsorted(starts, flows["last_time"][session.control], side="right"))
        return place > 0 and bool(ends[place - 1] >= flows["first_time"][session.control])

    return [was_open(session) for session in sessions]


def _settled(source: Source, session: Session) -> bool:
    """Whether a data connection, had there been one, would have had to show in the capture."""
    flows = source.flows
    if _native.STATES[int(flows["state"][session.control])] not in _OPEN:
        return True
    last = max((a.time for a in session.dialogue.announcements), default=int(flows["first_time"][session.control]))
    return int(source.capture_ends[flows["last_file"][session.control]]) - last > _SOON
