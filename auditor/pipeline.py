"""The straight line from captures to a report: read, tie sessions together, judge, apply the rules, sum up."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from auditor import _native
from auditor.engine import findings as find_findings
from auditor.errors import UsageError
from auditor.flow_export import flow_rows
from auditor.flows import FlowTable
from auditor.handshakes import Handshakes
from auditor.hosts import summarise_hosts
from auditor.inputs import expand
from auditor.listeners import Listing, read_listing
from auditor.model import CaptureSummary, Finding, Quality, Report
from auditor.ndmp import NdmpMessages
from auditor.packs.load import load_pack
from auditor.packs.model import Pack
from auditor.policy.control_ports import declared_ndmp_ports
from auditor.policy.infer import infer_policy
from auditor.policy.load import load_policy
from auditor.policy.match import VERDICTS, Verdicts, judge
from auditor.policy.model import DEFAULT_NDMP_PORT, Policy, normalised
from auditor.quality import quality_limits, summarise_quality, weaken
from auditor.services import Catalogue, load_catalogue, rules_folder
from auditor.session_summary import summarise_sessions
from auditor.sessions import Readable, Rehearsal, SessionSet, find_sessions, rehearse_blind
from auditor.summary import (
    measure_coverage,
    summarise_captures,
    summarise_policy,
    summarise_rules,
    summarise_services,
    summarise_terms,
)
from auditor.tables import build_tables
from auditor.text import joined
from auditor.traffic_names import TrafficNames
from auditor.verdict import Coverage, limits, report_verdict, summary_sentence

Progress = Callable[[int, int], None]
"""Called now and then with bytes read and bytes in all."""


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """What an audit may be told beyond captures and policy. ``hash_files``: SHA-256 of each capture.

    ``flows``: whether the report has its flows; they take the memory of the flow table for as long as the report lives.
    ``keep_duplicates``: a packet counts as often as it was captured. ``vantage``: where the captures were taken, a key
    of ``auditor.model.quality.VANTAGES``; without it, that is inferred. ``sockets``: listings of listening sockets, each
    with the host that printed it: an address, or a name that the policy gives it.
    """

    hash_files: bool = False
    flows: bool = True
    keep_duplicates: bool = False
    vantage: str | None = None
    sockets: tuple[tuple[str, str], ...] = ()


def audit(
    paths: Iterable[str | os.PathLike[str]],
    *,
    policy_path: str | os.PathLike[str] | None = None,
    options: AuditOptions | None = None,
    progress: Progress | None = None,
) -> Report:
    """Audit captures against a policy, or against the vendor's advice where none is given.

    A folder means the captures in it, a pattern those that match. A capture that cannot be read, or not to its end, is told in the report and never stops the others. An exception
    raised by ``progress`` stops the reading.

    Raises
    ------
    UsageError
        There is no capture, or none matches a pattern.
    PolicyError
        The policy, or a services file that it names, cannot be used; with all complaints at once.
    RuleError
        A rule or service file cannot be used.
    """
    options = options or AuditOptions()
    listings = tuple(read_listing(path, host) for host, path in options.sockets)
    read_in = _tied(paths, policy_path, options=options, progress=progress)
    reading, policy, catalogue, sessions = read_in.reading, read_in.policy, read_in.catalogue, read_in.sessions
    table = read_in.table.reoriented(sessions.reversed)
    sessions, verdicts = _judged(table, sessions, policy, catalogue)
    listings = _placed(listings, policy)
    quality = summarise_quality(reading.files, table, verdicts, options.vantage)
    pack = load_pack([rules_folder() / "checks"])
    found = weaken(apply_rules(pack, table, sessions, verdicts, policy, reading.files, listings), quality)
    captures = tuple(map(_explained, summarise_captures(reading.files)))
    names = TrafficNames(reading)
    names.add_ndmp(table, read_in.messages, sessions.sessions)
    report = _report(captures, table, sessions, verdicts, policy, found, quality)
    return replace(
        report,
        hosts=summarise_hosts(table, verdicts, sessions, policy, names, listings),
        sessions=summarise_sessions(table, sessions, policy, Handshakes(reading)),
        rules=summarise_rules(pack, found),
        flows=flow_rows(table, sessions, verdicts) if options.flows else None,
    )


@dataclass(frozen=True, slots=True)
class _Tied:
    """Captures as read, with what they are held against, and their sessions."""

    reading: _native.Reading
    table: FlowTable
    policy: Policy
    catalogue: Catalogue
    sessions: SessionSet
    messages: NdmpMessages


def _tied(
    paths: Iterable[str | os.PathLike[str]],
    policy_path: str | os.PathLike[str] | None,
    *,
    options: AuditOptions | None = None,
    progress: Progress | None = None,
) -> _Tied:
    """Read captures and tie their sessions together."""
    names = expand(paths)
    if not names:
        raise UsageError("there is no capture to audit", fix="name at least one capture file")
    policy = None if policy_path is None else load_policy(os.fspath(policy_path))
    catalogue = load_catalogue(policy.generation) if policy is not None else load_catalogue()
    reading = read(names, catalogue, policy, options=options, progress=progress)
    table, messages = FlowTable.from_reading(reading), NdmpMessages.from_reading(reading)
    policy = policy or infer_policy(table, messages, catalogue)
    sessions = find_sessions(
        table,
        messages,
        control_ports=declared_ndmp_ports(table, policy),
        service_ports=np.array(catalogue.known_ports(), np.uint16),
        handshakes=Handshakes(reading),
    )
    return _Tied(reading, table, policy, catalogue, sessions, messages)


def rehearse(
    path: str | os.PathLike[str],
    *,
    policy_path: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Rehearsal:
    """Run the blind scorer beside the decoder on one capture; raises as ``audit`` does."""
    tied = _tied([path], policy_path, progress=progress)
    ports = np.array(tied.catalogue.known_ports(), np.uint16)
    return rehearse_blind(tied.table, NdmpMessages.from_reading(tied.reading), tied.sessions, ports)


def read(
    paths: Sequence[str],
    catalogue: Catalogue,
    policy: Policy | None,
    *,
    options: AuditOptions | None = None,
    progress: Progress | None = None,
) -> _native.Reading:
    """Read captures into flows and NDMP messages, in order of their first packets, whatever order they are named in."""
    return _native.read_flows(
        paths,
        known_ports=catalogue.known_ports(),
        ndmp_ports=policy.ndmp_ports() if policy is not None else (DEFAULT_NDMP_PORT,),
        hash_files=bool(options and options.hash_files),
        keep_duplicates=bool(options and options.keep_duplicates),
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
    pack: Pack,
    table: FlowTable,
    sessions: SessionSet,
    verdicts: Verdicts,
    policy: Policy,
    files: Sequence[_native.FileFacts],
    listings: Sequence[Listing] = (),
) -> tuple[Finding, ...]:
    """Return the findings of all rules, worst first."""
    return tuple(find_findings(pack, build_tables(table, sessions, verdicts, policy, files, listings), table))


def _report(
    captures: tuple[CaptureSummary, ...],
    table: FlowTable,
    sessions: SessionSet,
    verdicts: Verdicts,
    policy: Policy,
    found: tuple[Finding, ...],
    quality: Quality,
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
        hosts=(),
        services=summarise_services(table, verdicts),
        sessions=(),
        findings=found,
        terms=summarise_terms(verdicts, policy),
        limits=(
            *limits(captures, found, coverage, held_against, unreadable_sessions=unreadable),
            *quality_limits(quality),
            *(f"{note.path}:{note.line}: {note.message}" for note in policy.notes),
        ),
        totals=_totals(captures, table, coverage),
        version=_native.__version__,
        quality=quality,
    )


def _placed(listings: Sequence[Listing], policy: Policy) -> tuple[Listing, ...]:
    """Return listings with the addresses of their hosts. Raises UsageError for a name that the policy does not give."""
    names = {host.name: host.address for host in policy.hosts.values() if host.name}
    placed = []
    for listing in listings:
        try:
            address = names.get(listing.host) or str(normalised(listing.host))
        except ValueError:
            known = joined(sorted(names), last="or") if names else "no name is given to a host of this policy"
            raise UsageError(
                f'--sockets: "{listing.host}" is no address, nor the name of a host in the policy',
                fix=f"write an address; names: {known}",
            ) from None
        placed.append(replace(listing, host=address))
    return tuple(placed)


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


def _explained(capture: CaptureSummary) -> CaptureSummary:
    """Return the capture with a reason that tells what to do, where the operating system's word does not."""
    if capture.status != "unreadable" or not Path(capture.path).is_dir():
        return capture
    return replace(
        capture, error="is a directory in which no capture was found; name one that holds captures, or name them"
    )


def _no_progress(done: int, total: int) -> None:
    """Be called, and let Python see to its signals."""
