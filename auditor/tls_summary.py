"""TLS handshakes made ready for the report."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from auditor.flows import FlowTable
from auditor.handshakes import Handshakes, cipher_text, is_valid, version_text
from auditor.model import CertificateSummary, TlsSummary
from auditor.sessions import Session
from auditor.text import path_text

MOST_HANDSHAKES = 20
"""Handshakes told of one session."""


def summarise_tls(table: FlowTable, session: Session, handshakes: Handshakes) -> tuple[TlsSummary, ...]:
    """Return what the handshakes on the connections of a session showed, the control connection first."""
    rows = [("control", session.control), *(("data", link.flow) for link in session.data)]
    told = [_summary(table, kind, row, shown) for kind, row in rows for shown in handshakes.of(row)]
    return tuple(told[:MOST_HANDSHAKES])


def _summary(table: FlowTable, kind: str, row: int, shown: Mapping[str, Any]) -> TlsSummary:
    server, client = (_certificate(shown[f"{end}_certificate"], shown["time"]) for end in ("server", "client"))
    return TlsSummary(
        connection=kind,
        flow=table.reference(row),
        packet=shown["packet"],
        capture=path_text(table.file_text(shown["file"])),
        version=version_text(shown["version"]),
        offered=version_text(shown["offered"]),
        cipher=cipher_text(shown["cipher"]),
        server_name=shown["server_name"],
        alpn=shown["alpn"],
        alpn_offered=tuple(shown["alpn_offered"]),
        ja3=shown["ja3"],
        ja4=shown["ja4"],
        server_certificate=server,
        client_certificate=client,
        notes=tuple(_notes(shown, server)),
    )


def _notes(shown: Mapping[str, Any], server: CertificateSummary | None) -> list[str]:
    """Return what a reader should know of a handshake that its fields do not say."""
    notes = []
    if shown["number"] > 1:
        notes.append(f"handshake {shown['number']} of this connection")
    if not shown["version"]:
        notes.append("no answer of the server was read")
    elif not shown["ja3"]:
        notes.append("the client's hello was not read")
    if server is None and shown["version"] >= 0x0304:
        notes.append("certificates are encrypted")
    return notes


def _certificate(shown: Mapping[str, Any] | None, time: int) -> CertificateSummary | None:
    if shown is None:
        return None
    return CertificateSummary(
        subject=shown["subject"],
        issuer=shown["issuer"],
        names=tuple(shown["names"]),
        not_before=_second(shown["not_before"]),
        not_after=_second(shown["not_after"]),
        self_issued=shown["self_issued"],
        valid=is_valid(shown, time),
    )


def _second(seconds: int) -> str:
    """Return seconds since the epoch as RFC 3339 in UTC; a certificate's latest year is 9999."""
    return f"{datetime.fromtimestamp(min(seconds, 253_402_300_799), UTC):%Y-%m-%dT%H:%M:%SZ}"
