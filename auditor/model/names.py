"""What hosts are called in the captured traffic."""

from __future__ import annotations

from auditor.records import record


@record
class NameEvidence:
    """A name of a host, as traffic tells it: never trusted for a verdict, since anyone can send it.

    ``kind`` says where it stood: dns, mdns, llmnr, netbios, dhcp, smtp, tls-server-name, agent-announcement, ndmp,
    capture-file. ``packet`` is the first that had it, 0 where no packet did; ``note`` what else stood there.
    """

    name: str
    kind: str
    packet: int = 0
    capture: str = ""
    note: str = ""
