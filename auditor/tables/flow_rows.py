"""Table ``flows``: every flow with its zones, service, verdict, outcome and place in a session."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from auditor import _native
from auditor.distinct import among, distinct
from auditor.flows import ORIGINATOR_BY, TCP, UDP, transport_text
from auditor.packs.words import GRADES, LOGINS, MISFITS, OUTCOMES, VERDICTS
from auditor.rule_table import Array, ColumnData, Mask, RuleTable, Witness, named_column
from auditor.sessions import Session
from auditor.tables.data_ends import DataEnds
from auditor.tables.source import ESTABLISHED, NANOSECONDS, UNANSWERED, Source
from auditor.tables.witness import flow_witness

_NO_ANSWER_YET = 3 * NANOSECONDS
"""A single SYN this shortly before the capture's end would be repeated after it: that it got no answer says nothing."""

_OFTEN = 20
"""Flows that came to nothing, of one originator, from which on the ends that it tried are counted."""

_HANDSHAKE = tuple(_native.ORIGINATOR_BY.index(name) for name in ("syn", "syn-ack"))


def flows_table(source: Source, ends: DataEnds) -> RuleTable:
    """Return the table ``flows``."""
    columns = {
        **_observed(source),
        **_judged(source),
        **_of_sessions(source, ends),
        **_of_ndmp_ports(source),
        **_in_context(source),
    }
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


def _observed(source: Source) -> dict[str, ColumnData]:
    flows = source.flows
    transports = tuple(transport_text(number) for number in range(256))
    return {
        "originator": ColumnData(flows["orig_addr"], source.addresses),
        "responder": ColumnData(flows["resp_addr"], source.addresses),
        "transport": ColumnData(flows["transport"], transports),
        "state": ColumnData(flows["state"], _native.STATES),
        "originator_by": ColumnData(flows["originator_by"], ORIGINATOR_BY),
        "refusal": ColumnData(flows["refusal"], _native.REFUSALS),
        "app": ColumnData(flows["app"], _native.APPS),
        "tunnel": ColumnData(flows["tunnel"], _native.TUNNELS),
        "how": source.how,
        "missed": ColumnData(flows["orig_missed"] + flows["resp_missed"]),
        **{
            name: ColumnData(flows[name])
            for name in (
                "orig_port",
                "resp_port",
                "orig_packets",
                "resp_packets",
                "orig_payload",
                "resp_payload",
                "vlan",
            )
        },
    }


def _judged(source: Source) -> dict[str, ColumnData]:
    flows, verdicts = source.flows, source.verdicts
    services = [*verdicts.services]
    media = source.roles.index("media-servers") if "media-servers" in source.roles else -1
    terms = ("none", *(term.name for term in verdicts.terms))
    traps = _to_ports(source, "snmp_ports", (TCP, UDP))
    mail = _to_ports(source, "smtp_ports", (TCP,))
    datagram = (flows["transport"] == UDP) & traps & (verdicts.outcome == UNANSWERED)
    return {
        "orig_zone": ColumnData(verdicts.orig_zone, source.zones),
        "resp_zone": ColumnData(verdicts.resp_zone, source.zones),
        "orig_role": ColumnData(verdicts.orig_role, source.roles),
        "resp_role": ColumnData(verdicts.resp_role, source.roles),
        "media_server_end": ColumnData((verdicts.orig_role == media) | (verdicts.resp_role == media)),
        "undeclared_end": ColumnData((verdicts.orig_zone == 0) | (verdicts.resp_zone == 0)),
        "service": named_column(verdicts.service, [s.id if s else "none" for s in services]),
        "service_name": named_column(verdicts.service, [s.name if s else "no documented service" for s in services]),
        "family": named_column(verdicts.service, [s.family if s else "none" for s in services]),
        "process": named_column(verdicts.service, [(s.process if s else "") or "none" for s in services]),
        "verdict": ColumnData(verdicts.verdict, VERDICTS),
        "outcome": ColumnData(verdicts.outcome, OUTCOMES),
        "passed": ColumnData((verdicts.outcome == ESTABLISHED) | datagram),
        "term": named_column(verdicts.term + 1, terms),
        "nearest": named_column(verdicts.nearest + 1, terms),
        "misfit": ColumnData(verdicts.nearest_misfit, MISFITS),
        "doubt": named_column(verdicts.doubt, [doubt or "none" for doubt in verdicts.doubts]),
        "smtp": ColumnData(mail),
        "snmp_trap": ColumnData(traps),
        "notification": ColumnData(mail | traps),
    }


def _to_ports(source: Source, setting: str, transports: Sequence[int]) -> Mask:
    ports = getattr(source.policy, setting).contains(source.flows["resp_port"])
    mask: Mask = ports & among(source.flows["transport"], transports)
    return mask


def _of_sessions(source: Source, ends: DataEnds) -> dict[str, ColumnData]:
    length = len(source.flows)
    login, grade = np.zeros(length, np.uint8), np.zeros(length, np.uint8)
    control_verdict = np.zeros(length, np.uint8)
    for session in source.sessions.sessions:
        login[session.control] = login_code(session)
    for session, link in source.ties:
        grade[link.flow] = GRADES.index(link.grade.value)
        control_verdict[link.flow] = source.verdicts.verdict[session.control] + 1
    outside = np.zeros(length, np.bool_)
    outside[ends.flow[ends.declared & ~ends.inside & ends.listens]] = True
    return {
        "control": ColumnData(source.sessions.control),
        "data": ColumnData(grade > 0),
        "login": ColumnData(login, LOGINS),
        "grade": ColumnData(grade, GRADES),
        "control_verdict": ColumnData(control_verdict, ("none", *VERDICTS)),
        "listens_outside": ColumnData(outside),
    }


def _of_ndmp_ports(source: Source) -> dict[str, ColumnData]:
    flows, outcome = source.flows, source.verdicts.outcome
    responder = flows["resp_addr"]
    declared = source.ndmp_ports[responder]
    to_declared = (flows["transport"] == TCP) & (declared != 0) & (flows["resp_port"] == declared)
    greets = (flows["app"] == _native.APPS.index("ndmp")) & source.sessions.control
    hosts = len(flows.addresses)
    elsewhere, refused, alive = (np.zeros(hosts, np.bool_) for _ in range(3))
    elsewhere[responder[greets & ~to_declared & (declared != 0)]] = True
    refused[responder[to_declared & source.blocked]] = True
    alive[responder[to_declared & (outcome == ESTABLISHED)]] = True
    of_hosts = source.ndmp_ports[_occurring(responder, hosts)]
    ports = distinct(np.concatenate([of_hosts[of_hosts != 0], flows["resp_port"][greets]]))
    own = source.ndmp_ports[flows["orig_addr"]]
    on_own = (flows["transport"] == TCP) & (own != 0) & (declared != 0) & ~to_declared & (flows["resp_port"] == own)
    of_others = (flows["transport"] == TCP) & (declared != 0) & ~to_declared & among(flows["resp_port"], ports)
    return {
        "on_ndmp_port": ColumnData(to_declared),
        "ndmp_port": ColumnData(declared),
        "ndmp_elsewhere": ColumnData(elsewhere[responder]),
        "ndmp_port_of_others": ColumnData(of_others),
        "called_on_own_port": ColumnData(on_own),
        "ndmp_hosts_tried": ColumnData(_hosts_tried(source, to_declared)),
        "ndmp_port_dead": ColumnData((refused & ~alive)[responder]),
    }


def _hosts_tried(source: Source, to_declared: Mask) -> Array:
    """Return for each flow how many hosts its originator tried on their NDMP port and did not log in to."""
    flows = source.flows
    if not to_declared.any():
        return np.zeros(len(flows), np.uint32)
    fruitless = to_declared.copy()
    fruitless[[session.control for session in source.sessions.sessions if session.authentications]] = False
    # Both ends in one number: pairs would be compared byte by byte.
    pairs = distinct(flows["orig_addr"][fruitless].astype(np.int64) << 32 | flows["resp_addr"][fruitless])
    tried = np.bincount(pairs >> 32, minlength=len(flows.addresses))
    counted: Array = np.where(to_declared, tried[flows["orig_addr"]], 0).astype(np.uint32)
    return counted


def _in_context(source: Source) -> dict[str, ColumnData]:
    flows, outcome = source.flows, source.verdicts.outcome
    remaining = source.capture_ends[flows["first_file"]] - flows["first_time"]
    single = (outcome == UNANSWERED) & (flows["orig_packets"] <= 1)
    return {
        "answered_elsewhere": ColumnData(_answered_elsewhere(source)),
        "at_the_end": ColumnData(single & (remaining < _NO_ANSWER_YET)),
        "ends_tried": ColumnData(_ends_tried(source)),
        "mid_stream": ColumnData((flows["transport"] == TCP) & ~among(flows["originator_by"], _HANDSHAKE)),
    }


def _answered_elsewhere(source: Source) -> Mask:
    """Return the blocked flows for which another flow between the same ends, to the same port, was established."""
    flows = source.flows
    result = np.zeros(len(flows), np.bool_)
    blocked, good = np.flatnonzero(source.blocked), np.flatnonzero(source.verdicts.outcome == ESTABLISHED)
    # Sorting is what takes long with a million flows. Look-ups leave those rows whose originator, responder and port, each
    # by itself, occur among the others too: next to nothing of a scan.
    for name, size in (
        ("orig_addr", len(flows.addresses)),
        ("resp_addr", len(flows.addresses)),
        ("resp_port", 1 << 16),
    ):
        good = good[_occurring(flows[name][blocked], size)[flows[name][good]]]
        blocked = blocked[_occurring(flows[name][good], size)[flows[name][blocked]]]
    rows = np.concatenate([blocked, good])
    pair = (flows["orig_addr"][rows].astype(np.uint64) << np.uint64(32)) | flows["resp_addr"][rows]
    port = (flows["transport"][rows].astype(np.uint64) << np.uint64(16)) | flows["resp_port"][rows]
    key: Array = np.unique(pair, return_inverse=True)[1].astype(np.uint64) << np.uint64(24) | port
    result[blocked] = among(key[: len(blocked)], key[len(blocked) :])
    return result


def _ends_tried(source: Source) -> Array:
    """Return for each TCP flow that came to nothing at a declared host how many such ends, host and port, its originator tried."""
    flows = source.flows
    tried = np.zeros(len(flows), np.uint32)
    rows = np.flatnonzero(source.blocked & (flows["transport"] == TCP) & (source.verdicts.resp_zone != 0))
    # Ends are sorted of those alone who tried often: nobody, where nobody scans.
    often = np.bincount(flows["orig_addr"][rows], minlength=len(flows.addresses)) >= _OFTEN
    rows = rows[often[flows["orig_addr"][rows]]]
    originators = np.cumsum(often) - 1
    own = originators[flows["orig_addr"][rows]]
    # The three in one number: 24 bits each for who tried and for whom, 16 for the port. Flows, of which there are fewer than
    # 2^32, make fewer who tried often; declared hosts beyond 2^24 would be taken for each other.
    hosts = distinct(flows["resp_addr"][rows])
    host = np.searchsorted(hosts, flows["resp_addr"][rows]).astype(np.uint64)
    ends = distinct((own.astype(np.uint64) << np.uint64(40)) | (host << np.uint64(16)) | flows["resp_port"][rows])
    counts = np.bincount((ends >> np.uint64(40)).astype(np.intp), minlength=1)
    tried[rows] = counts[own] if len(rows) else 0
    return tried


def _occurring(values: Array, size: int) -> Mask:
    """Return which of the numbers 0 .. size - 1 occur."""
    found = np.zeros(size, np.bool_)
    found[values] = True
    return found


def _login_notes(sessions: Sequence[Session]) -> dict[int, str]:
    """Return what was seen of logins, for the control connections that had any."""
    words = {None: "unanswered", False: "refused", True: "accepted"}
    return {
        session.control: "login "
        + ", ".join(dict.fromkeys(f"{login.type} {words[login.accepted]}" for login in session.authentications))
        for session in sessions
        if session.authentications
    }
