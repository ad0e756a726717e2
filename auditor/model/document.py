"""The report as a whole."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from auditor.model.baseline import BaselineSummary
from auditor.model.captures import CaptureSummary
from auditor.model.findings import Finding
from auditor.model.sessions import SessionSummary
from auditor.model.traffic import HostSummary, ServiceSummary, TermSummary
from auditor.model.waivers import WaiverSummary

SCHEMA = "auditor.report/1"


class ReportVerdict(enum.StrEnum):
    """The answer of a whole report."""

    CONFORMS = "conforms"
    VIOLATIONS = "violations"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class RulesSummary:
    """The rules that were applied: how many, and one SHA-256 over all files of rules and services."""

    count: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Report:
    """The finished document. ``summary`` is the verdict in one sentence with what it covers;
    ``limits`` says what it cannot say. ``as_of`` is the day (UTC) on which waivers were judged."""

    verdict: ReportVerdict
    summary: str
    policy: PolicySummary
    captures: tuple[CaptureSummary, ...]
    hosts: tuple[HostSummary, ...]
    services: tuple[ServiceSummary, ...]
    sessions: tuple[SessionSummary, ...]
    findings: tuple[Finding, ...]
    terms: tuple[TermSummary, ...] = ()
    limits: tuple[str, ...] = ()
    totals: dict[str, int] = field(default_factory=dict)
    version: str = ""
    schema: str = SCHEMA
    as_of: str = ""
    waivers: tuple[WaiverSummary, ...] = ()
    baseline: BaselineSummary | None = None
    rules: RulesSummary | None = None
