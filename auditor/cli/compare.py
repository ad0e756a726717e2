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
@click.option(
    "--rules",
    multiple=True,
    metavar="DIR",
    help="Folder of the site's own rules, should one have been renamed. May be given several times.",
)
def compare(
    old: str, new: str, format_name: str, output: str | None, verbosity: int, plain: bool, rules: tuple[str, ...]
) -> int:
    """Compare two saved reports.

    Says which findings, hosts, services and terms came, changed or went since the older report. Exit code 0 without drift,
    1 with drift.

    \b
    Examples:
      auditor compare march.json april.json
      auditor compare march.json april.json --format html --output drift.html
    """  # noqa: D301 - Click wants a real backspace
    output_.check_output(output, [old, new])
    from auditor.cli.rule_text import builtin_pack
    from auditor.drift.compare import compare_reports
    from auditor.drift.renames import with_present_codes

    renames = builtin_pack(rules).renames()
    before, after = (with_present_codes(load_saved(path), renames) for path in (old, new))

    comparison = compare_reports(before, after, ((old, Path(old).read_bytes()), (new, Path(new).read_bytes())))
    looks = output_.terminal_options(plain=plain, verbosity=verbosity, to_file=output is not None)
    output_.write(render_comparison(comparison, format_name, looks), output, text=format_name == "text")
    return int(comparison.drift)
