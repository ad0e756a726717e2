"""Table ``captures``: every capture file, how much of it could be read and how much of the traffic it shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from auditor.blocks import blocks
from auditor.flows import TCP, FlowTable
from auditor.packs.words import STATUSES
from auditor.rule_table import NO_FLOW, Array, ColumnData, Rows, RuleTable, no_witnesses, words_column
from auditor.stretches import stretches_of
from auditor.tables.source import Source
from auditor.text import counted

_ACK = 0x10


class CaptureFacts(Protocol):
    """What rules ask of a capture; ``_native.FileFacts`` and the lines ``capture …`` of the notation have it."""

    @property
    def path(self) -> str:
        """The capture as it was named."""

    @property
    def packets(self) -> int:
        """Packets read."""

    @property
    def first(self) -> int | None:
        """Time of the earliest packet, ns."""

    @property
    def last(self) -> int | None:
        """Time of the latest packet, ns."""

    @property
    def status(self) -> str:
        """``read``, ``partial`` or ``unreadable``."""

    @property
    def error(self) -> str | None:
        """Why it could not be read to its end."""

    @property
    def drops(self) -> int | None:
        """Packets that the capturing program dropped, None where it does not say."""


def captures_table(source: Source, captures: Sequence[CaptureFacts]) -> RuleTable:
    """Return the table ``captures``, one row for each file."""
    packets = np.array([capture.packets for capture in captures], np.int64)
    drops = np.array([capture.drops or 0 for capture in captures], np.int64)
    talking, one_sided = (in_stretches(counts, captures) for counts in talking_directions(source.flows, len(captures)))
    columns = {
        "path": words_column([capture.path for capture in captures]),
        "stretch": words_column(_stretch_texts(captures)),
        "status": ColumnData(np.array([STATUSES.index(capture.status) for capture in captures], np.int64), STATUSES),
        "error": words_column([capture.error or "no reason given" for capture in captures]),
        "packets": ColumnData(packets),
        "drops": ColumnData(drops),
        "drops_percent": ColumnData(_percent(drops, packets + drops)),
        "tcp_flows": ColumnData(talking),
        "one_sided": ColumnData(one_sided),
        "one_sided_percent": ColumnData(_percent(one_sided, talking)),
    }
    return RuleTable("captures", columns, np.full(len(captures), NO_FLOW), no_witnesses)


def in_stretches(counts: Array, captures: Sequence[CaptureFacts]) -> Array:
    """Return counts per file summed up at the first of those that go on with each other, 0 at the others: how a ring was
    cut into files says nothing of its connections."""
    sums: Array = np.zeros(len(captures), np.int64)
    np.add.at(sums, np.array(stretches_of(captures, overlap=False), np.intp), counts)
    return sums


def _stretch_texts(captures: Sequence[CaptureFacts]) -> list[str]:
    more = Counter(stretches_of(captures, overlap=False))
    return [
        f"{capture.path} and {counted(more[row] - 1, 'file')} behind it" if more[row] > 1 else capture.path
        for row, capture in enumerate(captures)
    ]


def talking_directions(flows: FlowTable, files: int) -> tuple[Array, Array]:
    """Return per file the TCP connections that got beyond a handshake, and those with one direction only."""
    size = max(files, int(flows["first_file"].max(initial=0)) + 1)
    talking, alone = (np.bincount(flows["first_file"][rows], minlength=size)[:files] for rows in _directions(flows))
    return talking, alone


def lone_directions(flows: FlowTable) -> Rows:
    """Return the TCP connections that got beyond a handshake, and of which one direction alone was captured."""
    return _directions(flows)[1]


def _directions(flows: FlowTable) -> tuple[Rows, Rows]:
    """Return the TCP connections that got beyond a handshake, and those of them with one direction only."""
    talking = np.empty(len(flows), np.bool_)
    for rows in blocks(len(flows)):
        acknowledges = ((flows["orig_flags"][rows] | flows["resp_flags"][rows]) & _ACK) != 0
        several = flows["orig_packets"][rows] + flows["resp_packets"][rows] > 2
        payload = (flows["orig_payload"][rows] > 0) | (flows["resp_payload"][rows] > 0)
        judged = (flows["transport"][rows] == TCP) & (flows["refusal"][rows] == 0)
        talking[rows] = judged & ((acknowledges & several) | payload)
    found = np.flatnonzero(talking)
    return found, found[(flows["orig_packets"][found] == 0) | (flows["resp_packets"][found] == 0)]


def _percent(part: Array, whole: Array) -> Array:
    return part * 100 // np.maximum(whole, 1)
