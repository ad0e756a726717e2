"""What the fields of a report hold: which are files, names or zones, and which can hold nothing that a site said.

A field that is not listed is free text: addresses and known names are replaced wherever they stand in it. So a new
field is safe before anybody thinks of it, unless it is a name on its own; those belong here.
"""

from __future__ import annotations

FILES = {
    "BaselineSummary": {"path"},
    "CaptureSummary": {"path"},
    "CaptureQuality": {"path"},
    "ControlSummary": {"capture"},
    "DataSummary": {"capture"},
    "Evidence": {"capture"},
    "NameEvidence": {"capture"},
    "PolicySummary": {"path"},
    "TermSummary": {"path"},
    "TlsSummary": {"capture"},
    "WaiverReference": {"place"},
    "WaiverSummary": {"place"},
}
"""Paths, with a line behind a colon in some: class -> fields."""

NAMES = {
    "CertificateSummary": {"subject", "issuer", "names"},
    "HostSummary": {"name"},
    "JobSummary": {"name", "file_system", "host", "account"},
    "NameEvidence": {"name", "note"},
    "SessionSummary": {"agent"},
    "TlsSummary": {"server_name"},
    "WaiverReference": {"owner", "reason", "ticket"},
    "WaiverSummary": {"owner", "reason", "ticket"},
}
"""Names of hosts, jobs, accounts, people, file systems: class -> fields."""

ZONES = {
    "HostCapacity": {"zone"},
    "HostSummary": {"zone"},
    "ServiceSummary": {"originator_zone", "responder_zone"},
}
"""Names of zones: class -> fields. The keys of ``PolicySummary.zones`` and ``dynamic_ports`` are such too."""

FIXED = {
    "Authentication": {"type"},
    "BaselineSummary": {"sha256"},
    "CaptureSummary": {"format", "sha256", "first", "last", "link_types", "problems", "status"},
    "CaptureQuality": {"longest_silence_at", "tunnels", "undecoded"},
    "ControlSummary": {"originator_known_by", "state", "first", "last"},
    "CountedName": {"name"},
    "DataEnd": {"side", "declared"},
    "DataSummary": {"grade", "state", "first", "last"},
    "ControlAssessment": {"framework", "id", "title"},
    "ExchangeSummary": {"unanswered_first", "reply_slowest_at"},
    "Finding": {"code", "name", "severity", "title", "baseline_state"},
    "FlowReference": {"transport"},
    "JobSummary": {"operation", "outcome", "first", "last"},
    "NameEvidence": {"kind"},
    "GoneFinding": {"code", "severity"},
    "PolicySummary": {"generation", "sha256"},
    "Quality": {"vantage", "vantage_by"},
    "RefusalSummary": {"message", "error"},
    "Report": {"verdict", "totals", "version", "schema", "rules", "rule_pack", "as_of"},
    "ServiceSummary": {"transport", "port", "verdict"},
    "SessionSummary": {"readable", "operations", "ended"},
    "TermSummary": {"action", "origin"},
    "TlsSummary": {"connection", "version", "offered", "cipher", "ja3", "ja4"},
    "CertificateSummary": {"not_before", "not_after"},
    "HostCapacity": {"role", "declared", "peak_operations_at", "peak_open_at", "peak_held_at", "full_at"},
    "CapacityPoint": {"at"},
    "WaiverReference": {"expires"},
    "WaiverSummary": {"code", "name", "expires", "state", "since"},
}
"""Words of auditor's own, numbers and times: class -> fields that are left as they are."""

VENDOR_ZONES = frozenset(
    (
        "", "undeclared", "media-servers", "agents", "filers", "databases", "mail-relays", "snmp-managers",
        "domain-controllers", "consoles", "desktops", "other", "multicast",
    )
)  # fmt: skip
"""Zones that policies are made of; a zone of another name was named by the site."""
