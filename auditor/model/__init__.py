"""The finished document: ``Report`` and its parts. Frozen, plain types only, no behaviour beyond order and names.

Addresses are text, IPv6 in brackets before a port; times are RFC 3339 UTC with nanoseconds; packet numbers count
from 1 over all captures of a report, in the order in which their packets were taken. Renderers read nothing else than this.
"""

from auditor.model.baseline import BaselineSummary, GoneFinding
from auditor.model.capacity import CapacityPoint, HostCapacity
from auditor.model.captures import CaptureSummary, PacketRun
from auditor.model.controls import Assessment, ControlAssessment
from auditor.model.document import SCHEMA, PolicySummary, Report, ReportVerdict, RulePackSummary
from auditor.model.findings import Evidence, Finding, FlowReference, Severity
from auditor.model.flow_rows import FlowField, FlowRows
from auditor.model.names import NameEvidence
from auditor.model.quality import CaptureQuality, Quality
from auditor.model.rules import RuleSummary
from auditor.model.sessions import (
    Authentication,
    ControlSummary,
    CountedName,
    DataEnd,
    DataSummary,
    ExchangeSummary,
    JobSummary,
    RefusalSummary,
    SessionSummary,
    UndecidedSummary,
)
from auditor.model.tls import CertificateSummary, TlsSummary
from auditor.model.traffic import HostSummary, ServiceSummary, TermSummary
from auditor.model.waivers import WaiverReference, WaiverSummary

__all__ = [
    "Assessment",
    "Authentication",
    "BaselineSummary",
    "CapacityPoint",
    "CaptureQuality",
    "CaptureSummary",
    "CertificateSummary",
    "ControlAssessment",
    "ControlSummary",
    "Count",
    "CountedName",
    "DataEnd",
    "DataSummary",
    "Evidence",
    "ExchangeSummary",
    "Finding",
    "FlowField",
    "FlowReference",
    "FlowRows",
    "GoneFinding",
    "HostCapacity",
    "HostSummary",
    "JobSummary",
    "NameEvidence",
    "PolicySummary",
    "PacketRun",
    "RefusalSummary",
    "Quality",
    "Report",
    "ReportVerdict",
    "RulePackSummary",
    "RuleSummary",
    "SCHEMA",
    "ServiceSummary",
    "SessionSummary",
    "Severity",
    "TermSummary",
    "TlsSummary",
    "UndecidedSummary",
    "WaiverReference",
    "WaiverSummary",
]
