"""``auditor compare``: what differs between two saved reports."""

from __future__ import annotations

from pathlib import Path

import click

from auditor.cli import output as output_
from auditor.cli.saved import load_saved
from auditor.report.comparison import FORMATS, render_comparison


@click.command()
@click.argument("old", metavar="OLD.json")
@click.argument("new", metavar="NEW.json")
@click.option(
    "--format", "-f", "format_name", type=click.Choice(tuple(FORMATS)), default="text", show_default=True,
    help="Format of the comparison.",
)  # fmt: skip
@click.option("--output", "-o", metavar="FILE", help="Write the comparison to a file instead of standard output.")
@click.option("--verbose", "-v", "verbosity", count=True, help="Show every change.")
@click.option("--plain", is_flag=True, help="No colours and no typographic signs, for screen readers and logs.")
def compare(old: str, new: str, format_name: str, output: str | None, verbosity: int, plain: bool) -> int:
    """Compare two saved reports.

    Says which findings, hosts, services and terms came, changed or went since the older report. Exit code 0 without drift,
    1 with drift.

    \b
    Examples:
      auditor compare march.json april.json
      auditor compare march.json april.json --format html --output drift.html
    """  # noqa: D301 - Click wants a real backspace
    output_.check_output(output, [old, new])
    before, after = load_saved(old), load_saved(new)
    from auditor.drift.compare import compare_reports

    comparison = compare_reports(before, after, ((old, Path(old).read_bytes()), (new, Path(new).read_bytes())))
    looks = output_.terminal_options(plain=plain, verbosity=verbosity, to_file=output is not None)
    output_.write(render_comparison(comparison, format_name, looks), output, text=format_name == "text")
    return int(comparison.drift)
