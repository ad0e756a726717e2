"""Comparisons of two reports as text, JSON and HTML."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol, cast

from auditor.errors import UsageError
from auditor.model.comparison import Comparison
from auditor.report.interface import RenderOptions

FORMATS = {
    "text": "auditor.report.comparison.text",
    "json": "auditor.report.comparison.json_",
    "html": "auditor.report.comparison.html",
}
"""Name of the format -> module with ``render(comparison, options) -> bytes``, imported when it is asked for."""


class ComparisonRenderer(Protocol):
    """The module of a format."""

    def render(self, comparison: Comparison, options: RenderOptions) -> bytes:
        """Return the comparison in this format."""
        ...


def render_comparison(comparison: Comparison, name: str = "text", options: RenderOptions | None = None) -> bytes:
    """Return a comparison in the named format. Raises UsageError for a name that is none."""
    if name not in FORMATS:
        raise UsageError(f'"{name}" is not a format of comparisons', fix=f"use one of {', '.join(FORMATS)}")
    module = cast(ComparisonRenderer, import_module(FORMATS[name]))
    return module.render(comparison, options or RenderOptions())
