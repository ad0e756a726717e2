"""``auditor report``: a saved report rendered again, without the packets."""

from __future__ import annotations

from typing import Any

import click

from auditor.cli import output as output_
from auditor.cli.audit_options import MANIFEST_HELP
from auditor.cli.manifests import check_manifest, write_manifest
from auditor.cli.saved import load_saved
from auditor.report.registry import FORMATS, render


@click.command()
@click.argument("saved", metavar="SAVED.json")
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="FILE",
    help="Write this file, in the format of its suffix; or FORMAT=FILE.",
)
@click.option(
    "--format", "-f", "format_name", type=click.Choice(tuple(FORMATS)), help="Print the report in this format."
)
@click.option("--manifest", metavar="FILE", help=MANIFEST_HELP)
@click.option("--verbose", "-v", "verbosity", count=True, help="As of audit, for text.")
@click.option("--anonymize", metavar="KEY", help="Replace addresses and names; KEY is a file, or env:NAME.")
@click.option("--plain", is_flag=True, help="No colours and no typographic signs, for screen readers and logs.")
def report(saved: str, reports: tuple[str, ...], format_name: str | None, **options: Any) -> int:
    """Render a saved report again.

    Reads a report that audit wrote as JSON, and writes it in other formats; no capture and no policy is needed.
    Without --report it is printed as text. The exit code tells whether that worked, not what the report says.

    \b
    Examples:
      auditor report site.json
      auditor report site.json --report site.html
      auditor report site.json --anonymize secret.key --report for-vendor.html
    """  # noqa: D301 - Click wants a real backspace
    output_.check_reports(reports, [saved], flows=False)
    if format_name:
        output_.check_format(format_name, None, flows=False)
    manifest, verbosity = options["manifest"], options["verbosity"]
    check_manifest(manifest, [saved], reports)
    loaded = load_saved(saved)
    if options["anonymize"]:
        from auditor.anonymize import anonymize, read_key

        loaded = anonymize(loaded, read_key(options["anonymize"]))
    if format_name or not reports:
        name = format_name or "text"
        looks = output_.terminal_options(plain=options["plain"], verbosity=verbosity)
        output_.write(render(loaded, name, looks), None, text=name == "text")
    output_.write_reports(loaded, reports, verbosity=verbosity)
    write_manifest(
        manifest,
        "report",
        loaded,
        options={"verbose": str(verbosity)},
        inputs=[("report", saved)],
        outputs=[("report", name) for name in reports],
    )
    return 0
