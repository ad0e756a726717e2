"""How much of a long report stands on the page: all of it, as long as the page stays light.

Whoever opens the page on a phone or sends it by mail is served by a light one; whoever needs every row has the JSON report
and the workbook. What is left out is counted where it is left out.
"""

from __future__ import annotations

from auditor.model import Report
from auditor.records import record

LIGHT = 300_000
"""Bytes that a page of up to ``MANY`` findings should not exceed."""

MANY = 500
"""Findings beyond which only the least detail can keep a page light."""


@record
class Detail:
    """The most that is shown: ``rows`` of a table of hosts, services or terms; ``sessions`` in their table and ``data``
    connections of each; findings ``in_full`` with all their evidence, those after them with one flow; ``panels`` of data
    ports and ``strokes`` in each; ``lanes`` of the timeline and ``bars`` on each."""

    rows: int
    sessions: int
    data: int
    in_full: int
    panels: int
    strokes: int
    lanes: int
    bars: int


FULL = Detail(rows=500, sessions=200, data=40, in_full=MANY, panels=12, strokes=300, lanes=60, bars=100)
LESS = Detail(rows=120, sessions=60, data=12, in_full=100, panels=12, strokes=80, lanes=60, bars=20)
LEAST = Detail(rows=40, sessions=15, data=3, in_full=20, panels=6, strokes=20, lanes=30, bars=4)


def levels(report: Report) -> tuple[Detail, ...]:
    """Return the details to try for a page, the most of them first."""
    return (FULL, LESS, LEAST) if len(report.findings) <= MANY else (LEAST,)
