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
from auditor.report.html.detail import LIGHT, Detail, levels
from auditor.report.html.findings import first_steps, group_findings, links_of, severity_counts
from auditor.report.html.page import make_environment
from auditor.report.html.port_band import port_band
from auditor.report.html.talk import talk
from auditor.report.html.timeline import timeline
from auditor.report.interface import RenderOptions
from auditor.report.packet_places import Places
from auditor.report.places import first_and_last
from auditor.report.quality_lines import losses_text, quality_facts, vantage_text

MOST_CANDIDATES = 3
"""Control connections named of those that could have opened a data connection that is tied to none."""


def render(report: Report, options: RenderOptions) -> bytes:  # noqa: ARG001 - the interface of all formats
    """Return the report as one HTML page in UTF-8. The bytes depend on nothing but the report."""
    page = b""
    for detail in levels(report):
        page = _page(report, detail)
        if len(page) <= LIGHT:
            break
    return page


def _page(report: Report, detail: Detail) -> bytes:
    groups = group_findings(report, detail.in_full)
    lanes, zones = timeline(report, detail), talk(report)
    first, last = first_and_last(report)
    page = (
        _environment()
        .get_template("page.html")
        .render(
            report=report,
            groups=groups,
            places=Places(report),
            steps=first_steps(groups),
            counts=severity_counts(report),
            waived=sum(finding.waived for finding in report.findings),
            band=port_band(report, links_of(groups), detail),
            timeline=lanes,
            talk=zones,
            most=detail.rows,
            glossary=GLOSSARY,
            peaks=peaks(report),
            services=services_by_process(report.services[: detail.rows]),
            contents=contents(report, timeline=lanes is not None, talk=zones is not None),
            vantage=vantage_text(report.quality),
            losses=losses_text(report.quality.total),
            quality_facts=quality_facts(report.quality.total),
            most_sessions=detail.sessions,
            most_data=detail.data,
            most_candidates=min(detail.data, MOST_CANDIDATES),
            first=first,
            last=last,
        )
    )
    return page.encode("utf-8", "backslashreplace")


@cache
def _environment() -> jinja2.Environment:
    return make_environment()
