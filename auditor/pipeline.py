"""The straight line from captures to a report: read, tie sessions together, judge, apply the rules, sum up."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from auditor import _native
from auditor.controls import Judged, assess, load_controls
from auditor.engine import findings as find_findings
from auditor.errors import UsageError
from auditor.flows import FlowTable
from auditor.hosts import summarise_hosts
from auditor.model import CaptureSummary, Finding, Report, ReportVerdict
from auditor.ndmp import NdmpMessages
from auditor.packs.load import load_pack
from auditor.policy.control_ports import declared_ndmp_ports
from auditor.policy.infer import infer_policy
from auditor.policy.load import load_policy
from auditor.policy.match import VERDICTS, Verdicts, judge
from auditor.policy.model import DEFAULT_NDMP_PORT, Policy
from auditor.services import Catalogue, load_catalogue, rules_folder
from auditor.session_summary import summarise_sessions
from auditor.sessions import Readable, Rehearsal, SessionSet, find_sessions, rehearse_blind
from auditor.summary import (
    measure_coverage,
    summarise_captures,
    summarise_policy,
    summarise_services,
    summarise_terms,
)
from auditor.tables import Source, tables_of
from auditor.verdict import Coverage, limits, report_verdict, summary_sentence

Progress = Callable[[int, int], None]
"""Called now and then with bytes read and bytes in all."""


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """What an audit may be told beyond captures and policy. ``hash_files``: SHA-256 of each capture. ``rules``:
    folders of the site's own rules, beside those that the policy names."""

    hash_files: bool = False
    rules: tuple[str, ...] = ()


def audit(
    paths: Iterable[str | os.PathLike[str]],
    *,
    policy_path: str | os.PathLike[str] | None = None,
    options: AuditOptions | None = None,
    progress: Progress | None = None,
) -> Report:
    """Audit captures against a policy, or against the vendor's advice where none is given.

    A capture that cannot be read, or not to its end, is told in the report and never stops the others. An exception
    raised by ``progress`` stops the reading.

    Raises
    ------
    UsageError
        There is no capture.
    PolicyError
        The policy, or a services file that it names, cannot be used; with all complaints at once.
    RuleError
        A rule or service file cannot be used.
    """
    options = options or AuditOptions()
    read_in = _tied(paths, policy_path, hash_files=options.hash_files, progress=progress)
    reading, policy, catalogue, sessions = read_in.reading, read_in.policy, read_in.catalogue, read_in.sessions
    table = read_in.table.reoriented(sessions.reversed)
    sessions, verdicts = _judged(table, sessions, policy, catalogue)
    source = Source(table, sessions, verdicts, policy)
    folders = dict.fromkeys(map(Path, (*options.rules, *policy.rules)))
    pack = load_pack([rules_folder() / "checks", *folders])
    found = find_findings(pack.for_generation(catalogue.generation), tables_of(source, reading.files), table)
    captures = tuple(map(_explained, summarise_captures(reading.files)))
    report = _report(captures, table, sessions, verdicts, policy, found)
    judged = Judged(report.totals["judged_flows"], report.verdict is not ReportVerdict.INCONCLUSIVE, policy.inferred)
    return replace(
        report,
        capacity=tuple(load.facts for load in source.capacity),
        controls=assess(load_controls(), pack, found, judged),
    )


@dataclass(frozen=True, slots=True)
class _Tied:
    """Captures as read, with what they are held against, and their sessions."""

    reading: _native.Reading
    table: FlowTable
    policy: Policy
    catalogue: Catalogue
    sessions: SessionSet


def _tied(
    paths: Iterable[str | os.PathLike[str]],
    policy_path: str | os.PathLike[str] | None,
    *,
    hash_files: bool = False,
    progress: Progress | None = None,
) -> _Tied:
    """Read captures and tie their sessions together."""
    names = _distinct(paths)
    if not names:
        raise UsageError("there is no capture to audit", fix="name at least one capture file")
    policy = None if policy_path is None else load_policy(os.fspath(policy_path))
    catalogue = load_catalogue(policy.generation) if policy is not None else load_catalogue()
    reading = read(names, catalogue, policy, hash_files=hash_files, progress=progress)
    table, messages = FlowTable.from_reading(reading), NdmpMessages.from_reading(reading)
    policy = policy or infer_policy(table, messages, catalogue)
    sessions = find_sessions(
        table,
        messages,
        control_ports=declared_ndmp_ports(table, policy),
        service_ports=np.array(catalogue.known_ports(), np.uint16),
    )
    return _Tied(reading, table, policy, catalogue, sessions)


def rehearse(
    path: str | os.PathLike[str],
    *,
    policy_path: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Rehearsal:
    """Run the blind scorer beside the decoder on one capture; raises as ``audit`` does."""
    tied = _tied([path], policy_path, progress=progress)
    return rehearse_blind(tied.table, tied.sessions, np.array(tied.catalogue.known_ports(), np.uint16))


def read(
    paths: Sequence[str],
    catalogue: Catalogue,
    policy: Policy | None,
    *,
    hash_files: bool = False,
    progress: Progress | None = None,
) -> _native.Reading:
    """Read captures into flows and NDMP messages, in order of their first packets, whatever order they are named in."""
    return _native.read_flows(
        paths,
        known_ports=catalogue.known_ports(),
        ndmp_ports=policy.ndmp_ports() if policy is not None else (DEFAULT_NDMP_PORT,),
        hash_files=hash_files,
        # Python sees an interrupt only when the core comes back to it, so that it always must.
        progress=progress or _no_progress,
    )


def _judged(
    table: FlowTable, sessions: SessionSet, policy: Policy, catalogue: Catalogue
) -> tuple[SessionSet, Verdicts]:
    """Judge, take back what connections that no term lets in claim by hosts and time alone, and judge without it."""
    verdicts = judge(table, policy, catalogue, control=sessions.control, data=sessions.data)
    sound = sessions.without_claims(verdicts.verdict == VERDICTS.index("permit"))
    if sound is not sessions:
        verdicts = judge(table, policy, catalogue, control=sound.control, data=sound.data)
    return sound, verdicts


def _report(
    captures: tuple[CaptureSummary, ...],
    table: FlowTable,
    sessions: SessionSet,
    verdicts: Verdicts,
    policy: Policy,
    found: tuple[Finding, ...],
) -> Report:
    """Sum up."""
    coverage = measure_coverage(table, verdicts, sessions, sum(capture.packets for capture in captures))
    verdict = report_verdict(captures, found, coverage)
    held_against = summarise_policy(policy)
    unreadable = sum(session.readable is not Readable.READ for session in sessions.sessions)
    return Report(
        verdict=verdict,
        summary=summary_sentence(verdict, captures, found, coverage, held_against),
        policy=held_against,
        captures=captures,
        hosts=summarise_hosts(table, verdicts, sessions, policy),
        services=summarise_services(table, verdicts),
        sessions=summarise_sessions(table, sessions, policy),
        findings=found,
        terms=summarise_terms(verdicts),
        limits=(
            *limits(captures, found, coverage, held_against, unreadable_sessions=unreadable),
            *(f"{note.path}:{note.line}: {note.message}" for note in policy.notes),
        ),
        totals=_totals(captures, table, coverage),
        version=_native.__version__,
    )


def _totals(captures: Sequence[CaptureSummary], table: FlowTable, coverage: Coverage) -> dict[str, int]:
    return {
        "packets": coverage.packets,
        "bytes": sum(capture.bytes for capture in captures),
        "flows": len(table),
        "judged_flows": coverage.judged,
        "hosts": coverage.hosts,
        "control_connections": coverage.control,
        "data_connections": coverage.data,
    }


def _distinct(paths: Iterable[str | os.PathLike[str]]) -> list[str]:
    """Return the paths, each file once: what is counted twice would look like twice the traffic."""
    seen: dict[str, str] = {}
    for path in paths:
        name = os.fspath(path)
        seen.setdefault(os.path.realpath(name), name)
    return list(seen.values())


def _explained(capture: CaptureSummary) -> CaptureSummary:
    """Return the capture with a reason that tells what to do, where the operating system's word does not."""
    if capture.status != "unreadable" or not Path(capture.path).is_dir():
        return capture
    return replace(
        capture, error=f"is a directory; name the captures in it, for example {Path(capture.path) / '*.pcap*'}"
    )


def _no_progress(done: int, total: int) -> None:
    """Be called, and let Python see to its signals."""
