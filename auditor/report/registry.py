"""The report formats by name. Adding one takes a module (see ``interface``) and a line here."""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple, cast

from auditor.errors import UsageError
from auditor.model import Report
from auditor.report.interface import Renderer, RenderOptions


class Format(NamedTuple):
    """A report format: its module, imported when it is asked for, and the suffixes of files in it."""

    module: str
    suffixes: tuple[str, ...]


FORMATS = {
    "text": Format("auditor.report.terminal", (".txt",)),
    "json": Format("auditor.report.json_", (".json",)),
    "html": Format("auditor.report.html", (".html", ".htm")),
}
"""Name of the format -> where it is made, and how its files are called."""


def renderer(name: str) -> Renderer:
    """Return the renderer of a format. Raises UsageError for a name that is none."""
    if name not in FORMATS:
        raise UsageError(f'"{name}" is not a report format', fix=f"use one of {', '.join(FORMATS)}")
    return cast(Renderer, import_module(FORMATS[name].module))


def format_of(path: str) -> str:
    """Return the format that the suffix of a file name asks for. Raises UsageError for one that asks for none."""
    for name, form in FORMATS.items():
        if path.lower().endswith(form.suffixes):
            return name
    known = ", ".join(f"{suffix} ({name})" for name, form in FORMATS.items() for suffix in form.suffixes)
    raise UsageError(f"{path}: its suffix names no report format", fix=f"known suffixes: {known}")


def render(report: Report, name: str = "text", options: RenderOptions | None = None) -> bytes:
    """Return a report in the named format. Raises UsageError for a name that is none."""
    return renderer(name).render(report, options or RenderOptions())
