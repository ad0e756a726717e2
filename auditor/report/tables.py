"""A report as plain tables, for formats that are made of such: CSV and XLSX. One place decides what a column is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from auditor.community_id import community_id
from auditor.model import Finding, Report, Severity
from auditor.records import record
from auditor.report.packet_places import Places

TEXT, NUMBER, TIME, FLAG = "text", "number", "time", "flag"

_PACKETS = 100
"""Packets of a proof that are named with their files; of one capture there is nothing to name."""

_Columns = tuple[tuple[str, str], ...]


@record
class Table:
    """``columns``: name and kind (``text``, ``number``, ``time``, ``flag``); ``rows`` may be walked through once.

    Times are RFC 3339 text, or whole nanoseconds since 1970; any value may be None.
    """

    name: str
    columns: _Columns
    rows: Iterable[tuple[Any, ...]]


def tables(report: Report) -> Iterator[Table]:
    """Yield the tables of a report, flows last and only where the report has them."""
    yield Table("summary", (("item", TEXT), ("value", TEXT)), _summary(report))
    yield findings_table(report)
    for name, (columns, rows) in _PARTS.items():
        yield Table(name, columns, rows(report))
    flows = flows_table(report)
    if flows is not None:
        yield flows


def findings_table(report: Report) -> Table:
    """Return the findings, one row each."""
    columns = (
        ("severity", TEXT), ("code", TEXT), ("title", TEXT), ("message", TEXT), ("subject", TEXT), ("flows", NUMBER),
        ("waived", FLAG), ("consequence", TEXT), ("remedy", TEXT), ("term", TEXT), ("nearest_term", TEXT),
        ("capture", TEXT), ("packets", TEXT), ("key", TEXT), ("baseline", TEXT), ("waived_by", TEXT), ("waived_until", TEXT),
        ("waived_because", TEXT), ("ticket", TEXT), ("in_files", TEXT),
    )  # fmt: skip
    return Table("findings", columns, _findings(report))


def flows_table(report: Report) -> Table | None:
    """Return the flows, None where the report has none."""
    if report.flows is None:
        return None
    kinds = {"word": TEXT, "text": TEXT, "number": NUMBER, "time": TIME, "flag": FLAG}
    columns = tuple((field.name, kinds[field.kind]) for field in report.flows.fields)
    return Table("flows", columns, report.flows.rows())


def _summary(report: Report) -> Iterator[tuple[str, str | int]]:
    yield "verdict", report.verdict.value
    yield "summary", report.summary
    yield "policy", report.policy.path or "none: roles were inferred from the traffic"
    yield "product generation", report.policy.generation
    for severity in sorted(Severity, reverse=True):
        yield f"findings, {severity.word}", sum(one.severity is severity for one in report.findings)
    yield "findings waived", sum(one.waived for one in report.findings)
    for name, value in report.totals.items():
        yield name.replace("_", " "), value
    for limit in report.limits:
        yield "limit", limit
    if report.flows is None:
        yield "limit", "Flows are not shown: a saved report does not hold them."
    yield "made with", f"auditor {report.version}"


def _findings(report: Report) -> Iterator[tuple[Any, ...]]:
    places = Places(report)
    for one in report.findings:
        proof = one.evidence[0] if one.evidence else None
        yield (
            one.severity.word, one.code, one.title, one.message,
            ", ".join(f"{name} {value}" for name, value in one.subject.items()), one.flows, one.waived,
            one.consequence, one.remedy, one.term, one.nearest, proof.capture if proof else "",
            ", ".join(map(str, proof.packets)) if proof else "", one.key, one.baseline_state, *_waiver(one),
            places.text(proof, limit=_PACKETS) if proof else "",
        )  # fmt: skip


def _waiver(finding: Finding) -> tuple[str, ...]:
    one = finding.waiver
    return ("", "", "", "") if one is None else (one.owner, one.expires, one.reason, one.ticket)


def _evidence(report: Report) -> Iterator[tuple[Any, ...]]:
    places = Places(report)
    for finding in report.findings:
        for one in finding.evidence:
            flow = one.flow
            yield (
                finding.key, finding.code, flow.transport, flow.originator, flow.responder, one.capture,
                ", ".join(map(str, one.packets)), one.note,
                community_id(flow.transport, flow.originator, flow.responder), places.text(one, limit=_PACKETS),
            )  # fmt: skip


def _sessions(report: Report) -> Iterator[tuple[Any, ...]]:
    for number, one in enumerate(report.sessions, 1):
        control = one.control
        yield (
            number, control.originator, control.responder, control.first or None, control.last or None, control.state,
            control.capture, control.first_packet, control.last_packet, one.ndmp_version, one.readable, one.tls,
            ", ".join(one.operations), ", ".join(_login(login.type, login.accepted) for login in one.authentication),
            len(one.data), len(one.attempts), one.ended, one.story,
        )  # fmt: skip


def _login(kind: str, accepted: bool | None) -> str:
    return f"{kind} {'unanswered' if accepted is None else 'accepted' if accepted else 'refused'}"


def _data(report: Report) -> Iterator[tuple[Any, ...]]:
    for number, session in enumerate(report.sessions, 1):
        for failed, connections in ((False, session.data), (True, session.attempts)):
            for one in connections:
                ends = "; ".join(
                    f"{end.host} {end.side} on {end.port}"
                    + ("" if end.inside is None else f", {'inside' if end.inside else 'outside'} {end.declared}")
                    for end in one.ends
                )
                yield (
                    number, one.originator, one.responder, one.first or None, one.last or None, one.grade, failed,
                    one.state, one.originator_bytes, one.responder_bytes, one.capture, one.first_packet, ends,
                    "; ".join(one.because),
                )  # fmt: skip


def _jobs(report: Report) -> Iterator[tuple[Any, ...]]:
    for number, session in enumerate(report.sessions, 1):
        for one in session.jobs:
            yield (
                number, one.operation, one.outcome, one.reason, one.name, one.file_system, one.host, one.account,
                one.first or None, one.last or None, one.from_server_bytes, one.to_server_bytes, one.counted_bytes,
                one.bytes_per_second,
            )  # fmt: skip


def _undecided(report: Report) -> Iterator[tuple[Any, ...]]:
    for one in report.undecided:
        yield (
            one.originator, one.responder, one.first or None, one.last or None, one.reason, one.candidates,
            "; ".join(f"{control.originator} > {control.responder}" for control in one.controls), one.state,
            one.originator_bytes, one.responder_bytes, one.capture, one.first_packet, one.last_packet,
        )  # fmt: skip


def _controls(report: Report) -> Iterator[tuple[Any, ...]]:
    """Yield each control with the rules that speak of it; that none found anything proves nothing by itself."""
    for control in sorted({control for rule in report.rules for control in rule.controls}):
        rules = [rule for rule in report.rules if control in rule.controls]
        yield (
            control,
            len(rules),
            sum(rule.findings for rule in rules),
            ", ".join(rule.code for rule in rules if rule.findings),
            ", ".join(rule.code for rule in rules),
        )


_PARTS: dict[str, tuple[_Columns, Callable[[Report], Iterable[tuple[Any, ...]]]]] = {
    "evidence": (
        (
            ("finding_key", TEXT), ("code", TEXT), ("transport", TEXT), ("originator", TEXT), ("responder", TEXT),
            ("capture", TEXT), ("packets", TEXT), ("note", TEXT), ("community_id", TEXT),
            ("in_files", TEXT),
        ),
        _evidence,
    ),
    "sessions": (
        (
            ("session", NUMBER), ("originator", TEXT), ("responder", TEXT), ("first", TIME), ("last", TIME),
            ("state", TEXT), ("capture", TEXT), ("first_packet", NUMBER), ("last_packet", NUMBER),
            ("ndmp_version", NUMBER), ("readable", TEXT), ("tls", FLAG), ("operations", TEXT),
            ("authentication", TEXT), ("data_connections", NUMBER), ("failed_attempts", NUMBER), ("ended", TEXT),
            ("story", TEXT),
        ),
        _sessions,
    ),
    "data": (
        (
            ("session", NUMBER), ("originator", TEXT), ("responder", TEXT), ("first", TIME), ("last", TIME),
            ("grade", TEXT), ("failed", FLAG), ("state", TEXT), ("originator_bytes", NUMBER),
            ("responder_bytes", NUMBER), ("capture", TEXT), ("first_packet", NUMBER), ("ends", TEXT),
            ("because", TEXT),
        ),
        _data,
    ),
    "jobs": (
        (
            ("session", NUMBER), ("operation", TEXT), ("outcome", TEXT), ("reason", TEXT), ("name", TEXT),
            ("file_system", TEXT), ("host", TEXT), ("account", TEXT), ("first", TIME), ("last", TIME),
            ("from_server_bytes", NUMBER), ("to_server_bytes", NUMBER), ("counted_bytes", NUMBER),
            ("bytes_per_second", NUMBER),
        ),
        _jobs,
    ),
    "undecided": (
        (
            ("originator", TEXT), ("responder", TEXT), ("first", TIME), ("last", TIME), ("reason", TEXT),
            ("candidates", NUMBER), ("control_connections", TEXT), ("state", TEXT), ("originator_bytes", NUMBER),
            ("responder_bytes", NUMBER), ("capture", TEXT), ("first_packet", NUMBER), ("last_packet", NUMBER),
        ),
        _undecided,
    ),
    "hosts": (
        (
            ("address", TEXT), ("name", TEXT), ("zone", TEXT), ("process_roles", TEXT), ("operations", NUMBER),
            ("peak_operations", NUMBER), ("ports_per_operation", NUMBER), ("because", TEXT),
        ),
        lambda report: (
            (
                one.address, one.name, one.zone, ", ".join(one.process_roles), one.operations, one.peak_operations,
                one.ports_per_operation, "; ".join(one.because),
            )
            for one in report.hosts
        ),
    ),
    "services": (
        (
            ("service", TEXT), ("process", TEXT), ("transport", TEXT), ("port", TEXT), ("originator_zone", TEXT),
            ("responder_zone", TEXT), ("verdict", TEXT), ("term", TEXT), ("flows", NUMBER), ("packets", NUMBER),
            ("bytes", NUMBER), ("note", TEXT),
        ),
        lambda report: (
            (
                one.service, one.process, one.transport, one.port, one.originator_zone, one.responder_zone,
                one.verdict, one.term, one.flows, one.packets, one.bytes, one.note,
            )
            for one in report.services
        ),
    ),
    "terms": (
        (
            ("term", TEXT), ("text", TEXT), ("action", TEXT), ("origin", TEXT), ("flows", NUMBER), ("path", TEXT),
            ("line", NUMBER),
        ),
        lambda report: (
            (one.name, one.text, one.action, one.origin, one.flows, one.path, one.line or None) for one in report.terms
        ),
    ),
    "rules": (
        (
            ("code", TEXT), ("name", TEXT), ("title", TEXT), ("severity", TEXT), ("findings", NUMBER),
            ("controls", TEXT), ("why", TEXT),
        ),
        lambda report: (
            (one.code, one.name, one.title, one.severity.word, one.findings, ", ".join(one.controls), one.why)
            for one in report.rules
        ),
    ),
    "controls": (
        (
            ("control", TEXT), ("rules", NUMBER), ("findings", NUMBER), ("rules_with_findings", TEXT),
            ("all_rules", TEXT),
        ),
        _controls,
    ),
    "waivers": (
        (
            ("code", TEXT), ("name", TEXT), ("covers", TEXT), ("owner", TEXT), ("since", TEXT), ("expires", TEXT),
            ("state", TEXT), ("findings", NUMBER), ("reason", TEXT), ("ticket", TEXT), ("place", TEXT),
        ),
        lambda report: (
            (
                one.code, one.name, one.covers, one.owner, one.since, one.expires, one.state, one.findings, one.reason,
                one.ticket, one.place,
            )
            for one in report.waivers
        ),
    ),
    "gone": (
        (("severity", TEXT), ("code", TEXT), ("message", TEXT), ("waived", FLAG), ("key", TEXT)),
        lambda report: (
            (one.severity.word, one.code, one.message, one.waived, one.key)
            for one in (report.baseline.gone if report.baseline else ())
        ),
    ),
    "captures": (
        (
            ("path", TEXT), ("status", TEXT), ("format", TEXT), ("packets", NUMBER), ("bytes", NUMBER),
            ("first", TIME), ("last", TIME), ("snaplen", NUMBER), ("drops", NUMBER), ("problems", TEXT),
            ("error", TEXT), ("sha256", TEXT),
        ),
        lambda report: (
            (
                one.path, one.status, one.format, one.packets, one.bytes, one.first, one.last, one.snaplen, one.drops,
                ", ".join(f"{name} {count}" for name, count in one.problems.items()), one.error, one.sha256,
            )
            for one in report.captures
        ),
    ),
}  # fmt: skip
"""Name of a table -> its columns and where its rows come from, in the order in which they are shown."""
