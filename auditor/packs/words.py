"""The words that columns of tables hold, and those that rules share. Apart from the columns, so that filling a table takes no more."""

from __future__ import annotations

ROLES = (
    "undeclared",
    "media-servers",
    "agents",
    "filers",
    "databases",
    "mail-relays",
    "snmp-managers",
    "domain-controllers",
    "consoles",
    "desktops",
    "other",
    "multicast",
)
VERDICTS = ("permit", "deny", "unstated", "out-of-scope", "undetermined")
OUTCOMES = ("established", "unanswered", "refused", "uncertain")
MISFITS = ("none", "port", "direction", "zone", "transport")
GRADES = ("none", "proved", "probable", "possible")
LOGINS = ("none", "unanswered", "refused", "accepted")
LOGIN_POLICIES = ("unsaid", "accepted", "not-accepted")
READABLE = ("none", "read", "cut", "mid-stream", "tls", "not-seen")
STATUSES = ("read", "partial", "unreadable")
TRANSPORTS = ("tcp", "udp")
BOUND = ("none", "loopback", "one", "all")
EXCESS = ("none", "no other host may connect to it", "the host has a further address, which no zone has")
WAIVER_STATES = ("in-force", "expired", "pending", "undated")

COUNT = "count"
"""A name that every message may use: how many rows (flows, hosts …) the finding stands for."""
