"""Table ``flows``: every flow with its zones, service, verdict, outcome and place in a session."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial

import numpy as np

from auditor import _native
from auditor.blocks import blocks, look_up, occurring, picking
from auditor.distinct import among, different_by, grouped, numbered, tallied, with_ports
from auditor.flows import ORIGINATOR_BY, TCP, UDP, transport_text
from auditor.packs.words import GRADES, LOGINS, MISFITS, OUTCOMES, VERDICTS
from auditor.ports import PortSet
from auditor.rule_table import (
    AddressNames,
    Array,
    ColumnData,
    Columns,
    Mask,
    Names,
    RuleTable,
    Witness,
    named_column,
)
from auditor.services import Service
from auditor.sessions import Session
from auditor.tables.data_ends import DataEnds
from auditor.tables.ndmp_ports import ndmp_port_columns
from auditor.tables.source import ESTABLISHED, NANOSECONDS, UNANSWERED, Source
from auditor.tables.witness import flow_witness

Maker = Callable[[], ColumnData]

_NO_ANSWER_YET = 3 * NANOSECONDS
"""A single SYN this shortly before the capture's end would be repeated after it: that it got no answer says nothing."""

_OFTEN = 20
"""Flows that came to nothing, of one originator, from which on the ends that it tried are counted."""

_HANDSHAKE = tuple(_native.ORIGINATOR_BY.index(name) for name in ("syn", "syn-ack"))


def flows_table(source: Source, ends: DataEnds) -> RuleTable:
    """Return the table ``flows``; its columns are made when they are asked for."""
    columns = Columns(
        {
            **_observed(source),
            **_judged(source),
            **_of_sessions(source, ends),
            **ndmp_port_columns(source),
            **_in_context(source),
        }
    )
    notes = _login_notes(source.sessions.sessions)

    def witnesses(row: int) -> tuple[Witness, ...]:
        note = "; ".join(part for part in (notes.get(row, ""), _nearest_note(source, row)) if part)
        return (flow_witness(source.flows, row, note),)

    return RuleTable("flows", columns, np.arange(len(source.flows)), witnesses)


def login_code(session: Session) -> int:
    """Return the best answer to a login of a session, as a code of LOGINS."""
    answers = {None: 1, False: 2, True: 3}
    return max((answers[login.accepted] for login in session.authentications), default=0)


def _nearest_note(source: Source, row: int) -> str:
    """Return, for a flow that no term matched, the term that comes nearest and what does not fit."""
    verdicts = source.verdicts
    if VERDICTS[int(verdicts.verdict[row])] != "unstated":
        return ""
    nearest = int(verdicts.nearest[row])
    if nearest < 0:
        return "no term matched, and none fits but for one thing"
    term = verdicts.terms[nearest]
    return (
        f"no term matched; nearest {term.name} ({term.text}), but for the {MISFITS[int(verdicts.nearest_misfit[row])]}"
    )


def _observed(source: Source) -> dict[str, Maker]:
    flows = source.flows
    coded: dict[str, tuple[str, Names | AddressNames]] = {
        "state": ("state", _native.STATES),
        "originator_by": ("originator_by", ORIGINATOR_BY),
        "refusal": ("refusal", _native.REFUSALS),
        "app": ("app", _native.APPS),
        "tunnel": ("tunnel", _native.TUNNELS),
        "originator": ("orig_addr", source.addresses),
        "responder": ("resp_addr", source.addresses),
    }
    plain = ("orig_port", "resp_port", "orig_packets", "resp_packets", "orig_payload", "resp_payload", "vlan")
    return {
        "transport": lambda: ColumnData(flows["transport"], tuple(transport_text(number) for number in range(256))),
        "how": source.how,
        "missed": lambda: ColumnData(flows["orig_missed"] + flows["resp_missed"]),
        **{name: partial(_column, flows[column], names) for name, (column, names) in coded.items()},
        **{name: partial(_column, flows[name]) for name in plain},
    }


def _column(values: Array, names: Names | AddressNames | None = None) -> ColumnData:
    return ColumnData(values, names)


def _judged(source: Source) -> dict[str, Maker]:
    verdicts = source.verdicts
    media = source.roles.index("media-servers") if "media-servers" in source.roles else -1
    terms = ("none", *(term.name for term in verdicts.terms))

    def of_service(text: Callable[[Service], str | None], none: str = "none") -> Maker:
        words = [none if one is None else text(one) or "none" for one in verdicts.services]
        return lambda: named_column(verdicts.service, words)

    coded: dict[str, tuple[Array, Names]] = {
        "orig_zone": (verdicts.orig_zone, source.zones),
        "resp_zone": (verdicts.resp_zone, source.zones),
        "orig_role": (verdicts.orig_role, source.roles),
        "resp_role": (verdicts.resp_role, source.roles),
        "verdict": (verdicts.verdict, VERDICTS),
        "outcome": (verdicts.outcome, OUTCOMES),
        "misfit": (verdicts.nearest_misfit, MISFITS),
    }
    return {
        **{name: partial(_column, values, names) for name, (values, names) in coded.items()},
        "media_server_end": lambda: ColumnData((verdicts.orig_role == media) | (verdicts.resp_role == media)),
        "undeclared_end": lambda: ColumnData((verdicts.orig_zone == 0) | (verdicts.resp_zone == 0)),
        "service": of_service(lambda one: one.id),
        "service_name": of_service(lambda one: one.name, "no documented service"),
        "family": of_service(lambda one: one.family),
        "process": of_service(lambda one: one.process),
        "term": lambda: named_column(verdicts.term + 1, terms),
        "nearest": lambda: named_column(verdicts.nearest + 1, terms),
        "doubt": lambda: named_column(verdicts.doubt, [doubt or "none" for doubt in verdicts.doubts]),
        **_notifying(source),
    }


def _notifying(source: Source) -> dict[str, Maker]:
    """Return the columns that tell mail and traps, with that which takes a trap for delivered when it was sent."""
    flows, outcome = source.flows, source.verdicts.outcome

    @cache
    def traps() -> Mask:
        return _to_ports(source, source.policy.snmp_ports, (TCP, UDP))

    @cache
    def mail() -> Mask:
        return _to_ports(source, source.policy.smtp_ports, (TCP,))

    def passed() -> ColumnData:
        sent = (outcome == UNANSWERED) & (flows["transport"] == UDP) & traps()
        return ColumnData((outcome == ESTABLISHED) | sent)

    return {
        "smtp": lambda: ColumnData(mail()),
        "snmp_trap": lambda: ColumnData(traps()),
        "notification": lambda: ColumnData(mail() | traps()),
        "passed": passed,
    }


def _to_ports(source: Source, ports: PortSet, transports: Sequence[int]) -> Mask:
    mask: Mask = ports.contains(source.flows["resp_port"]) & among(source.flows["transport"], transports)
    return mask


def _of_sessions(source: Source, ends: DataEnds) -> dict[str, Maker]:
    length, sessions, verdict = len(source.flows), source.sessions.sessions, source.verdicts.verdict
    tied = np.array([link.flow for _, link in source.ties], np.intp)

    @cache
    def grades() -> Array:
        return _placed(length, tied, [GRADES.index(link.grade.value) for _, link in source.ties])

    def logins() -> Array:
        return _placed(length, [session.control for session in sessions], list(map(login_code, sessions)))

    def control_verdicts() -> Array:
        return _placed(length, tied, [int(verdict[session.control]) + 1 for session, _ in source.ties])

    def outside() -> Array:
        return _placed(length, ends.flow[ends.declared & ~ends.inside & ends.listens], 1) > 0

    return {
        "control": lambda: ColumnData(source.sessions.control),
        "data": lambda: ColumnData(grades() > 0),
        "login": lambda: ColumnData(logins(), LOGINS),
        "grade": lambda: ColumnData(grades(), GRADES),
        "control_verdict": lambda: ColumnData(control_verdicts(), ("none", *VERDICTS)),
        "listens_outside": lambda: ColumnData(outside()),
    }


def _placed(length: int, rows: Array | list[int], codes: list[int] | int) -> Array:
    """Return a column of codes: those given in their rows, where one is told twice the last of them, and 0 elsewhere."""
    column = np.zeros(length, np.uint8)
    column[np.asarray(rows, np.intp)] = codes
    return column


def _in_context(source: Source) -> dict[str, Maker]:
    flows = source.flows

    def mid_stream() -> Mask:
        mask: Mask = (flows["transport"] == TCP) & ~among(flows["originator_by"], _HANDSHAKE)
        return mask

    return {
        "answered_elsewhere": lambda: ColumnData(_answered_elsewhere(source)),
        "at_the_end": lambda: ColumnData(_at_the_end(source)),
        "ends_tried": lambda: ColumnData(_ends_tried(source)),
        "mid_stream": lambda: ColumnData(mid_stream()),
    }


def _at_the_end(source: Source) -> Mask:
    """Return the flows of one packet whose answer, or whose repetition, would come after the end of the capture."""
    flows = source.flows
    found: Mask = (source.verdicts.outcome == UNANSWERED) & (flows["orig_packets"] <= 1)
    for rows in blocks(len(flows)):
        if found[rows].any():
            remaining = source.capture_ends.take(flows["first_file"][rows]) - flows["first_time"][rows]
            found[rows] &= remaining < _NO_ANSWER_YET
    return found


def _answered_elsewhere(source: Source) -> Mask:
    """Return the blocked flows for which another flow between the same ends, to the same port, was established."""
    flows = source.flows
    result = np.zeros(len(flows), np.bool_)
    blocked, good = np.flatnonzero(source.blocked), np.flatnonzero(source.verdicts.outcome == ESTABLISHED)
    few, many = sorted((blocked, good), key=len)
    turned = few is good
    # Sorting is what takes long with a million flows. Look-ups leave those rows whose originator, responder and port, each
    # by itself, occur among the others too: next to nothing of a scan.
    for name, size in (
        ("orig_addr", len(flows.addresses)),
        ("resp_addr", len(flows.addresses)),
        ("resp_port", 1 << 16),
    ):
        many = many[look_up(occurring(flows[name][few], size), flows[name][many])]
        few = few[look_up(occurring(flows[name][many], size), flows[name][few])]
    blocked, good = (many, few) if turned else (few, many)
    rows = np.concatenate([blocked, good])
    pair = (flows["orig_addr"][rows].astype(np.uint64) << np.uint64(32)) | flows["resp_addr"][rows]
    port = (flows["transport"][rows].astype(np.uint64) << np.uint64(16)) | flows["resp_port"][rows]
    key: Array = grouped(pair)[1].astype(np.uint64) << np.uint64(24) | port
    result[blocked] = among(key[: len(blocked)], key[len(blocked) :])
    return result


def _ends_tried(source: Source) -> Array:
    """Return for each TCP flow that came to nothing at a declared host how many such ends, host and port, its originator tried."""
    flows = source.flows
    tried = np.zeros(len(flows), np.uint32)
    failed = source.blocked & (flows["transport"] == TCP) & (source.verdicts.resp_zone != 0)
    rows = picking(failed)
    own, owners = numbered(flows["orig_addr"][rows])
    often = tallied(own, owners) >= _OFTEN
    if not often.all():
        # Ends are told apart of those alone who tried often: nobody, where nobody scans.
        rows = np.flatnonzero(failed)[often[own]]
        own, owners = numbered(flows["orig_addr"][rows])
    host, hosts = numbered(flows["resp_addr"][rows])
    ends = with_ports(host, hosts, flows["resp_port"][rows])
    tried[rows] = look_up(different_by(own, ends, (owners, hosts << 16)), own)
    return tried


def _login_notes(sessions: Sequence[Session]) -> dict[int, str]:
    """Return what was seen of logins, for the control connections that had any."""
    words = {None: "unanswered", False: "refused", True: "accepted"}
    return {
        session.control: "login "
        + ", ".join(dict.fromkeys(f"{login.type} {words[login.accepted]}" for login in session.authentications))
        for session in sessions
        if session.authentications
    }
