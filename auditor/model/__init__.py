"""The finished document: ``Report`` and its parts. Frozen, plain types only, no behaviour beyond order and names.

Addresses are text, IPv6 in brackets before a port; times are RFC 3339 UTC with nanoseconds; packet numbers count
from 1 in each file. Renderers read nothing else than this.
"""

from auditor.model.baseline import BaselineSummary, GoneFinding
from auditor.model.captures import CaptureSummary
from auditor.model.comparison import COMPARISON_SCHEMA, Change, ComparedReport, Comparison, Count
from auditor.model.document import SCHEMA, PolicySummary, Report, ReportVerdict, RulesSummary
from auditor.model.findings import Evidence, Finding, FlowReference, Severity
from auditor.model.sessions import Authentication, ControlSummary, DataEnd, DataSummary, JobSummary, SessionSummary
from auditor.model.traffic import HostSummary, ServiceSummary, TermSummary
from auditor.model.waivers import WaiverReference, WaiverSummary

__all__ = [
    "Authentication",
    "BaselineSummary",
    "COMPARISON_SCHEMA",
    "CaptureSummary",
    "Change",
    "ComparedReport",
    "Comparison",
    "ControlSummary",
    "Count",
    "DataEnd",
    "DataSummary",
    "Evidence",
    "Finding",
    "FlowReference",
    "GoneFinding",
    "HostSummary",
    "JobSummary",
    "PolicySummary",
    "Report",
    "ReportVerdict",
    "RulesSummary",
    "SCHEMA",
    "ServiceSummary",
    "SessionSummary",
    "Severity",
    "TermSummary",
    "WaiverReference",
    "WaiverSummary",
]
