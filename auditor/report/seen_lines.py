"""What traffic says of itself, in lines for people: names of hosts, and TLS handshakes."""

from __future__ import annotations

from auditor.model import CertificateSummary, HostSummary, NameEvidence, TlsSummary


def name_lines(host: HostSummary) -> list[str]:
    """Return what traffic calls a host, marked as such."""
    return [_name(told) for told in host.names]


def _name(told: NameEvidence) -> str:
    where = f", packet {told.packet}" if told.packet else ""
    return f"called {told.name} ({told.kind}{where}{', ' if told.note else ''}{told.note})"


def tls_lines(shown: TlsSummary) -> list[str]:
    """Return a handshake in a few lines: what was agreed, who showed which certificate, how the client is known."""
    agreed = [shown.version or (f"{shown.offered} offered" if shown.offered else ""), shown.cipher]
    agreed.append(f"ALPN {shown.alpn}" if shown.alpn else "")
    agreed.append(f"server name {shown.server_name}" if shown.server_name else "")
    where = f"TLS, {shown.connection} connection, packet {shown.packet}"
    lines = [f"{where}: {', '.join(part for part in (*agreed, *shown.notes) if part)}"]
    lines += certificate_lines("server", shown.server_certificate)
    lines += certificate_lines("client", shown.client_certificate)
    if shown.ja4:
        lines += [f"JA4 {shown.ja4}", f"JA3 {shown.ja3}"]
    return lines


def certificate_lines(end: str, certificate: CertificateSummary | None) -> list[str]:
    """Return what a certificate says of itself, in a line; none where there is none."""
    if certificate is None:
        return []
    of = "itself" if certificate.self_issued else certificate.issuer or "nobody named"
    names = f" for {', '.join(certificate.names)}" if certificate.names else ""
    validity = "" if certificate.valid else ", not valid at the time"
    until = f"{certificate.not_before[:10]} to {certificate.not_after[:10]}{validity}"
    return [f"{end} certificate {certificate.subject or 'without a name'}{names}, issued by {of}, {until}"]
