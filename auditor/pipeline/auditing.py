"""What is made of a reading: sessions, verdicts, findings and the report. Here NumPy comes in."""

from __future__ import annotations

import os
from collections.abc import Iterable

import numpy as np

from auditor import _native
from auditor.completion import completed, last_day, waived
from auditor.engine import findings as find_findings
from auditor.flows import FlowTable
from auditor.model import Report
from auditor.model.parts import PartList
from auditor.pipeline.judging import judged, tie
from auditor.pipeline.options import AuditOptions, Progress
from auditor.pipeline.reading import captures_of, read
from auditor.pipeline.summing import sum_up, summarised_captures
from auditor.pipeline.yardstick import Yardstick, placed, prepare
from auditor.quality import summarise_quality, weaken
from auditor.records import replace
from auditor.sessions import Rehearsal, rehearse_blind
from auditor.stretches import stretches_of
from auditor.tables import Source, tables_of


def audit_flows(
    paths: Iterable[str | os.PathLike[str]],
    *,
    policy_path: str | os.PathLike[str] | None = None,
    options: AuditOptions | None = None,
    progress: Progress | None = None,
) -> tuple[Report, FlowTable]:
    """Audit captures as ``auditor.pipeline.audit`` does, and return the flows that were judged beside the report."""
    options = options or AuditOptions()
    yardstick = prepare(policy_path, options)
    reading = read(captures_of(paths), yardstick.catalogue, yardstick.policy, options=options, progress=progress)
    return audit_reading(reading, yardstick, options)


def audit_reading(
    reading: _native.Reading, yardstick: Yardstick, options: AuditOptions | None = None
) -> tuple[Report, FlowTable]:
    """Audit what has been read already: the captures of ``audit``, or what an interface brought so far."""
    options = options or AuditOptions()
    tied, verdicts = judged(tie(reading, yardstick.policy, yardstick.catalogue))
    listings = placed(yardstick.listings, tied.policy)
    source = Source(tied.table, tied.sessions, verdicts, tied.policy)
    quality = summarise_quality(reading.files, tied.table, verdicts, options.vantage)
    pack = yardstick.pack.for_generation(yardstick.catalogue.generation)
    told = PartList(frozenset(waiver.code for waiver in yardstick.waivers))
    tables = tables_of(source, reading.files, listings, vantage=options.vantage)
    found = find_findings(pack, tables, tied.table, told)
    rows = stretches_of(reading.files, overlap=False)
    found = weaken(found, quality, stretches=rows, lost=options.lost, table=tied.table)
    day = options.as_of or last_day(summarised_captures(tied))
    found, uses = waived(pack, yardstick.waivers, found, day, table=tied.table, told=told)
    if yardstick.baseline is not None:
        from auditor.drift.baseline import against_baseline

        found = against_baseline(found, yardstick.baseline.report)
    report = sum_up(tied, source, pack, found, quality, listings=listings, flows=options.flows, lost=options.lost)
    report = replace(report, as_of="" if day is None else str(day), waivers=uses)
    return completed(report, pack, yardstick.baseline), tied.table


def rehearse(
    path: str | os.PathLike[str],
    *,
    policy_path: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Rehearsal:
    """Run the blind scorer beside the decoder on one capture; raises as ``auditor.pipeline.audit`` does."""
    yardstick = prepare(policy_path)
    reading = read(captures_of([path]), yardstick.catalogue, yardstick.policy, progress=progress)
    tied = tie(reading, yardstick.policy, yardstick.catalogue)
    ports = np.array(tied.catalogue.known_ports(), np.uint16)
    return rehearse_blind(tied.table, tied.messages, tied.sessions, ports)
