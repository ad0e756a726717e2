"""Audits in Python and notebooks: the report together with the flows that it judged, as tables where they are asked for.

    import auditor
    result = auditor.audit(["site.pcapng"], policy_path="site.yaml")
    result.flows.to_pandas(), result.findings.to_pandas(), result.sessions.to_pandas()

pandas is needed only by ``to_pandas`` (``pip install "auditor[pandas]"``). What notebooks show is escaped: it came from
captures.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from auditor.errors import MissingExtra
from auditor.flows import MOST_SHOWN, FlowTable
from auditor.model import Finding, Report, ReportVerdict, SessionSummary, Severity
from auditor.pipeline import AuditOptions, Progress
from auditor.pipeline.auditing import audit_flows
from auditor.records import record
from auditor.report.interface import RenderOptions
from auditor.report.registry import render as render_report
from auditor.text import counted, html_table, html_text, number, packet_list

FINDING_COLUMNS = (
    ("code", "str", "code of the rule"),
    ("name", "str", "readable name of the rule"),
    ("severity", "category", "info < low < medium < high < critical, ordered"),
    ("waived", "bool", "accepted by a waiver"),
    ("message", "str", "what was found"),
    ("subject", "object", "dict of what it is about: host, port and the like"),
    ("term", "str", "term of the policy that decided, empty where none did"),
    ("key", "str", "code and subject, the same in another capture of the site"),
    ("flows", "int64", "flows that show it"),
    ("capture", "str", "capture of the first evidence; empty without evidence"),
    ("packets", "object", "tuple of the telling packet numbers of the first evidence"),
    ("consequence", "str", "what it is likely to do to the backups"),
    ("remedy", "str", "what to do"),
    ("owner", "str", "owner of the waiver, empty without one"),
    ("expires", "str", "last day of the waiver, empty without one"),
    ("baseline_state", "str", "new, unchanged, updated; empty without a baseline"),
)
SESSION_COLUMNS = (
    ("originator", "str", "host and port that opened the control connection"),
    ("responder", "str", "host and port of the NDMP server"),
    ("capture", "str", "capture of its first packet"),
    ("first", "datetime64[ns, UTC]", "time of its first packet"),
    ("last", "datetime64[ns, UTC]", "time of its last packet"),
    ("ndmp_version", "Int64", "NDMP version, missing where it was not readable"),
    ("tls", "bool", "inside TLS"),
    ("readable", "str", "how much of it could be read"),
    ("operations", "str", "operations, joined by commas"),
    ("outcomes", "str", "how they ended, joined by commas"),
    ("data_connections", "int64", "data connections tied to it"),
    ("attempts", "int64", "data connections that did not come about"),
    ("bytes_from_server", "int64", "payload of its operations from the NDMP server"),
    ("bytes_to_server", "int64", "payload of its operations to the NDMP server"),
    ("ended", "str", "how it ended"),
    ("story", "str", "the session in one line"),
)
"""Columns of the frames: name, dtype, meaning."""


class Findings(tuple[Finding, ...]):
    """The findings of a report, in its order: a tuple that can become a DataFrame."""

    __slots__ = ()

    def to_pandas(self) -> Any:
        """Return one row for each finding, columns as ``FINDING_COLUMNS``. Raises MissingExtra."""
        frame = _frame([_finding_row(finding) for finding in self], FINDING_COLUMNS)
        words = [severity.word for severity in Severity]
        frame["severity"] = _pandas().Categorical(frame["severity"], categories=words, ordered=True)
        return frame

    def _repr_html_(self) -> str:
        rows = [
            (
                f"{one.severity.word}{' (waived)' if one.waived else ''}",
                one.code,
                one.message,
                packet_list(one.evidence[0].packets) if one.evidence else "",
                one.remedy,
            )
            for one in self[:MOST_SHOWN]
        ]
        heads = ("severity", "code", "finding", "evidence", "remedy")
        return html_table(heads, rows, counted(len(self), "finding"), left=len(self) - len(rows))


class Sessions(tuple[SessionSummary, ...]):
    """The sessions of a report, in its order: a tuple that can become a DataFrame."""

    __slots__ = ()

    def to_pandas(self) -> Any:
        """Return one row for each session, columns as ``SESSION_COLUMNS``. Raises MissingExtra."""
        pandas = _pandas()
        frame = _frame([_session_row(session) for session in self], SESSION_COLUMNS)
        for name in ("first", "last"):
            # An empty text is no time, and becomes NaT.
            frame[name] = pandas.to_datetime(frame[name], utc=True, errors="coerce", format="ISO8601").astype(
                "datetime64[ns, UTC]"
            )
        return frame

    def _repr_html_(self) -> str:
        rows = [
            (one.control.originator, one.control.responder, one.story, number(len(one.data)))
            for one in self[:MOST_SHOWN]
        ]
        heads = ("originator", "responder", "session", "data connections")
        return html_table(heads, rows, counted(len(self), "session"), left=len(self) - len(rows))


@record
class Audit:
    """What an audit gives: the report, and the flows that were judged. Every part of the report can be asked directly, as
    ``result.hosts`` for ``result.report.hosts``; findings and sessions then know the way to pandas."""

    report: Report
    flows: FlowTable

    @property
    def verdict(self) -> ReportVerdict:
        """The answer."""
        return self.report.verdict

    @property
    def summary(self) -> str:
        """The verdict in one sentence."""
        return self.report.summary

    @property
    def findings(self) -> Findings:
        """The findings, worst first."""
        return Findings(self.report.findings)

    @property
    def sessions(self) -> Sessions:
        """The control connections with what followed them."""
        return Sessions(self.report.sessions)

    def __getattr__(self, name: str) -> Any:
        """Return a part of the report."""
        if name in Report.__dataclass_fields__:
            return getattr(self.report, name)
        raise AttributeError(f"an audit has no {name!r}")

    def _repr_html_(self) -> str:
        limits = "".join(f"<li>{html_text(limit)}</li>" for limit in self.report.limits)
        counting = Counter(one.severity for one in self.report.findings if not one.waived)
        told = " · ".join(f"<b>{number(counting[one])}</b> {one.word}" for one in sorted(Severity, reverse=True))
        return (
            f"<p><strong>{html_text(self.summary)}</strong></p><p>{told}</p>"
            + (f"<ul>{limits}</ul>" if limits else "")
            + self.findings._repr_html_()
            + self.sessions._repr_html_()
        )


def audit(
    paths: Iterable[str | os.PathLike[str]],
    *,
    policy_path: str | os.PathLike[str] | None = None,
    options: AuditOptions | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Audit captures against a policy, or against the vendor's advice where none is given.

    Arguments and errors are those of ``auditor.pipeline.audit``.
    """
    return Audit(*audit_flows(paths, policy_path=policy_path, options=options, progress=progress))


def render(report: Report | Audit, name: str = "text", options: RenderOptions | None = None) -> bytes:
    """Return a report, or that of an audit, in the named format. Raises UsageError for a name that is none."""
    return render_report(report.report if isinstance(report, Audit) else report, name, options)


def _pandas() -> Any:
    try:
        import pandas  # type: ignore[import-untyped]  # noqa: ICN001 - only passed on
    except ImportError:
        raise MissingExtra("pandas", "pandas") from None
    return pandas


def _frame(rows: Sequence[tuple[Any, ...]], columns: Sequence[tuple[str, str, str]]) -> Any:
    """Return rows as a frame whose columns have their documented types even where there is no row."""
    pandas = _pandas()
    values = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    plain = {"bool": "bool", "int64": "int64", "Int64": "Int64"}
    return pandas.DataFrame(
        {
            name: pandas.Series(list(column), dtype=plain.get(kind, object))
            for (name, kind, _), column in zip(columns, values, strict=True)
        }
    )


def _finding_row(finding: Finding) -> tuple[Any, ...]:
    first = finding.evidence[0] if finding.evidence else None
    return (
        finding.code,
        finding.name,
        finding.severity.word,
        finding.waived,
        finding.message,
        dict(finding.subject),
        finding.term,
        finding.key,
        finding.flows,
        "" if first is None else first.capture,
        () if first is None else first.packets,
        finding.consequence,
        finding.remedy,
        "" if finding.waiver is None else finding.waiver.owner,
        "" if finding.waiver is None else finding.waiver.expires,
        finding.baseline_state,
    )


def _session_row(session: SessionSummary) -> tuple[Any, ...]:
    control = session.control
    return (
        control.originator,
        control.responder,
        control.capture,
        control.first,
        control.last,
        session.ndmp_version,
        session.tls,
        session.readable,
        ", ".join(session.operations),
        ", ".join(job.outcome for job in session.jobs),
        len(session.data),
        len(session.attempts),
        sum(job.from_server_bytes for job in session.jobs),
        sum(job.to_server_bytes for job in session.jobs),
        session.ended,
        session.story,
    )
