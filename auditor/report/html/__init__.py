"""HTML: the report as one page that needs nothing else, neither network nor script.

jinja2 writes it, and escapes every value by itself; before that, what a reader would not see or be misled by (controls,
bidirectional overrides) is made visible. The page's own policy (CSP) forbids scripts, frames and any load.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from auditor.model import Report
from auditor.model.quality import UNKNOWN_VANTAGE
from auditor.report.html.findings import first_steps, group_findings, links_of, severity_counts
from auditor.report.html.port_band import port_band
from auditor.report.html.scale import px
from auditor.report.html.talk import talk
from auditor.report.html.timeline import timeline
from auditor.report.interface import RenderOptions
from auditor.report.quality_lines import quality_facts, vantage_text
from auditor.text import byte_count, duration, escape, number, period

MOST_ROWS = 500
"""Rows of hosts, services and terms on the page; the JSON report has all of them."""

MOST_SESSIONS, MOST_DATA = 200, 40
"""Control connections in the table of sessions, and data connections of each."""


def render(report: Report, options: RenderOptions) -> bytes:  # noqa: ARG001 - the interface of all formats
    """Return the report as one HTML page in UTF-8. The bytes depend on nothing but the report."""
    groups = group_findings(report)
    page = (
        _environment()
        .get_template("page.html")
        .render(
            report=report,
            groups=groups,
            steps=first_steps(groups),
            counts=severity_counts(report),
            waived=sum(finding.waived for finding in report.findings),
            band=port_band(report, links_of(groups)),
            timeline=timeline(report),
            talk=talk(report),
            most=MOST_ROWS,
            vantage=vantage_text(report.quality) if report.quality.vantage != UNKNOWN_VANTAGE else "",
            quality_facts=quality_facts(report.quality.total),
            most_sessions=MOST_SESSIONS,
            most_data=MOST_DATA,
            first=min((capture.first for capture in report.captures if capture.first), default=None),
            last=max((capture.last for capture in report.captures if capture.last), default=None),
        )
    )
    return page.encode("utf-8", "backslashreplace")


@cache
def _environment() -> jinja2.Environment:
    """Return the templates with their rules: everything is escaped, and a name that does not exist is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates", encoding="utf-8"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    environment.filters.update(
        number=number,
        size=byte_count,
        duration=lambda times: _safely(duration, *times),
        period=lambda times: period(*times),
        sentence=_after_colon,
    )
    return environment


def _visible(value: Any) -> Any:
    """Return text with what would be obeyed or hidden made visible, and places on the page without needless digits.

    Markup that templates made stays as it is.
    """
    if isinstance(value, float):
        return px(value)
    return escape(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _after_colon(summary: str) -> str:
    """Return a summary without its verdict, which stands above it as the heading."""
    rest = summary.partition(": ")[2] or summary
    return f"{rest[:1].upper()}{rest[1:]}"


def _safely(told: Any, *times: str | None) -> str:
    try:
        return str(told(*times))
    except ValueError:
        # A saved report is a file: its times need not be those that auditor wrote.
        return ""
