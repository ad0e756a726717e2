"""``auditor sessions``: who backed up or restored what, over which connections, and how it ended."""

from __future__ import annotations

from typing import Any

import click

from auditor.cli import output as output_
from auditor.cli.decoder import decoder_option
from auditor.cli.failures import tell
from auditor.cli.progress import ReadingProgress
from auditor.exit_codes import CONFORMS, INCONCLUSIVE
from auditor.text import escape, path_text


@click.command()
@click.argument("captures", nargs=-1, required=True, metavar="CAPTURE...")
@click.option("--policy", "policy_path", metavar="FILE", help="The declared policy: its NDMP ports are looked at.")
@click.option(
    "--format",
    "-f",
    "format_name",
    type=click.Choice(("text", "json")),
    default="text",
    show_default=True,
    help="Format of the output.",
)
@click.option(
    "--score",
    is_flag=True,
    help="Instead, show how well data connections would be found if nothing could be read (blind scorer).",
)
@click.option(
    "--truth",
    is_flag=True,
    help="Instead, hold the ties that are told, inside TLS too, against truth.json beside each capture.",
)
@decoder_option
@click.option("--verbose", "-v", "verbosity", count=True, help="Show every row; -vv also every reason and byte count.")
@click.option("--plain", is_flag=True, help="No colours and no typographic signs.")
@click.option("--no-progress", is_flag=True, help="No progress bar.")
@click.option("--output", "-o", metavar="FILE", help="Write to a file instead of standard output.")
def sessions(captures: tuple[str, ...], policy_path: str | None, **options: Any) -> int:
    """Tell the NDMP sessions of captures, judging nothing.

    Each control connection with its operations (who backed up or restored what, how much, how fast, how it ended) and
    the data connections tied to it, with the grade of each tie.

    \b
    Examples:
      auditor sessions site.pcapng
      auditor sessions monday-*.pcap --policy site.yaml --format json
      auditor sessions --score monday.pcap
    """  # noqa: D301 - Click wants a real backspace
    output_.check_output(options["output"], [*captures, *([policy_path] if policy_path else [])])
    if options["score"]:
        return _score(captures, policy_path, wanted=not options["no_progress"])
    if options["truth"]:
        return _rate(captures, policy_path, wanted=not options["no_progress"])
    # The pipeline loads NumPy and the core: only when there is work.
    from auditor.pipeline import AuditOptions, audit
    from auditor.report.session_lines import render_sessions, sessions_json

    looked = AuditOptions(flows=False, decoder=options["decoder"])
    with ReadingProgress(wanted=not options["no_progress"]) as progress:
        report = audit(captures, policy_path=policy_path, progress=progress, options=looked)
    unread = [capture for capture in report.captures if capture.status != "read"]
    for capture in unread:
        tell("warning", f"{escape(capture.path)}: {capture.error or 'could not be read to its end'}")
    text = options["format_name"] == "text"
    looks = output_.terminal_options(
        plain=options["plain"], verbosity=options["verbosity"], to_file=options["output"] is not None
    )
    sessions, undecided = report.sessions, report.undecided
    if text:
        data = render_sessions(sessions, looks, undecided, report.captures)
    else:
        data = sessions_json(sessions, undecided, report.captures)
    output_.write(data, options["output"], text=text)
    return INCONCLUSIVE if unread else CONFORMS


def _score(captures: tuple[str, ...], policy_path: str | None, *, wanted: bool) -> int:
    """Print precision and recall of the blind scorer, for each capture and in all."""
    from auditor.cli.tables import show_table
    from auditor.pipeline.auditing import rehearse
    from auditor.report.layout import Column
    from auditor.sessions import Rehearsal

    rows: list[tuple[str, ...]] = []
    total = Rehearsal()
    for path in captures:
        with ReadingProgress(wanted=wanted) as progress:
            result = rehearse(path, policy_path=policy_path, progress=progress)
        total += result
        rows.append(_score_row(path_text(path), result))
    rows.append(_score_row("all", total))
    titles = ("Sessions", "Proved", "Given", "Right", "Precision", "Recall", "Clear, right", "Withheld")
    show_table([Column("Capture"), *(Column(title, right=True) for title in titles)], rows)
    return CONFORMS


def _rate(captures: tuple[str, ...], policy_path: str | None, *, wanted: bool) -> int:
    """Print precision and recall of the ties against the truth beside each capture, and in all."""
    from auditor.cli.session_truth import Rated, rate, true_ties
    from auditor.cli.tables import show_table
    from auditor.pipeline import AuditOptions, audit
    from auditor.report.layout import Column

    truths = [true_ties(path) for path in captures]
    rows: list[tuple[str, ...]] = []
    total = Rated()
    for path, true in zip(captures, truths, strict=True):
        with ReadingProgress(wanted=wanted) as progress:
            report = audit([path], policy_path=policy_path, progress=progress, options=AuditOptions(flows=False))
        rated = rate(report, true)
        total += rated
        rows.append(_rated_row(path_text(path), rated))
    rows.append(_rated_row("all", total))
    titles = ("Sessions", "True", "Told", "Right", "Precision", "Recall", "Undecided")
    show_table([Column("Capture"), *(Column(title, right=True) for title in titles)], rows)
    return CONFORMS


def _rated_row(name: str, rated: Any) -> tuple[str, ...]:
    """Return a row; ``rated`` is an ``auditor.cli.session_truth.Rated``."""
    shares = (f"{rated.right / whole:.2f}" if whole else "–" for whole in (rated.told, rated.true))
    return (name, *map(str, (rated.sessions, rated.true, rated.told, rated.right)), *shares, str(rated.undecided))


def _score_row(name: str, result: Any) -> tuple[str, ...]:
    """Return a row; ``result`` is an ``auditor.sessions.Rehearsal``, whose module loads NumPy."""
    counts = (result.sessions, result.proved, result.given, result.right)
    shares = ("–" if share is None else f"{share:.2f}" for share in (result.precision, result.recall))
    return (name, *map(str, counts), *shares, f"{result.clear}, {result.clear_right}", str(result.withheld))
