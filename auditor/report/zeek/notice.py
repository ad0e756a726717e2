"""notice.log: a line for each finding, as Zeek's notice framework would write it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from auditor.community_id import community_id
from auditor.model import Finding, Report, SessionSummary
from auditor.report.acceptance import acceptance
from auditor.report.interface import RenderOptions
from auditor.report.packet_places import Places
from auditor.report.places import first_and_last, proof_line, split_end
from auditor.report.zeek import EMPTY, UNSET, log_pieces, text, time_text

FIELDS = (
    ("ts", "time"), ("uid", "string"), ("id.orig_h", "addr"), ("id.orig_p", "port"), ("id.resp_h", "addr"),
    ("id.resp_p", "port"), ("fuid", "string"), ("file_mime_type", "string"), ("file_desc", "string"),
    ("proto", "enum"), ("note", "enum"), ("msg", "string"), ("sub", "string"), ("src", "addr"), ("dst", "addr"),
    ("p", "port"), ("n", "count"), ("peer_descr", "string"), ("actions", "set[enum]"), ("suppress_for", "interval"),
    ("community_id", "string"), ("auditor_severity", "string"), ("auditor_key", "string"),
    ("auditor_waiver", "string"), ("auditor_baseline", "string"),
)  # fmt: skip


def render(report: Report, options: RenderOptions) -> bytes:  # noqa: ARG001 - the interface of all formats
    """Return the log."""
    return b"".join(log_pieces("notice", FIELDS, _rows(report)))


def _rows(report: Report) -> Iterator[tuple[str, ...]]:
    begun, places = _moments(report.sessions), Places(report)
    last = first_and_last(report)[1] or ""
    for finding in report.findings:
        proof = finding.evidence[0] if finding.evidence else None
        ends = [split_end(end) for end in (proof.flow.originator, proof.flow.responder)] if proof else [None, None]
        (orig, orig_port), (resp, resp_port) = ((end[0], str(end[1])) if end else (UNSET, UNSET) for end in ends)
        moment = begun.get((proof.flow.originator, proof.flow.responder), last) if proof else last
        identity = community_id(proof.flow.transport, proof.flow.originator, proof.flow.responder) if proof else ""
        yield (
            time_text(_nanoseconds(moment)), UNSET, orig, orig_port, resp, resp_port, UNSET, UNSET, UNSET,
            _protocol(proof.flow.transport) if proof else UNSET, f"Auditor::{_note(finding)}", text(finding.message),
            text(proof_line(proof, places)) if proof else UNSET, orig, resp, resp_port, str(finding.flows), text("auditor"),
            EMPTY if finding.waived else "Notice::ACTION_LOG", UNSET, identity or UNSET, finding.severity.word,
            text(finding.key), text(acceptance(finding)) if finding.waiver else UNSET, finding.baseline_state or UNSET,
        )  # fmt: skip


def _moments(sessions: tuple[SessionSummary, ...]) -> dict[tuple[str, str], str]:
    """Return when the connections of sessions began, by their ends; of other flows the report does not tell."""
    found = {(one.control.originator, one.control.responder): one.control.first for one in sessions}
    for session in sessions:
        found |= {(data.originator, data.responder): data.first for data in (*session.data, *session.attempts)}
    return {ends: first for ends, first in found.items() if first}


def _nanoseconds(moment: str) -> int:
    """Return an RFC 3339 time in ns since 1970, 0 for what is none."""
    try:
        whole, _, fraction = moment.removesuffix("Z").partition(".")
        return int(datetime.fromisoformat(f"{whole}+00:00").timestamp()) * 1_000_000_000 + int(f"{fraction:0<9.9}" or 0)
    except ValueError:
        return 0


def _protocol(transport: str) -> str:
    return {"tcp": "tcp", "udp": "udp", "icmp": "icmp", "icmp6": "icmp"}.get(transport, "unknown_transport")


def _note(finding: Finding) -> str:
    """Return code and name as Zeek names a kind of notice: ``BX301_data_port_outside_range``."""
    name = f"{finding.code}_{finding.name}"
    return "".join(character if character.isascii() and character.isalnum() else "_" for character in name)
