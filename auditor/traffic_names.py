"""What hosts are called in the captured traffic: evidence beside an address, never a ground for a verdict.

No look-ups are made: every name stood in a packet, or in the capture file itself.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence

from auditor import _native
from auditor.flows import FlowTable
from auditor.model import NameEvidence
from auditor.ndmp import Column, NdmpMessages
from auditor.sessions import Session
from auditor.text import path_text

NAME_COLUMNS = (
    Column("address", "u4", "code", "who is called so"),
    Column("kind", "u1", "code", "where the name stood: _native.NAME_KINDS"),
    Column("port", "u2", "port", "NDMP port that an agent's announcement gives, else 0"),
    Column("packet", "u8", "number", "first packet that had it, from 1 over all files"),
    Column("file", "u4", "row", "file of that packet"),
)
"""Columns of ``Reading.names()``, in order of packets; the names themselves are ``Reading.name_texts()``."""

MOST_NAMES = 8
"""Names of one host in a report."""

HOST_INFO, SSL_EXCHANGE = 0x100, 0xF383
_MOST_ASKED = 64


class TrafficNames:
    """Names by address code."""

    def __init__(self, reading: _native.Reading | None = None) -> None:
        """Wrap what the core has read, or nothing."""
        self._told: dict[int, list[NameEvidence]] = {}
        if reading is None:
            return
        files = [path_text(facts.path) for facts in reading.files]
        columns = reading.names()
        rows = zip(*(columns[column.name].tolist() for column in NAME_COLUMNS), reading.name_texts(), strict=True)
        for code, kind, port, packet, file, text in rows:
            note = f"announces NDMP port {port}" if port else ""
            self.add(code, NameEvidence(text, _native.NAME_KINDS[kind], packet, files[file], note))

    def add(self, code: int, name: NameEvidence) -> None:
        """Add a name of an address code, unless it is no more than an address or known from the same kind of place."""
        known = self._told.setdefault(code, [])
        if name.name and not _is_address(name.name) and all(_key(name) != _key(other) for other in known):
            known.append(name)

    def add_file_names(self, table: FlowTable, pairs: Mapping[str, Sequence[tuple[str, str]]]) -> None:
        """Add the (address, name) pairs that capture files hold, by the path of the file (pcapng name blocks)."""
        told = [(address, name, path) for path, pairs_of in pairs.items() for address, name in pairs_of]
        codes = table.codes_of({address for address, _, _ in told})
        for address, name, path in told:
            for code in codes.get(address, ()):
                self.add(code, NameEvidence(name, "capture-file", 0, path))

    def add_ndmp(self, table: FlowTable, messages: NdmpMessages, sessions: Sequence[Session]) -> None:
        """Add what NDMP messages call the two ends of each control connection."""
        for session in sessions:
            row = session.control
            ends = {side: int(table[f"{side}_addr"][row]) for side in ("orig", "resp")}
            for message in messages.rows(row, (HOST_INFO, SSL_EXCHANGE))[:_MOST_ASKED]:
                fields = messages.fields(int(message))
                told = [("resp", "hostname"), ("orig", "media_server_fqdn"), ("orig", "media_server_name")]
                capture = path_text(table.file_text(int(messages["file"][message])))
                for side, field in told:
                    for value in fields.get(field, [])[:1]:
                        packet = int(messages["packet"][message])
                        self.add(ends[side], NameEvidence(value.text or "", "ndmp", packet, capture))

    def of(self, code: int) -> tuple[NameEvidence, ...]:
        """Return the names of an address code, in the order in which they were told."""
        return tuple(self._told.get(code, ())[:MOST_NAMES])


def _key(name: NameEvidence) -> tuple[str, str]:
    return name.kind, name.name.lower()


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True
