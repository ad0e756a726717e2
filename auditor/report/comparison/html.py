"""The comparison as one HTML page that needs nothing else, in the looks of the report's page.

jinja2 escapes every value; what a reader would not see or be misled by is made visible before.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import jinja2

from auditor.model.comparison import Comparison
from auditor.report.comparison.text import told
from auditor.report.html.page import make_environment
from auditor.report.interface import RenderOptions

MOST_ROWS = 500
"""Changes of one kind on the page; the JSON form has all of them."""


def render(comparison: Comparison, options: RenderOptions) -> bytes:  # noqa: ARG001 - the interface of all formats
    """Return the comparison as one HTML page in UTF-8. The bytes depend on nothing but the comparison."""
    kinds = (
        ("Findings", comparison.findings),
        ("Hosts", comparison.hosts),
        ("Services", comparison.services),
        ("Terms", comparison.terms),
    )
    page = _environment().get_template("comparison.html").render(c=comparison, kinds=kinds, told=told, most=MOST_ROWS)
    return page.encode("utf-8", "backslashreplace")


@cache
def _environment() -> jinja2.Environment:
    return make_environment(Path(__file__).parent / "templates")
