"""Flows with what was made of them, as ``FlowRows``: what the report formats that show flows are given.

Whole columns are handed on as they are; text is made batch by batch, when a format asks for it.
"""

from __future__ import annotations

import binascii
from hashlib import sha1

import numpy as np

from auditor import _native
from auditor.arrays import NDArray
from auditor.community_id import PORTS, UNNAMED
from auditor.distinct import among
from auditor.flows import CODE_WORDS, COLUMNS, Array, FlowTable, transport_text
from auditor.model import FlowField, FlowRows
from auditor.model.flow_rows import Numbers, Texts, Values, Words
from auditor.policy.match import MISFITS, VERDICTS, Verdicts
from auditor.policy.outcome import OUTCOMES
from auditor.rule_table import AddressNames
from auditor.sessions import Grade, SessionSet

_GRADES = ("", *(grade.value for grade in Grade))
_MAPPED = np.frombuffer(bytes(10) + b"\xff\xff", np.uint8)
_SHOWN_ELSEWHERE = ("transport", "orig_addr", "resp_addr", "first_file", "last_file", "flags")

_ADDED = (
    FlowField("community_id", "text", "", "Community ID, version 1, seed 0; empty for ICMP"),
    FlowField("history", "text", "", "Zeek's history letters, upper case originator, lower case responder"),
    FlowField("outcome", "word", "", "what became of it: established, unanswered, refused, uncertain"),
    FlowField("verdict", "word", "", "what the policy intends: permit, deny, unstated, out-of-scope"),
    FlowField("term", "word", "", "line of the policy that decided; empty for none"),
    FlowField("nearest", "word", "", "line that came nearest, where none decided"),
    FlowField("misfit", "word", "", "what of it did not fit: port, direction, zone, transport"),
    FlowField("doubt", "word", "", "why the verdict is uncertain; empty where it is not"),
    FlowField("service", "word", "", "service of the vendor's tables, by its id; empty for none"),
    FlowField("service_name", "word", "", "its name"),
    FlowField("process", "word", "", "program behind the responder's port, by the vendor's tables"),
    FlowField("orig_zone", "word", "", "zone of the originator"),
    FlowField("resp_zone", "word", "", "zone of the responder"),
    FlowField("orig_role", "word", "", "role of the originator's zone"),
    FlowField("resp_role", "word", "", "role of the responder's zone"),
    FlowField("control", "flag", "", "is, or tries to be, an NDMP control connection"),
    FlowField("data", "flag", "", "is tied to a control connection as its data connection"),
    FlowField("session", "number", "number", "number of the session in the report, from 1"),
    FlowField("grade", "word", "", "how sure the tie of a data connection is: proved, probable, possible"),
    FlowField("cut", "flag", "", "a frame was cut by the snaplen"),
    FlowField("fragments", "flag", "", "IP fragments belong to it"),
    FlowField("transport", "word", "", "tcp, udp, icmp, icmp6 or the IANA number"),
    FlowField("orig_addr", "word", "address", "originator's address"),
    FlowField("resp_addr", "word", "address", "responder's address"),
    FlowField("first_file", "word", "", "capture of its first packet"),
    FlowField("last_file", "word", "", "capture of its last packet"),
)

_FIRST = (
    "community_id", "first_time", "last_time", "transport", "orig_addr", "orig_port", "resp_addr", "resp_port", "app",
    "state", "history", "originator_by", "outcome", "verdict", "term", "nearest", "misfit", "doubt", "service",
    "service_name", "process", "orig_zone", "resp_zone", "orig_role", "resp_role", "control", "data", "session", "grade",
)  # fmt: skip
"""What a reader looks for first; all else follows in the order of the flow table."""


def _fields() -> tuple[FlowField, ...]:
    known = {field.name: field for field in _ADDED}
    for column in COLUMNS:
        kind = "time" if column.unit == "ns" else "word" if column.name in CODE_WORDS else "number"
        if column.name not in known and column.name not in _SHOWN_ELSEWHERE:
            known[column.name] = FlowField(
                column.name, kind, "" if kind == "word" else column.unit, column.meaning.partition(":")[0]
            )
    return tuple(known[name] for name in (*_FIRST, *(name for name in known if name not in _FIRST)))


FIELDS = _fields()
"""Every column of a flow export, in order; docs/formats.md lists them. What the flow table gains appears by itself."""


def flow_rows(table: FlowTable, sessions: SessionSet, verdicts: Verdicts) -> FlowRows:
    """Return the flows of an audit with what was made of them; ``verdicts`` row by row those of ``table``."""
    columns: dict[str, Values] = {}
    for column in COLUMNS:
        words = CODE_WORDS.get(column.name)
        columns[column.name] = Numbers(table[column.name]) if words is None else Words(table[column.name], words)
    columns |= _observed(table) | _judged(verdicts) | _tied(sessions, len(table))
    return FlowRows(len(table), FIELDS, {field.name: columns[field.name] for field in FIELDS})


def _observed(table: FlowTable) -> dict[str, Values]:
    addresses = AddressNames(table.addresses, table.address_text)
    files = table.files or ("",)

    def identities(start: int, stop: int) -> list[str]:
        return [identity.decode() for identity in community_ids(table, start, stop).tolist()]

    def histories(start: int, stop: int) -> list[str]:
        return [table.history(flow) for flow in range(start, stop)]

    return {
        "community_id": Texts(identities),
        "history": Texts(histories),
        "transport": Words(table["transport"], tuple(transport_text(number) for number in range(256))),
        "orig_addr": Words(table["orig_addr"], addresses),
        "resp_addr": Words(table["resp_addr"], addresses),
        "first_file": Words(table["first_file"], files),
        "last_file": Words(table["last_file"], files),
        "cut": Numbers(table["flags"] & _native.FLAG_CUT != 0),
        "fragments": Numbers(table["flags"] & _native.FLAG_FRAGMENTS != 0),
    }


def _judged(verdicts: Verdicts) -> dict[str, Values]:
    terms = (*(term.name for term in verdicts.terms), "")  # -1, no term, is the last entry
    services = verdicts.services
    return {
        "outcome": Words(verdicts.outcome, OUTCOMES),
        "verdict": Words(verdicts.verdict, VERDICTS),
        "term": Words(verdicts.term, terms),
        "nearest": Words(verdicts.nearest, terms),
        "misfit": Words(verdicts.nearest_misfit, MISFITS),
        "doubt": Words(verdicts.doubt, verdicts.doubts),
        "service": Words(verdicts.service, tuple(one.id if one else "" for one in services)),
        "service_name": Words(verdicts.service, tuple(one.name if one else "" for one in services)),
        "process": Words(verdicts.service, tuple(one.process if one else "" for one in services)),
        "orig_zone": Words(verdicts.orig_zone, verdicts.zones),
        "resp_zone": Words(verdicts.resp_zone, verdicts.zones),
        "orig_role": Words(verdicts.orig_role, verdicts.roles),
        "resp_role": Words(verdicts.resp_role, verdicts.roles),
    }


def _tied(sessions: SessionSet, flows: int) -> dict[str, Values]:
    number, grade = np.zeros(flows, np.uint32), np.zeros(flows, np.uint8)
    for position, session in reversed(list(enumerate(sessions.sessions, 1))):
        number[[session.control, *(link.flow for link in session.data)]] = position
        for link in session.data:
            grade[link.flow] = _GRADES.index(link.grade.value)
    return {
        "control": Numbers(sessions.control),
        "data": Numbers(sessions.data),
        "session": Numbers(number, absent=0),
        "grade": Words(grade, _GRADES),
    }


def community_ids(table: FlowTable, start: int, stop: int) -> NDArray[np.bytes_]:
    """Return the Community IDs of the flows ``start`` to ``stop - 1``; dtype S30, empty for ICMP."""
    rows = slice(start, stop)
    ends = [table.addresses[table[f"{side}_addr"][rows]] for side in ("orig", "resp")]
    ports = [table[f"{side}_port"][rows].astype(">u2") for side in ("orig", "resp")]
    transport = table["transport"][rows]
    mapped = [(addresses[:, :12] == _MAPPED).all(axis=1) for addresses in ends]
    having = among(transport, list(PORTS))
    order = _later(ends, ports, having)
    low, high = (np.where(order[:, None], *pair) for pair in ((ends[1], ends[0]), (ends[0], ends[1])))
    low_port, high_port = (np.where(order, *pair) for pair in ((ports[1], ports[0]), (ports[0], ports[1])))
    named = ~among(transport, list(UNNAMED)) & (mapped[0] == mapped[1])
    result = np.zeros(len(transport), "S30")
    for short in (True, False):
        for with_ports in (True, False):
            chosen = np.flatnonzero(named & (mapped[0] == short) & (having == with_ports))
            begin = 12 if short else 0
            parts = [np.zeros((len(chosen), 2), np.uint8), low[chosen, begin:], high[chosen, begin:]]
            parts += [np.stack([transport[chosen], np.zeros(len(chosen), np.uint8)], axis=1)]
            if with_ports:
                parts += [port[chosen].astype(">u2")[:, None].view(np.uint8) for port in (low_port, high_port)]
            result[chosen] = _hashed(np.concatenate(parts, axis=1))
    return result


def _later(ends: list[Array], ports: list[Array], having: Array) -> Array:
    """Return where the originator is the higher end, by address and then, where there are ports, by port."""
    words = [np.ascontiguousarray(addresses).view(">u8") for addresses in ends]
    above = np.zeros(len(having), np.bool_)
    equal = np.ones(len(having), np.bool_)
    for word in (0, 1):
        above |= equal & (words[0][:, word] > words[1][:, word])
        equal &= words[0][:, word] == words[1][:, word]
    later: Array = above | (equal & having & (ports[0] > ports[1]))
    return later


def _hashed(messages: NDArray[np.uint8]) -> NDArray[np.bytes_]:
    """Return ``1:`` and the Base64 of the SHA-1 of each row, shape (n, bytes)."""
    width, data = messages.shape[1], messages.tobytes()
    # A 21st byte makes each digest a whole number of Base64 groups, so that all are encoded at once.
    digests = b"".join(
        [
            sha1(data[at : at + width], usedforsecurity=False).digest() + b"\0"
            for at in range(0, len(messages) * width, width)
        ]
    )
    text = np.frombuffer(binascii.b2a_base64(digests, newline=False), np.uint8).reshape(-1, 28)
    named = np.empty((len(messages), 30), np.uint8)
    named[:, :2] = np.frombuffer(b"1:", np.uint8)
    named[:, 2:29] = text[:, :27]
    named[:, 29] = ord("=")
    return named.view("S30").reshape(-1)
