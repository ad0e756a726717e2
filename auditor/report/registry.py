"""The report formats by name. Adding one takes a module (see ``interface``) and a line here."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from auditor.errors import UsageError
from auditor.model import Report
from auditor.report.interface import Renderer, RenderOptions

FORMATS = {
    "text": "auditor.report.terminal",
    "json": "auditor.report.json_",
}
"""Name of the format -> module; a module is imported when its format is asked for."""


def renderer(name: str) -> Renderer:
    """Return the renderer of a format. Raises UsageError for a name that is none."""
    if name not in FORMATS:
        raise UsageError(f'"{name}" is not a report format', fix=f"use one of {', '.join(FORMATS)}")
    return cast(Renderer, import_module(FORMATS[name]))


def render(report: Report, name: str = "text", options: RenderOptions | None = None) -> bytes:
    """Return a report in the named format. Raises UsageError for a name that is none."""
    return renderer(name).render(report, options or RenderOptions())
