"""From sessions, verdicts and findings to the report."""

from __future__ import annotations

import os
from collections.abc import Sequence

from auditor import _native
from auditor.controls import Judged, assess, load_controls
from auditor.flows import FlowTable
from auditor.handshakes import Handshakes
from auditor.hosts import summarise_hosts
from auditor.listeners import Listing
from auditor.model import CaptureSummary, Finding, FlowRows, Quality, Report, ReportVerdict
from auditor.packet_runs import placed
from auditor.packs.model import Pack
from auditor.pipeline.judging import Tied
from auditor.policy.match import VERDICTS, Verdicts
from auditor.quality import lacking, quality_limits
from auditor.records import replace
from auditor.session_summary import summarise_sessions
from auditor.sessions import Readable
from auditor.summary import (
    measure_coverage,
    summarise_captures,
    summarise_policy,
    summarise_rules,
    summarise_services,
    summarise_terms,
)
from auditor.tables import Source
from auditor.text import path_text
from auditor.traffic_names import TrafficNames
from auditor.undecided_summary import summarise_undecided, undecided_limit, undetermined_limit
from auditor.verdict import Coverage, limits, report_verdict, summary_sentence


def summarised_captures(tied: Tied) -> tuple[CaptureSummary, ...]:
    """Return the captures as read, each that could not be with a reason that tells what to do."""
    return tuple(map(_explained, summarise_captures(tied.reading.files)))


def sum_up(
    tied: Tied,
    source: Source,
    pack: Pack,
    found: tuple[Finding, ...],
    quality: Quality,
    *,
    listings: Sequence[Listing] = (),
    flows: bool = True,
    lost: int = 0,
) -> Report:
    """Return the report, but for what follows from waivers and a baseline; with its flows where they are wanted.

    ``lost`` packets are known to be lost before they could be captured.
    """
    captures, policy, verdicts, sessions = summarised_captures(tied), tied.policy, source.verdicts, tied.sessions
    coverage = measure_coverage(tied.table, verdicts, sessions, sum(capture.packets for capture in captures))
    verdict = report_verdict(captures, found, coverage)
    held_against = summarise_policy(policy)
    unreadable = sum(session.readable is not Readable.READ for session in sessions.sessions)
    undetermined = int((verdicts.verdict == VERDICTS.index("undetermined")).sum())
    lacks = lacking(quality, guessed=coverage.guessed, undetermined=undetermined, lost=lost)
    names = TrafficNames(tied.reading)
    names.add_ndmp(tied.table, tied.messages, sessions.sessions)
    names.add_file_names(tied.table, {path_text(facts.path): facts.names for facts in tied.reading.files})
    report = Report(
        verdict=verdict,
        summary=summary_sentence(verdict, captures, found, coverage, held_against),
        policy=held_against,
        captures=captures,
        hosts=summarise_hosts(tied.table, verdicts, sessions, source.measured, policy, names, listings),
        services=summarise_services(tied.table, verdicts),
        sessions=summarise_sessions(tied.table, sessions, source.measured, policy, Handshakes(tied.reading)),
        findings=found,
        terms=summarise_terms(verdicts, policy),
        limits=(
            *limits(captures, found, coverage, held_against, unreadable_sessions=unreadable),
            *undecided_limit(sessions.undecided),
            *undetermined_limit(verdicts),
            *quality_limits(quality),
            *(f"{note.path}:{note.line}: {note.message}" for note in policy.notes),
        ),
        totals=_totals(captures, tied.table, coverage),
        version=_native.__version__,
        quality=quality,
        capacity=tuple(load.facts for load in source.capacity),
        controls=assess(load_controls(), pack, found, _judged(tied, source, verdict, found, coverage, lacks)),
        rules=summarise_rules(pack, found),
        undecided=summarise_undecided(tied.table, sessions.undecided),
        flows=_flow_rows(tied, verdicts) if flows else None,
    )
    return placed(report, tied.reading)


def _flow_rows(tied: Tied, verdicts: Verdicts) -> FlowRows:
    """Return the flows as formats show them."""
    # Only few formats do.
    from auditor.flow_export import flow_rows

    return flow_rows(tied.table, tied.sessions, verdicts)


def _judged(
    tied: Tied,
    source: Source,
    verdict: ReportVerdict,
    found: tuple[Finding, ...],
    coverage: Coverage,
    lacks: tuple[str, ...],
) -> Judged:
    """Return how the captures were judged, as far as controls ask; ``lacks`` is what they do not hold."""
    conclusive = verdict is not ReportVerdict.INCONCLUSIVE and not any(
        one.undermines or one.inconclusive for one in found
    )
    inside_tls = sum(session.tls for session in source.sessions.sessions)
    return Judged(coverage.judged, conclusive, tied.policy.inferred, lacks, inside_tls)


def _totals(captures: Sequence[CaptureSummary], table: FlowTable, coverage: Coverage) -> dict[str, int]:
    return {
        "packets": coverage.packets,
        "bytes": sum(capture.bytes for capture in captures),
        "flows": len(table),
        "judged_flows": coverage.judged,
        "hosts": coverage.hosts,
        "control_connections": coverage.control,
        "data_connections": coverage.data,
        "inferred_data_connections": coverage.inferred,
    }


def _is_folder(path: str) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir raises where a name is longer than any file has


def _explained(capture: CaptureSummary) -> CaptureSummary:
    """Return the capture with a reason that tells what to do, where the operating system's word does not."""
    if capture.status != "unreadable" or not _is_folder(capture.path):
        return capture
    return replace(
        capture, error="is a directory in which no capture was found; name one that holds captures, or name them"
    )
