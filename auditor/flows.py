"""The flow table: what was seen, in columns, with its uncertainty. Knows nothing of policy."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from auditor import _native
from auditor.arrays import NDArray
from auditor.distinct import among
from auditor.errors import MissingExtra
from auditor.model import FlowReference
from auditor.ndmp import Column
from auditor.stretches import stretches_of
from auditor.text import byte_count, counted, day_text, html_table, number, path_text

COLUMNS = (
    Column("transport", "u1", "IANA", "IP protocol number: 6 TCP, 17 UDP, 1 ICMP, 58 ICMPv6 …"),
    Column("orig_addr", "u4", "code", "originator's address"),
    Column("resp_addr", "u4", "code", "responder's address"),
    Column("orig_port", "u2", "port", "originator's port; 0 where the transport has none"),
    Column("resp_port", "u2", "port", "responder's port; 0 where the transport has none"),
    Column("originator_by", "u1", "code", "how the originator is known: ORIGINATOR_BY"),
    Column("state", "u1", "code", "Zeek's conn_state: _native.STATES (UDP: SF answered, S0 not)"),
    Column("vlan", "u2", "id", "outermost VLAN of the first packet, 0 for none"),
    Column("tunnel", "u1", "code", "outermost tunnel that the first packet came in: _native.TUNNELS"),
    Column("first_time", "i8", "ns", "earliest packet"),
    Column("last_time", "i8", "ns", "latest packet"),
    Column("first_packet", "u8", "number", "first packet, from 1 over all files"),
    Column("last_packet", "u8", "number", "last packet, from 1 over all files"),
    Column("first_file", "u4", "row", "file of the first packet"),
    Column("last_file", "u4", "row", "file of the last packet"),
    Column("orig_packets", "u8", "packets", "from the originator"),
    Column("resp_packets", "u8", "packets", "from the responder"),
    Column("orig_bytes", "u8", "bytes", "frames on the wire from the originator, link header included"),
    Column("resp_bytes", "u8", "bytes", "frames on the wire from the responder, link header included"),
    Column("orig_payload", "u8", "bytes", "transport payload from the originator, as the headers say"),
    Column("resp_payload", "u8", "bytes", "transport payload from the responder, as the headers say"),
    Column("orig_missed", "u8", "bytes", "TCP bytes of the originator that the capture lacks"),
    Column("resp_missed", "u8", "bytes", "TCP bytes of the responder that the capture lacks"),
    Column("orig_repeated", "u8", "bytes", "of `orig_payload`, TCP bytes that came more than once"),
    Column("resp_repeated", "u8", "bytes", "of `resp_payload`, TCP bytes that came more than once"),
    Column("syn_packets", "u4", "packets", "SYNs of the originator, retransmissions included"),
    Column("refusal", "u1", "code", "how it was refused: _native.REFUSALS"),
    Column("refusal_packet", "u8", "number", "packet of the refusal, 0 for none"),
    Column("app", "u1", "code", "protocol recognised from payload: _native.APPS"),
    Column("flags", "u1", "bits", "_native.FLAG_CUT, _native.FLAG_FRAGMENTS"),
    Column("orig_flags", "u1", "bits", "TCP flags of the originator, or-ed"),
    Column("resp_flags", "u1", "bits", "TCP flags of the responder, or-ed"),
)
"""Columns of ``Reading.flow_columns()`` and of ``FlowTable``."""

TCP, UDP = 6, 17
TRANSPORTS = {1: "icmp", TCP: "tcp", UDP: "udp", 58: "icmp6"}
"""Words for the transports that reports name; any other is its IANA number."""

BY_ANNOUNCEMENT = "ndmp-announcement"
ORIGINATOR_BY = (*_native.ORIGINATOR_BY, BY_ANNOUNCEMENT)
"""How an originator is known: as the core saw it, or because an NDMP message of the control connection names the listener."""

MOST_SHOWN = 20
"""Rows that a notebook shows of a table."""

_ATTEMPTS = [_native.STATES.index(state) for state in ("S0", "REJ", "RSTOS0")]
_ACK = 0x10
_ENDS = ("orig", "resp")
_SIDED = ("addr", "port", "packets", "bytes", "payload", "missed", "repeated", "flags")
_MIRRORS = {"S2": "S3", "RSTO": "RSTR", "RSTOS0": "RSTRH", "SH": "SHR"}
_MIRRORS |= {mirrored: state for state, mirrored in _MIRRORS.items()}
_MIRRORED_STATES = np.array([_native.STATES.index(_MIRRORS.get(state, state)) for state in _native.STATES], np.uint8)

_MAPPED = bytes(10) + b"\xff\xff"
_NANOSECONDS = 1_000_000_000

Array = NDArray[Any]
Mask = NDArray[np.bool_]


class FlowTable:
    """Flows in columns: ``table["resp_port"]`` is an array, one row per flow, in order of first packets.

    ``addresses`` has shape (n, 16), dtype uint8: IPv6 in network order, IPv4 mapped; the columns ``orig_addr`` and
    ``resp_addr`` index into it. ``files`` are the paths that ``first_file`` and ``last_file`` index into;
    ``stretches`` the first of the captures that each of these goes on with, empty where nobody knows their times.
    Columns are shared with the core, not copied: treat them as read-only.
    """

    __slots__ = ("_columns", "_history", "_length", "_place", "addresses", "files", "stretches")

    def __init__(
        self,
        columns: Mapping[str, Array],
        addresses: NDArray[np.uint8],
        *,
        files: tuple[str, ...] = (),
        history: Callable[[int], str] | None = None,
        place: Callable[[int], tuple[int, int]] | None = None,
        stretches: tuple[int, ...] = (),
    ) -> None:
        missing = [column.name for column in COLUMNS if column.name not in columns]
        if missing:
            raise ValueError(f"columns are missing: {', '.join(missing)}")
        lengths = {len(columns[column.name]) for column in COLUMNS}
        if len(lengths) != 1:
            raise ValueError(f"columns differ in length: {sorted(lengths)}")
        if addresses.ndim != 2 or addresses.shape[1] != 16:
            raise ValueError(f"addresses have shape {addresses.shape}, not (n, 16)")
        self._columns = {column.name: columns[column.name] for column in COLUMNS}
        self._length = lengths.pop()
        self._history = history
        self._place = place
        self.addresses = addresses
        self.files = files
        self.stretches = stretches

    @classmethod
    def from_reading(cls, reading: _native.Reading) -> FlowTable:
        """Wrap what the core has read; nothing is copied."""
        return cls(
            reading.flow_columns(),
            reading.addresses(),
            files=tuple(path_text(facts.path) for facts in reading.files),
            history=reading.history_text,
            place=reading.place,
            stretches=stretches_of(reading.files, overlap=True),
        )

    @classmethod
    def from_columns(
        cls,
        columns: Mapping[str, Array],
        addresses: NDArray[np.uint8],
        *,
        files: tuple[str, ...] = (),
        history: Callable[[int], str] | None = None,
    ) -> FlowTable:
        """Make a table of given columns; those that are missing are zero. Raises ValueError for unknown names."""
        unknown = sorted(set(columns) - {column.name for column in COLUMNS})
        if unknown:
            raise ValueError(f"unknown columns: {', '.join(unknown)}")
        length = len(next(iter(columns.values()))) if columns else 0
        full = {
            column.name: (
                np.asarray(columns[column.name]).astype(column.dtype, copy=False)
                if column.name in columns
                else np.zeros(length, column.dtype)
            )
            for column in COLUMNS
        }
        return cls(full, addresses, files=files, history=history)

    def __len__(self) -> int:
        """Return the number of flows."""
        return self._length

    def __getitem__(self, column: str) -> Array:
        """Return a column of ``COLUMNS``; raises KeyError for any other name."""
        return self._columns[column]

    def select(self, rows: Array) -> FlowTable:
        """Return the flows of a boolean mask or of row numbers, as a table of their own."""
        chosen = np.flatnonzero(rows) if rows.dtype == np.bool_ else np.asarray(rows)
        history = self._history
        return FlowTable(
            {name: values[chosen] for name, values in self._columns.items()},
            self.addresses,
            files=self.files,
            history=None if history is None else lambda flow: history(int(chosen[flow])),
            place=self._place,
            stretches=self.stretches,
        )

    def address(self, code: int) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
        """Return the address of a code; a mapped address as the IPv4 address that it stands for."""
        packed = self.addresses[code].tobytes()
        if packed.startswith(_MAPPED):
            return ipaddress.IPv4Address(packed[12:])
        return ipaddress.IPv6Address(packed)

    def address_text(self, code: int) -> str:
        """Return the address of a code: dotted quad, or IPv6 as RFC 5952 writes it."""
        packed = self.addresses[code].tobytes()
        # An object in between would take three times as long for most.
        return ".".join(map(str, packed[12:])) if packed.startswith(_MAPPED) else str(ipaddress.IPv6Address(packed))

    def address_codes(self, address: str) -> NDArray[np.intp]:
        """Return the codes that stand for an address, none where it was not seen. Raises ValueError."""
        parsed = ipaddress.ip_address(address)
        packed = parsed.packed if parsed.version == 6 else _MAPPED + parsed.packed
        return np.flatnonzero((self.addresses == np.frombuffer(packed, np.uint8)).all(axis=1))

    def codes_of(self, addresses: Iterable[str]) -> dict[str, list[int]]:
        """Return the codes of many addresses at one look at the table; those not seen are left out. Raises ValueError."""
        wanted: dict[bytes, list[str]] = {}
        for address in addresses:
            parsed = ipaddress.ip_address(address)
            wanted.setdefault(parsed.packed if parsed.version == 6 else _MAPPED + parsed.packed, []).append(address)
        if not wanted:
            return {}
        # Sixteen bytes each, so that what NumPy drops at their ends it drops on both sides alike.
        keys = np.ascontiguousarray(self.addresses).view("S16").ravel()
        found: dict[str, list[int]] = {}
        for code in np.flatnonzero(among(keys, np.array(list(wanted), "S16"))).tolist():
            for address in wanted[self.addresses[code].tobytes()]:
                found.setdefault(address, []).append(code)
        return found

    def endpoint(self, flow: int, side: str) -> str:
        """Return an end of a flow, ``side`` being ``orig`` or ``resp``: ``10.0.0.1:40000``, ``[2001:db8::1]:40000``."""
        text = self.address_text(int(self[f"{side}_addr"][flow]))
        return f"{f'[{text}]' if ':' in text else text}:{int(self[f'{side}_port'][flow])}"

    def transport_text(self, flow: int) -> str:
        """Return ``tcp``, ``udp``, ``icmp``, ``icmp6`` or the IANA number."""
        return transport_text(int(self["transport"][flow]))

    def history(self, flow: int) -> str:
        """Return Zeek's history letters, upper case originator, lower case responder; empty where not recorded."""
        return "" if self._history is None else self._history(flow)

    def reference(self, flow: int) -> FlowReference:
        """Return the flow as evidence names it."""
        return FlowReference(self.transport_text(flow), self.endpoint(flow, "orig"), self.endpoint(flow, "resp"))

    def carried(self, flow: int) -> tuple[int, int]:
        """Return the payload bytes of originator and responder, what was sent again counted once."""
        orig, resp = (int(self[f"{side}_payload"][flow]) - int(self[f"{side}_repeated"][flow]) for side in _ENDS)
        return orig, resp

    def attempts(self) -> Mask:
        """Return the TCP flows that never came about: not answered, or refused, and no payload; shape (flows,).

        Whose originator acknowledged something came about, though the capture lacks the answer.
        """
        silent = (self["orig_payload"] == 0) & (self["resp_payload"] == 0) & ((self["orig_flags"] & _ACK) == 0)
        mask: Mask = (self["transport"] == TCP) & silent & among(self["state"], _ATTEMPTS)
        return mask

    def reoriented(self, rows: Array) -> FlowTable:
        """Return the table with originator and responder exchanged in ``rows``, in all that is told of them.

        For flows whose originator was a guess and whose listener an NDMP message names.
        """
        if not len(rows):
            return self
        columns = dict(self._columns)
        for name in _SIDED:
            orig, resp = columns[f"orig_{name}"].copy(), columns[f"resp_{name}"].copy()
            orig[rows], resp[rows] = self[f"resp_{name}"][rows], self[f"orig_{name}"][rows]
            columns[f"orig_{name}"], columns[f"resp_{name}"] = orig, resp
        state, known_by = self["state"].copy(), self["originator_by"].copy()
        state[rows] = _MIRRORED_STATES[state[rows]]
        known_by[rows] = ORIGINATOR_BY.index(BY_ANNOUNCEMENT)
        columns |= {"state": state, "originator_by": known_by}
        turned, history = frozenset(np.asarray(rows).tolist()), self._history

        def turned_history(flow: int) -> str:
            text = "" if history is None else history(flow)
            return text.swapcase() if flow in turned else text

        return FlowTable(
            columns,
            self.addresses,
            files=self.files,
            history=turned_history,
            place=self._place,
            stretches=self.stretches,
        )

    def file_of(self, flow: int, packets: Sequence[int]) -> int:
        """Return the file of the first of ``packets`` that a flow has; where nobody knows it, that of the flow's first."""
        if self._place is None or not packets:
            return int(self["first_file"][flow])
        return self._place(packets[0])[0]

    def packet_text(self, flow: int) -> str:
        """Return where a flow begins: its first packet and, of several files, its place in its own."""
        packet = int(self["first_packet"][flow])
        if self._place is None or len(self.files) < 2:
            return f"packet {packet}"
        file, number_in_file = self._place(packet)
        return f"packet {packet}, which is packet {number_in_file} of {self.file_text(file)}"

    def file_text(self, file: int) -> str:
        """Return the path of a file number; empty where the table came from no file."""
        return self.files[file] if file < len(self.files) else ""

    def to_pandas(self) -> Any:
        """Return a DataFrame with addresses, transports, states and the like as words. Raises MissingExtra."""
        try:
            import pandas as pd  # type: ignore[import-untyped]
        except ImportError:
            raise MissingExtra("pandas", "pandas") from None
        frame = dict(self._columns)
        texts = [self.address_text(code) for code in range(len(self.addresses))]
        for side in ("orig_addr", "resp_addr"):
            frame[side] = pd.Categorical.from_codes(self[side].astype(np.int64), texts)
        for name, words in CODE_WORDS.items():
            frame[name] = pd.Categorical.from_codes(self[name].astype(np.int64), list(words))
        frame["transport"] = pd.Series(self["transport"]).map(transport_text)
        for name in ("first_time", "last_time"):
            frame[name] = pd.to_datetime(self[name], unit="ns", utc=True)
        return pd.DataFrame(frame)

    def _repr_html_(self) -> str:
        """Return the first flows as a notebook shows them."""
        heads = ("originator", "responder", "transport", "app", "state", "first packet", "packets", "payload")
        rows = [
            (
                self.endpoint(flow, "orig"),
                self.endpoint(flow, "resp"),
                self.transport_text(flow),
                _native.APPS[self["app"][flow]],
                _native.STATES[self["state"][flow]],
                number(int(self["first_packet"][flow])),
                number(int(self["orig_packets"][flow]) + int(self["resp_packets"][flow])),
                byte_count(int(self["orig_payload"][flow]) + int(self["resp_payload"][flow])),
            )
            for flow in range(min(len(self), MOST_SHOWN))
        ]
        return html_table(heads, rows, counted(len(self), "flow"), left=len(self) - len(rows))


CODE_WORDS: dict[str, tuple[str, ...]] = {
    "originator_by": ORIGINATOR_BY,
    "state": _native.STATES,
    "refusal": _native.REFUSALS,
    "app": _native.APPS,
}
"""Columns whose codes index into a tuple of words."""


def transport_text(number: int) -> str:
    """Return the word for an IP protocol number, or the number."""
    return TRANSPORTS.get(number, str(number))


def time_text(nanoseconds: int) -> str:
    """Return nanoseconds since the epoch as RFC 3339 in UTC: ``2026-11-22T08:00:00.000000123Z``."""
    seconds, fraction = divmod(int(nanoseconds), _NANOSECONDS)
    day, rest = divmod(seconds, 86_400)
    return f"{day_text(day)}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}.{fraction:09d}Z"
