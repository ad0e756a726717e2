"""conn.log: a line for each flow, with what the policy says of it behind Zeek's own columns."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Iterator
from hashlib import sha1
from typing import Any

from auditor.model import FlowRows, Report
from auditor.report.interface import RenderOptions
from auditor.report.zeek import UNSET, log_pieces, text, time_text

FIELDS = (
    ("ts", "time"), ("uid", "string"), ("id.orig_h", "addr"), ("id.orig_p", "port"), ("id.resp_h", "addr"),
    ("id.resp_p", "port"), ("proto", "enum"), ("service", "string"), ("duration", "interval"),
    ("orig_bytes", "count"), ("resp_bytes", "count"), ("conn_state", "string"), ("local_orig", "bool"),
    ("local_resp", "bool"), ("missed_bytes", "count"), ("history", "string"), ("orig_pkts", "count"),
    ("orig_ip_bytes", "count"), ("resp_pkts", "count"), ("resp_ip_bytes", "count"),
    ("tunnel_parents", "set[string]"), ("community_id", "string"), ("auditor_service", "string"),
    ("auditor_outcome", "string"), ("auditor_verdict", "string"), ("auditor_term", "string"),
)  # fmt: skip
"""Zeek's columns in Zeek's order, the one of its Community ID package, and four of ours."""

_NEEDED = (
    "first_time", "last_time", "community_id", "orig_addr", "orig_port", "resp_addr", "resp_port", "transport", "app",
    "orig_payload", "resp_payload", "state", "orig_missed", "resp_missed", "history", "orig_packets", "resp_packets",
    "service", "outcome", "verdict", "term", "first_packet", "first_file",
)  # fmt: skip
_TELLING = (
    "orig_addr", "orig_port", "resp_addr", "resp_port", "transport", "first_time", "first_packet", "first_file",
)  # fmt: skip
"""What tells a flow from all others."""

_APPS = {"tls": "ssl", "dcerpc": "dce_rpc"}
"""What Zeek calls a protocol where it is another word."""


def render(report: Report, options: RenderOptions) -> bytes:
    """Return the log."""
    return b"".join(pieces(report, options))


def pieces(report: Report, options: RenderOptions) -> Iterator[bytes]:  # noqa: ARG001 - the interface of all formats
    """Yield the log piece by piece."""
    yield from log_pieces("conn", FIELDS, _rows(report.flows or FlowRows(0, (), {})))


def _rows(flows: FlowRows) -> Iterator[tuple[str, ...]]:
    if not len(flows):
        return
    for values in flows.rows(_NEEDED):
        yield _row(dict(zip(_NEEDED, values, strict=True)))


def _row(flow: dict[str, Any]) -> tuple[str, ...]:
    span = flow["last_time"] - flow["first_time"]
    transport = flow["transport"]
    app = flow["app"]
    return (
        time_text(flow["first_time"]),
        _uid(flow),
        flow["orig_addr"],
        str(flow["orig_port"]),
        flow["resp_addr"],
        str(flow["resp_port"]),
        "icmp" if transport == "icmp6" else transport if transport in ("tcp", "udp", "icmp") else "unknown_transport",
        UNSET if app == "unknown" else text(_APPS.get(app, app)),
        time_text(span) if span else UNSET,
        str(flow["orig_payload"]),
        str(flow["resp_payload"]),
        flow["state"],
        UNSET,
        UNSET,
        str(flow["orig_missed"] + flow["resp_missed"]),
        flow["history"] or UNSET,
        str(flow["orig_packets"]),
        # Frames are counted with their link header: Zeek's number, without it, is another.
        UNSET,
        str(flow["resp_packets"]),
        UNSET,
        UNSET,
        flow["community_id"] or UNSET,
        *(text(flow[name]) if flow[name] else UNSET for name in ("service", "outcome", "verdict", "term")),
    )


def _uid(flow: dict[str, Any]) -> str:
    """Return a name of Zeek's form that is the same in another run: ``C`` and 17 letters and digits."""
    seed = "\x1f".join(str(flow[name]) for name in _TELLING).encode("utf-8", "backslashreplace")
    letters = b2a_base64(sha1(seed, usedforsecurity=False).digest(), newline=False).decode()
    return f"C{letters.translate(_WITHOUT_SIGNS)[:17]}"


_WITHOUT_SIGNS = str.maketrans("+/=", "xyz")
