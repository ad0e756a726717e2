"""The straight line from captures to a report: read, tie sessions together, judge, apply the rules, sum up."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from auditor import _native
from auditor.completion import completed, last_day, read_baseline, waived
from auditor.drift.baseline import against_baseline
from auditor.engine import findings as find_findings
from auditor.errors import UsageError
from auditor.flows import FlowTable
from auditor.hosts import summarise_hosts
from auditor.model import CaptureSummary, Finding, Report
from auditor.ndmp import NdmpMessages
from auditor.packs.load import load_pack
from auditor.packs.model import Pack
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
from auditor.tables import build_tables
from auditor.verdict import Coverage, limits, report_verdict, summary_sentence
from auditor.waivers.apply import summarise_uses
from auditor.waivers.load import load_waivers

Progress = Callable[[int, int], None]
"""Called now and then with bytes read and bytes in all."""


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """What an audit may be told beyond captures and policy.

    ``hash_files``: SHA-256 of each capture. ``waivers``: files of waivers, beside those that the policy names. ``as_of``:
    the day (UTC) on which waivers are judged; that of the last packet when not given, so that the same input gives the same
    report on any day. ``baseline``: an earlier report, saved as JSON.
    """

    hash_files: bool = False
    waivers: tuple[str, ...] = ()
    as_of: dt.date | None = None
    baseline: str | None = None


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
        There is no capture, or the baseline is no saved report.
    PolicyError
        The policy, or a services file that it names, cannot be used; with all complaints at once.
    WaiverError
        A file of waivers cannot be used; with all complaints at once.
    RuleError
        A rule or service file cannot be used.
    """
    return audit_flows(paths, policy_path=policy_path, options=options, progress=progress)[0]


def audit_flows(
    paths: Iterable[str | os.PathLike[str]],
    *,
    policy_path: str | os.PathLike[str] | None = None,
    options: AuditOptions | None = None,
    progress: Progress | None = None,
) -> tuple[Report, FlowTable]:
    """Audit captures as ``audit`` does, and return the flows that were judged beside the report."""
    options = options or AuditOptions()
    pack = load_pack([rules_folder() / "checks"])
    policy = None if policy_path is None else load_policy(os.fspath(policy_path))
    waivers = load_waivers((*(policy.waiver_files if policy else ()), *options.waivers), pack, policy)
    baseline = None if options.baseline is None else read_baseline(options.baseline)
    read_in = _tied(paths, policy, hash_files=options.hash_files, progress=progress)
    reading, policy, catalogue, sessions = read_in.reading, read_in.policy, read_in.catalogue, read_in.sessions
    table = read_in.table.reoriented(sessions.reversed)
    sessions, verdicts = _judged(table, sessions, policy, catalogue)
    found = apply_rules(table, sessions, verdicts, policy, reading.files, pack=pack)
    captures = tuple(map(_explained, summarise_captures(reading.files)))
    day = options.as_of or last_day(captures)
    found, uses = waived(pack, waivers, found, day, table)
    if baseline is not None:
        found = against_baseline(found, baseline.report)
    report = _report(captures, table, sessions, verdicts, policy, found)
    as_of = "" if day is None else str(day)
    return completed(replace(report, as_of=as_of, waivers=summarise_uses(uses)), pack, baseline), table


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
    policy: Policy | None,
    *,
    hash_files: bool = False,
    progress: Progress | None = None,
) -> _Tied:
    """Read captures and tie their sessions together."""
    names = _distinct(paths)
    if not names:
        raise UsageError("there is no capture to audit", fix="name at least one capture file")
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
    policy = None if policy_path is None else load_policy(os.fspath(policy_path))
    tied = _tied([path], policy, progress=progress)
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


def apply_rules(
    table: FlowTable,
    sessions: SessionSet,
    verdicts: Verdicts,
    policy: Policy,
    files: Sequence[_native.FileFacts],
    *,
    pack: Pack | None = None,
) -> tuple[Finding, ...]:
    """Return the findings of all rules, worst first. Raises RuleError where a rule file cannot be used."""
    pack = pack or load_pack([rules_folder() / "checks"])
    return tuple(find_findings(pack, build_tables(table, sessions, verdicts, policy, files), table))


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
