"""The report as a whole."""

from __future__ import annotations

import enum

from auditor.model.baseline import BaselineSummary
from auditor.model.capacity import HostCapacity
from auditor.model.captures import CaptureSummary
from auditor.model.controls import ControlAssessment
from auditor.model.findings import Finding
from auditor.model.flow_rows import FlowRows
from auditor.model.quality import Quality
from auditor.model.rules import RuleSummary
from auditor.model.sessions import SessionSummary, UndecidedSummary
from auditor.model.traffic import HostSummary, ServiceSummary, TermSummary
from auditor.model.waivers import WaiverSummary
from auditor.records import field, record

SCHEMA = "auditor.report/1"
NOT_SAVED = {"saved": False}
"""Marks a field that is no part of the saved report."""


class ReportVerdict(enum.StrEnum):
    """The answer of a whole report."""

    CONFORMS = "conforms"
    VIOLATIONS = "violations"
    INCONCLUSIVE = "inconclusive"


@record
class PolicySummary:
    """What the traffic was held against. ``inferred`` when no policy was given: roles were read from the
    traffic and the vendor's advice is the yardstick."""

    path: str | None
    inferred: bool
    generation: str
    zones: dict[str, tuple[str, ...]] = field(default_factory=dict)
    ndmp_port: int = 10000
    dynamic_ports: dict[str, str] = field(default_factory=dict)
    sha256: str | None = None


@record
class RulePackSummary:
    """The rules that were applied: how many, and one SHA-256 over all files of rules and services."""

    count: int
    sha256: str


@record
class Report:
    """The finished document. ``summary`` is the verdict in one sentence with what it covers;
    ``limits`` says what it cannot say. ``rules`` are those that were evaluated, ``rule_pack`` where they came from.
    ``undecided`` are data connections tied to no session because the evidence does not decide.
    ``as_of`` is the day (UTC) on which waivers were judged. ``flows`` is there only where it was asked for; it is not saved
    with the report and counts for no comparison."""

    verdict: ReportVerdict
    summary: str
    policy: PolicySummary
    captures: tuple[CaptureSummary, ...]
    hosts: tuple[HostSummary, ...]
    services: tuple[ServiceSummary, ...]
    sessions: tuple[SessionSummary, ...]
    findings: tuple[Finding, ...]
    terms: tuple[TermSummary, ...] = ()
    capacity: tuple[HostCapacity, ...] = ()
    controls: tuple[ControlAssessment, ...] = ()
    limits: tuple[str, ...] = ()
    totals: dict[str, int] = field(default_factory=dict)
    version: str = ""
    quality: Quality = field(default_factory=Quality)
    schema: str = SCHEMA
    as_of: str = ""
    waivers: tuple[WaiverSummary, ...] = ()
    baseline: BaselineSummary | None = None
    rule_pack: RulePackSummary | None = None
    rules: tuple[RuleSummary, ...] = ()
    undecided: tuple[UndecidedSummary, ...] = ()
    flows: FlowRows | None = field(default=None, compare=False, repr=False, metadata=NOT_SAVED)
