"""The report formats by name. Adding one takes a module (see ``interface``) and a line here."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import cast

from auditor.errors import MissingExtra, UsageError
from auditor.model import Report
from auditor.records import record
from auditor.report.interface import Renderer, RenderOptions


@record
class Format:
    """A report format: its module, imported when it is asked for, and the suffixes of files in it.

    ``flows``: it shows flows, if the report has them; ``needs_flows``: it shows nothing else. ``binary``: nothing for a
    terminal. ``package`` and ``extra``: what has to be installed for it.
    """

    module: str
    suffixes: tuple[str, ...]
    flows: bool = False
    needs_flows: bool = False
    binary: bool = False
    package: str = ""
    extra: str = ""


FORMATS = {
    "text": Format("auditor.report.terminal", (".txt",)),
    "json": Format("auditor.report.json_", (".json",)),
    "json-flows": Format("auditor.report.json_flows", (".flows.json",), flows=True, needs_flows=True),
    "html": Format("auditor.report.html", (".html", ".htm")),
    "pdf": Format("auditor.report.pdf", (".pdf",), binary=True, package="typst", extra="pdf"),
    "pdf-a": Format("auditor.report.pdf.archive", (".a.pdf",), binary=True, package="typst", extra="pdf"),
    "csv": Format("auditor.report.csv_", (".csv",)),
    "csv-zip": Format("auditor.report.csv_zip", (".csv.zip",), flows=True, binary=True),
    "csv-flows": Format("auditor.report.csv_flows", (".flows.csv",), flows=True, needs_flows=True),
    "xlsx": Format("auditor.report.xlsx", (".xlsx",), flows=True, binary=True, package="xlsxwriter", extra="xlsx"),
    "jsonl": Format("auditor.report.jsonl", (".jsonl", ".ndjson")),
    "jsonl-flows": Format("auditor.report.jsonl_flows", (".flows.jsonl",), flows=True, needs_flows=True),
    "parquet": Format(
        "auditor.report.parquet",
        (".parquet",),
        flows=True,
        needs_flows=True,
        binary=True,
        package="pyarrow",
        extra="parquet",
    ),
    "sarif": Format("auditor.report.sarif", (".sarif", ".sarif.json")),
    "junit": Format("auditor.report.junit", (".xml",)),
    "ocsf": Format("auditor.report.ocsf.detection", (".ocsf.json",)),
    "ocsf-compliance": Format("auditor.report.ocsf.compliance", (".ocsf-compliance.json",)),
    "oscal": Format("auditor.report.oscal", (".oscal.json",)),
    "github": Format("auditor.report.github", (".github.txt",)),
    "zeek-conn": Format("auditor.report.zeek.conn", ("conn.log",), flows=True, needs_flows=True),
    "zeek-notice": Format("auditor.report.zeek.notice", ("notice.log",)),
}
"""Name of the format -> where it is made, and how its files are called."""


def renderer(name: str) -> Renderer:
    """Return the renderer of a format. Raises UsageError for a name that is none."""
    return cast(Renderer, import_module(_format(name).module))


def _format(name: str) -> Format:
    if name not in FORMATS:
        raise UsageError(f'"{name}" is not a report format', fix=f"use one of {', '.join(FORMATS)}")
    return FORMATS[name]


def split_target(target: str) -> tuple[str, str]:
    """Return format and path of ``FILE`` or ``FORMAT=FILE``; of a bare file the longest known suffix tells the format.

    Raises UsageError for a suffix that asks for none.
    """
    name, sign, path = target.partition("=")
    if sign and name in FORMATS:
        return name, path
    return format_of(target), target


def format_of(path: str) -> str:
    """Return the format that the suffix of a file name asks for, the longest that fits. Raises UsageError."""
    fitting = [
        (len(suffix), name)
        for name, form in FORMATS.items()
        for suffix in form.suffixes
        if path.lower().endswith(suffix)
    ]
    if fitting:
        return max(fitting)[1]
    known = ", ".join(f"{suffix} ({name})" for name, form in FORMATS.items() for suffix in form.suffixes)
    raise UsageError(
        f"{path}: its suffix names no report format",
        fix=f"known suffixes: {known}; or name the format, for example json={path}",
    )


def check_installed(name: str) -> None:
    """Raise MissingExtra where the package that a format is made with is not installed."""
    form = _format(name)
    if not form.package:
        return
    from importlib.util import find_spec

    if find_spec(form.package) is None:
        raise MissingExtra(form.package, form.extra)


def wants_flows(names: Iterable[str]) -> bool:
    """Return whether one of these formats shows flows."""
    return any(_format(name).flows for name in names)


def check_flows(name: str, *, present: bool) -> None:
    """Raise UsageError where a format shows nothing but flows and there are none, as in a saved report."""
    if _format(name).needs_flows and not present:
        raise UsageError(
            f"the format {name} shows flows, and a saved report holds none",
            fix="ask for it when the captures are read: auditor audit CAPTURE... --report FILE",
        )


def pieces(report: Report, name: str, options: RenderOptions) -> Iterable[bytes]:
    """Return what ``render`` does, made bit by bit where the format can: only what shows flows does. Raises alike."""
    check_installed(name)
    check_flows(name, present=report.flows is not None)
    module = renderer(name)
    make = getattr(module, "pieces", None)
    return (module.render(report, options),) if make is None else cast(Iterable[bytes], make(report, options))


def render(report: Report, name: str = "text", options: RenderOptions | None = None) -> bytes:
    """Return a report in the named format. Raises UsageError, and MissingExtra where a package is not installed."""
    check_installed(name)
    check_flows(name, present=report.flows is not None)
    return renderer(name).render(report, options or RenderOptions())
