"""HTML: the report as one page that needs nothing else, neither network nor script.

jinja2 writes it, and escapes every value by itself; before that, what a reader would not see or be misled by (controls,
bidirectional overrides) is made visible. The page's own policy (CSP) forbids scripts, frames and any load.
"""

from __future__ import annotations

from functools import cache

import jinja2

from auditor.model import Report
from auditor.report.glossary import GLOSSARY
from auditor.report.html.capacity import peaks
from auditor.report.html.contents import contents, services_by_process
from auditor.report.html.findings import first_steps, group_findings, links_of, severity_counts
from auditor.report.html.page import make_environment
from auditor.report.html.port_band import port_band
from auditor.report.html.talk import talk
from auditor.report.html.timeline import timeline
from auditor.report.interface import RenderOptions
from auditor.report.quality_lines import losses_text, quality_facts, vantage_text

MOST_ROWS = 500
"""Rows of hosts, services and terms on the page; the JSON report has all of them."""

MOST_SESSIONS, MOST_DATA = 200, 40
"""Control connections in the table of sessions, and data connections of each."""


def render(report: Report, options: RenderOptions) -> bytes:  # noqa: ARG001 - the interface of all formats
    """Return the report as one HTML page in UTF-8. The bytes depend on nothing but the report."""
    groups = group_findings(report)
    lanes, zones = timeline(report), talk(report)
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
            timeline=lanes,
            talk=zones,
            most=MOST_ROWS,
            glossary=GLOSSARY,
            peaks=peaks(report),
            services=services_by_process(report.services[:MOST_ROWS]),
            contents=contents(report, timeline=lanes is not None, talk=zones is not None),
            vantage=vantage_text(report.quality),
            losses=losses_text(report.quality.total),
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
    return make_environment()
