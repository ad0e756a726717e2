"""What TLS handshakes show in clear."""

from __future__ import annotations

from auditor.model.findings import FlowReference
from auditor.records import record


@record
class CertificateSummary:
    """What a certificate says of itself; nothing of it was verified.

    ``self_issued``: issuer and subject are the same name, as in a self-signed one. ``valid``: the capture lies within
    its validity.
    """

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: str
    not_after: str
    self_issued: bool
    valid: bool


@record
class TlsSummary:
    """One TLS handshake on a connection of a session; empty is what was not sent, not captured, or encrypted.

    ``connection`` is ``control`` or ``data``. ``version`` and ``cipher`` are what the server chose, ``offered`` is the
    highest version of the client. Certificates can be read up to TLS 1.2.
    """

    connection: str
    flow: FlowReference
    packet: int
    capture: str = ""
    version: str = ""
    offered: str = ""
    cipher: str = ""
    server_name: str = ""
    alpn: str = ""
    alpn_offered: tuple[str, ...] = ()
    ja3: str = ""
    ja4: str = ""
    server_certificate: CertificateSummary | None = None
    client_certificate: CertificateSummary | None = None
    notes: tuple[str, ...] = ()
