"""NDMP messages as the core read them: columns, and the few words to ask them by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from auditor import _native
from auditor.arrays import NDArray
from auditor.blocks import parted
from auditor.distinct import among, firsts
from auditor.records import record

_CODES: Mapping[Any, int] = {name: code for code, name in enumerate(_native.FIELD_NAMES)}

NO_ADDRESS = 0xFFFFFFFF
"""The address code that stands for none."""

Array = NDArray[Any]
Rows = NDArray[np.intp]


@record
class Column:
    """A column: its name, NumPy dtype, unit and meaning."""

    name: str
    dtype: str
    unit: str
    meaning: str


MESSAGE_COLUMNS = (
    Column("flow", "u4", "row", "row of the flow table: the control connection"),
    Column("packet", "u8", "number", "packet that completed the message"),
    Column("file", "u4", "row", "capture of that packet"),
    Column("time", "i8", "ns", "time of that packet"),
    Column("from_responder", "bool", "", "sent by the responder of the TCP connection (the NDMP server)"),
    Column("message", "u4", "code", "NDMP message code"),
    Column("reply", "bool", "", "a reply; otherwise a request or post"),
    Column("sequence", "u4", "", "sequence number of the sender"),
    Column("reply_sequence", "u4", "", "sequence of the request that this answers"),
    Column("error", "u4", "code", "error of the header, or of the body where the header has none"),
    Column("version", "u1", "", "NDMP version in force when it was decoded; 0 unknown"),
    Column("status", "u1", "code", "what became of the body: _native.MESSAGE_STATUS"),
    Column("length", "u4", "bytes", "record length without markers"),
)
"""Columns of ``Reading.ndmp_messages()``."""

FIELD_COLUMNS = (
    Column("message", "u4", "row", "row of the message table"),
    Column("name", "u2", "code", "field: _native.FIELD_NAMES"),
    Column("number", "u8", "", "value of a number; the port of an address; 0 otherwise"),
    Column("text", "i4", "row", "index into texts(), -1 for none"),
    Column("address", "u4", "code", "address code, 0xffffffff for none"),
)
"""Columns of ``Reading.ndmp_fields()``: a long table, since messages have few and different fields."""

STREAM_COLUMNS = (
    Column("flow", "u4", "row", "row of the flow table"),
    Column("began", "u1", "code", "0 seen from the greeting, 1 joined mid-stream"),
    Column("tls", "bool", "", "went over to TLS inside the connection"),
    Column("tls_packet", "u8", "number", "packet in which TLS began, 0 for none"),
    Column("messages", "u8", "", "messages whose header was read"),
    Column("not_captured", "u8", "", "messages whose body was cut or lost"),
    Column("skipped_bytes", "u8", "bytes", "bytes that could not be read as NDMP, both directions"),
)
"""Columns of ``Reading.ndmp_streams()``."""

BEAT_COLUMNS = (
    Column("flow", "u4", "row", "row of the flow table: a control connection, or one towards an NDMP port"),
    Column("time", "i8", "ns", "time of a segment with payload"),
    Column("from_responder", "bool", "", "sent by the responder of the TCP connection"),
    Column("length", "u4", "bytes", "its payload"),
)
"""Columns of ``Reading.control_beats()``; bounded, so that the later segments of very long sessions are missing."""


@record
class Field:
    """One value of a message's field. ``number`` is the port where ``address`` (a code of the flow table) is one."""

    number: int
    text: str | None
    address: int | None


class Fields(Mapping[str, list[Field]]):
    """The fields of one message by name, each made when it is asked for: of the twenty of a state report one or two are."""

    __slots__ = ("_codes", "_field", "_first")

    def __init__(self, field: Callable[[int], Field], first: int, codes: list[int]) -> None:
        self._field, self._first, self._codes = field, first, codes

    def __getitem__(self, name: str) -> list[Field]:
        """Return the fields of a name, in their order; raises KeyError where the message has none."""
        found = self._of(name)
        if not found:
            raise KeyError(name)
        return found

    def get(self, name: str, default: Any = None) -> Any:
        """Return the fields of a name, ``default`` where the message has none."""
        return self._of(name) or default

    def _of(self, name: str) -> list[Field]:
        code = _CODES.get(name)
        if code not in self._codes:
            return []
        return [self._field(row) for row, one in enumerate(self._codes, self._first) if one == code]

    def __contains__(self, name: object) -> bool:
        """Whether the message has a field of this name."""
        return _CODES.get(name) in self._codes

    def __iter__(self) -> Iterator[str]:
        """Go through the names, each once."""
        return iter(dict.fromkeys(_native.FIELD_NAMES[code] for code in self._codes))

    def __len__(self) -> int:
        """Return the number of names."""
        return len(set(self._codes))


@record
class StreamCounts:
    """What was read of a control stream, both directions: messages, those of them without a body, bytes skipped."""

    messages: int = 0
    bodies_missing: int = 0
    skipped_bytes: int = 0


class NdmpMessages:
    """The NDMP messages of a reading: ``messages["message"]`` is a column of ``MESSAGE_COLUMNS``.

    ``streams`` holds the columns of ``STREAM_COLUMNS``. A control connection has thousands of messages but few that
    matter, so that rows are asked for by flow and message code and only their fields become Python objects.
    """

    __slots__ = (
        "_beats",
        "_bounds",
        "_fields",
        "_messages",
        "_named",
        "_order",
        "_starts",
        "_stream_rows",
        "_texts",
        "streams",
    )

    def __init__(
        self,
        messages: Mapping[str, Array],
        fields: Mapping[str, Array],
        texts: list[str],
        streams: Mapping[str, Array],
        beats: Mapping[str, Array] | None = None,
    ) -> None:
        self._messages = messages
        self._fields = fields
        self._texts = texts
        self._named: dict[int, Rows] = {}
        self.streams = dict(streams)
        self._beats = _by_flow(beats) if beats is not None else {}
        self._stream_rows = {flow: row for row, flow in enumerate(streams["flow"].tolist())}
        # Rows of one flow need not stand together; a stable order keeps its packets in sequence.
        self._order: Rows = np.argsort(messages["flow"], kind="stable")
        self._bounds = _bounds(messages["flow"][self._order])
        self._starts: Rows = np.searchsorted(fields["message"], np.arange(len(messages["flow"]) + 1, dtype=np.uint32))

    @classmethod
    def from_reading(cls, reading: _native.Reading) -> NdmpMessages:
        """Wrap what the core has read; columns are not copied."""
        texts, beats = reading.texts(), reading.control_beats()
        return cls(reading.ndmp_messages(), reading.ndmp_fields(), texts, reading.ndmp_streams(), beats)

    @classmethod
    def empty(cls) -> NdmpMessages:
        """Return the messages of a capture that has none."""

        def no_rows(columns: tuple[Column, ...]) -> dict[str, Array]:
            return {column.name: np.zeros(0, column.dtype) for column in columns}

        return cls(no_rows(MESSAGE_COLUMNS), no_rows(FIELD_COLUMNS), [], no_rows(STREAM_COLUMNS))

    def __len__(self) -> int:
        """Return the number of messages."""
        return len(self._messages["flow"])

    def __getitem__(self, column: str) -> Array:
        """Return a column of ``MESSAGE_COLUMNS``; raises KeyError for any other name."""
        return self._messages[column]

    def rows(self, flow: int, codes: Iterable[int] | None = None) -> Rows:
        """Return the message rows of a flow in order of packets, those with a message code of ``codes`` if given."""
        first, last = self._bounds.get(flow, (0, 0))
        rows: Rows = self._order[first:last]
        if codes is None or first == last:
            return rows
        return rows[among(self._messages["message"][rows], list(codes))]

    def fields(self, row: int) -> Fields:
        """Return the fields of a message, by name; a name occurs more than once in lists (addresses, for one)."""
        first, beyond = self._starts[row : row + 2].tolist()
        return Fields(self.field, first, self._fields["name"][first:beyond].tolist() if first < beyond else [])

    def field(self, index: int) -> Field:
        """Return one field, by its row."""
        text, address = int(self._fields["text"][index]), int(self._fields["address"][index])
        return Field(
            int(self._fields["number"][index]),
            None if text < 0 else self._texts[text],
            None if address == NO_ADDRESS else address,
        )

    def numbers(self, rows: Rows, name: str) -> Array:
        """Return the numbers of field ``name`` in these messages, in order of ``rows``; shape (values,), dtype u8."""
        if not len(rows):
            return np.zeros(0, np.uint64)
        code = _CODES[name]
        if code not in self._named:
            self._named[code] = np.flatnonzero(self._fields["name"] == code)
        places = self._named[code]
        owners = self._fields["message"][places]
        first, last = owners.searchsorted(rows), owners.searchsorted(rows, "right")
        found = [places[one:other] for one, other in zip(first.tolist(), last.tolist(), strict=True) if one < other]
        return self._fields["number"][np.concatenate(found)] if found else np.zeros(0, np.uint64)

    def stream(self, flow: int) -> int | None:
        """Return the row of ``streams`` for a flow, or None where it carries no NDMP."""
        return self._stream_rows.get(flow)

    def stream_counts(self, flow: int) -> StreamCounts:
        """Return what was read of a flow's control stream, and what was not; zeros where it carries no NDMP."""
        row = self.stream(flow)
        if row is None:
            return StreamCounts()
        return StreamCounts(*(int(self.streams[name][row]) for name in ("messages", "not_captured", "skipped_bytes")))

    def beats(self, flow: int) -> tuple[Array, Array]:
        """Return times (ns, sorted) and senders (true: the responder) of the flow's segments with payload."""
        return self._beats.get(flow, _NO_BEATS)


_NO_BEATS = (np.zeros(0, np.int64), np.zeros(0, np.bool_))


def _bounds(flows: Array) -> dict[int, tuple[int, int]]:
    """Return for each value of a sorted array where it begins, and where the next one does."""
    edges = np.flatnonzero(flows[1:] != flows[:-1]) + 1
    starts = [0, *edges.tolist()] if len(flows) else []
    return dict(zip(flows[starts].tolist(), pairwise((*starts, len(flows))), strict=True))


def _by_flow(beats: Mapping[str, Array]) -> dict[int, tuple[Array, Array]]:
    order = np.lexsort((beats["time"], beats["flow"]))
    flows, times, senders = (beats[name][order] for name in ("flow", "time", "from_responder"))
    if not len(flows):
        return {}
    starts = firsts(flows)
    parts = zip(flows[starts].tolist(), parted(times, starts[1:]), parted(senders, starts[1:]), strict=True)
    return {flow: (time, sender) for flow, time, sender in parts}
