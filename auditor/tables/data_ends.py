"""Table ``data``: the two ends of every data connection, each held against the dynamic range declared for it."""

from __future__ import annotations

from typing import Self

import numpy as np

from auditor.distinct import distinct
from auditor.packs.words import GRADES, OUTCOMES
from auditor.records import record
from auditor.rule_table import Array, ColumnData, Mask, Rows, RuleTable, Witness, words_column
from auditor.sessions import DataLink, Session
from auditor.tables.source import Source
from auditor.tables.witness import flow_witness


@record
class DataEnds:
    """Ends of data connections whose host is in a zone, as parallel arrays; a connection has up to two.

    ``flow`` and ``tie`` are rows of the flow table and of ``Source.ties``; ``listens`` tells the responder from the
    originator; ``ranges`` holds the declared range as text, ``none`` where there is none.
    """

    flow: Rows
    tie: Rows
    listens: Mask
    ranges: tuple[str, ...]
    declared: Mask
    inside: Mask

    @classmethod
    def of(cls, source: Source) -> Self:
        """Collect the ends of all data connections of all sessions."""
        tied = np.array([link.flow for _, link in source.ties], np.intp)
        zone = np.stack([source.verdicts.orig_zone[tied], source.verdicts.resp_zone[tied]], axis=1)
        tie, side = np.nonzero(zone)
        flow, listens = tied[tie], side == 1
        flows = source.flows
        address = np.where(listens, flows["resp_addr"][flow], flows["orig_addr"][flow])
        port = np.where(listens, flows["resp_port"][flow], flows["orig_port"][flow])
        declared = np.zeros(len(flow), np.bool_)
        inside = np.zeros(len(flow), np.bool_)
        ranges = np.full(len(flow), "none", object)
        for code in distinct(address):
            ports = source.policy.dynamic_ports_of(flows.address(int(code)))
            if ports is not None:
                own = address == code
                declared[own], ranges[own], inside[own] = True, str(ports), ports.contains(port[own])
        return cls(flow, tie, listens, tuple(ranges), declared, inside)

    def of_side(self, source: Source, own: str) -> tuple[Array, Array]:
        """Return a column's values at this end and at the other; ``own`` is ``addr`` or ``port``."""
        orig, resp = source.flows[f"orig_{own}"][self.flow], source.flows[f"resp_{own}"][self.flow]
        return np.where(self.listens, resp, orig), np.where(self.listens, orig, resp)


def data_table(source: Source, ends: DataEnds) -> RuleTable:
    """Return the table ``data``."""
    verdicts = source.verdicts
    host, peer = ends.of_side(source, "addr")
    port, _ = ends.of_side(source, "port")
    zone = np.where(ends.listens, verdicts.resp_zone[ends.flow], verdicts.orig_zone[ends.flow])
    role = np.where(ends.listens, verdicts.resp_role[ends.flow], verdicts.orig_role[ends.flow])
    grades = [GRADES.index(link.grade.value) for _, link in source.ties]
    columns = {
        "host": ColumnData(host, source.addresses),
        "peer": ColumnData(peer, source.addresses),
        "zone": ColumnData(zone, source.zones),
        "role": ColumnData(role, source.roles),
        "side": ColumnData(ends.listens.astype(np.uint8), ("connects", "listens")),
        "port": ColumnData(port),
        "declared": ColumnData(ends.declared),
        "declared_range": words_column(ends.ranges),
        "inside": ColumnData(ends.inside),
        "grade": ColumnData(np.array(grades, np.uint8)[ends.tie], GRADES),
        "outcome": ColumnData(verdicts.outcome[ends.flow], OUTCOMES),
        "how": source.how(ends.flow),
    }

    def witnesses(row: int) -> tuple[Witness, ...]:
        return _witnesses(source, *source.ties[int(ends.tie[row])])

    return RuleTable("data", columns, ends.flow, witnesses)


def _witnesses(source: Source, session: Session, link: DataLink) -> tuple[Witness, ...]:
    """Return the data connection, and the message of the control connection that announced it."""
    flows = source.flows
    data = flow_witness(flows, link.flow, f"{link.grade.value}: {'; '.join(link.because)}")
    port = int(flows["resp_port"][link.flow])
    for announcement in session.dialogue.announcements:
        if announcement.port == port and not announcement.state:
            return data, Witness(session.control, (announcement.packet,), f"{announcement.message} names port {port}")
    return (data,)
