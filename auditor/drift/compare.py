"""Compares two saved reports: findings, hosts, services and terms that came, went or changed. Pure functions.

How much traffic there was is no drift: numbers of flows and sessions depend on how long was captured.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from auditor.drift.caveats import caveats
from auditor.model import Finding, HostSummary, Report, ServiceSummary, TermSummary
from auditor.model.comparison import Change, ComparedReport, Comparison, Count
from auditor.text import counted, joined, number, path_text

KINDS = ("findings", "hosts", "services", "terms")
_STATES = ("new", "changed", "gone")
_FIRST_DYNAMIC_PORT = 1024


def compare_reports(old: Report, new: Report, files: tuple[tuple[str, bytes], tuple[str, bytes]]) -> Comparison:
    """Return how ``new`` differs from ``old``; ``files`` are the names and bytes that they were read from."""
    dynamic = _data_ports(old) | _data_ports(new)
    changes, unchanged = {}, {}
    for kind, key, text in (
        ("findings", _finding_key, _finding_text),
        ("hosts", _host_key, _host_text),
        ("services", lambda row: _service_key(row, dynamic), lambda row: row.verdict),
        ("terms", _term_key, _term_text),
    ):
        before, after = (_indexed(getattr(report, kind), key, text) for report in (old, new))
        changes[kind] = _changes(before, after)
        unchanged[kind] = sum(before[name] == after[name] for name in before.keys() & after.keys())
    findings = _with_severities(changes["findings"], old, new)
    drift = any(changes.values())
    return Comparison(
        old=_compared(old, *files[0]),
        new=_compared(new, *files[1]),
        drift=drift,
        summary=_summary(changes) if drift else f"NO DRIFT: {_same(unchanged)}",
        caveats=caveats(old, new),
        findings=findings,
        hosts=changes["hosts"],
        services=changes["services"],
        terms=changes["terms"],
        counts=_counts(old, new),
        unchanged=unchanged,
    )


def _indexed(rows: Iterable[object], key: Callable[..., str], text: Callable[..., str]) -> dict[str, str]:
    """Return what is said of each row, by what it is about; several rows about the same are said together."""
    found: dict[str, list[str]] = {}
    for row in rows:
        said = found.setdefault(key(row), [])
        if text(row) not in said:
            said.append(text(row))
    return {name: ", ".join(sorted(said)) for name, said in found.items()}


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Change, ...]:
    """Return what is new, then what changed, then what is gone, each in the order of its report."""
    new = [Change("new", name, "", said) for name, said in after.items() if name not in before]
    changed = [
        Change("changed", name, before[name], said)
        for name, said in after.items()
        if name in before and before[name] != said
    ]
    gone = [Change("gone", name, said, "") for name, said in before.items() if name not in after]
    return (*new, *changed, *gone)


def _finding_key(finding: Finding) -> str:
    return finding.key


def _finding_text(finding: Finding) -> str:
    return f"{finding.severity.word}{', waived' if finding.waived else ''}"


def _host_key(host: HostSummary) -> str:
    return host.address


def _host_text(host: HostSummary) -> str:
    return f"{host.zone}: {joined(sorted(host.process_roles)) or 'no role seen'}"


def _service_key(row: ServiceSummary, dynamic: frozenset[int]) -> str:
    """Return a service with port and direction. Ports that are taken anew for each connection are not told apart."""
    single = row.port.isascii() and row.port.isdecimal() and int(row.port) not in dynamic
    unknown = not row.process and not row.term and row.verdict == "unstated" and single
    fixed = single and not (unknown and int(row.port) >= _FIRST_DYNAMIC_PORT)
    return f"{row.service}, {row.transport}{f' {row.port}' if fixed else ''}, {row.direction}"


def _data_ports(report: Report) -> frozenset[int]:
    """Return the ports on which data connections were taken."""
    ends = (
        data.responder.rpartition(":")[2] for session in report.sessions for data in (*session.data, *session.attempts)
    )
    return frozenset(int(port) for port in ends if port.isascii() and port.isdecimal())


def _term_key(term: TermSummary) -> str:
    return f"{term.name}: {term.text}"


def _term_text(term: TermSummary) -> str:
    return "exercised" if term.flows else "not exercised"


def _with_severities(changes: Iterable[Change], old: Report, new: Report) -> tuple[Change, ...]:
    """Return the changes of findings with their messages and severities, the gravest of each state first."""
    known = {finding.key: finding for report in (old, new) for finding in report.findings}
    told = []
    for change in changes:
        finding = known[change.what]
        what = f"{finding.code}: {finding.message}"
        made = Change(change.state, what, change.before, change.after, finding.severity.word)
        told.append((_STATES.index(change.state), -finding.severity, finding.key, made))
    return tuple(made for *_, made in sorted(told, key=lambda row: row[:3]))


def _counts(old: Report, new: Report) -> tuple[Count, ...]:
    """Return how many sessions, data connections and operations by their ends both reports have."""
    before, after = _numbers(old), _numbers(new)
    order = [*before, *(name for name in after if name not in before)]
    return tuple(Count(name, before.get(name, 0), after.get(name, 0)) for name in order)


def _numbers(report: Report) -> dict[str, int]:
    ends = Counter(job.outcome for session in report.sessions for job in session.jobs)
    return {
        "control connections": len(report.sessions),
        "data connections": sum(len(session.data) for session in report.sessions),
        "data connections that failed": sum(len(session.attempts) for session in report.sessions),
        **{f"operations: {outcome}": ends[outcome] for outcome in sorted(ends)},
    }


def _compared(report: Report, path: str, data: bytes) -> ComparedReport:
    policy = report.policy
    return ComparedReport(
        path=path_text(path),
        sha256=hashlib.sha256(data).hexdigest(),
        verdict=report.verdict.value,
        summary=report.summary,
        version=report.version,
        generation=policy.generation,
        policy="none, roles inferred" if policy.inferred else policy.path or "as declared",
        captures=tuple(capture.path for capture in report.captures),
        first=min((capture.first for capture in report.captures if capture.first), default=None),
        last=max((capture.last for capture in report.captures if capture.last), default=None),
    )


def _summary(changes: Mapping[str, tuple[Change, ...]]) -> str:
    """Return ``DRIFT: findings 1 new, 2 gone; hosts 1 changed``."""
    parts = []
    for kind in KINDS:
        states = Counter(change.state for change in changes[kind])
        if states:
            parts.append(
                f"{kind} {', '.join(f'{number(states[state])} {state}' for state in _STATES if states[state])}"
            )
    return f"DRIFT: {'; '.join(parts)}"


def _same(unchanged: Mapping[str, int]) -> str:
    return f"{', '.join(counted(unchanged[kind], kind[:-1]) for kind in KINDS)}, all as before"
