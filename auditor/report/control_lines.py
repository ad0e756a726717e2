"""The section of the text report on controls, where there is something to say."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from auditor.model import Assessment, ControlAssessment
from auditor.report.layout import Column, Page
from auditor.text import joined

_SIGNS = {Assessment.FOR: "for", Assessment.AGAINST: "against", Assessment.NOT_ASSESSABLE: "not assessable"}


def show_controls(page: Page, controls: Sequence[ControlAssessment], verbosity: int) -> None:
    """Show what speaks for and against controls, with -vv also what traffic cannot say, and why."""
    if not controls:
        return
    page.heading("Controls", "evidence, no proof of conformity")
    for framework, group in groupby(controls, key=lambda control: control.framework):
        own = list(group)
        page.paragraph(framework, indent=2, style="strong")
        shown = [one for one in own if one.assessment is not Assessment.NOT_ASSESSABLE or verbosity > 1]
        rows = [
            (one.id, _SIGNS[one.assessment], f"{one.title}. {one.because}" if verbosity > 1 else one.title)
            for one in shown
        ]
        if rows:
            page.table([Column("Control"), Column("Evidence"), Column("Title", flex=True, least=30)], rows, indent=4)
        rest = [one.id for one in own if one not in shown]
        if rest:
            page.paragraph(joined(rest), indent=4, label="not assessable")
