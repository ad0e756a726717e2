"""``auditor audit``: captures and a policy in, a judged report out."""

from __future__ import annotations

import os
from typing import Any

import click

from auditor.cli import output as output_
from auditor.cli.days import read_day
from auditor.cli.decoder import decoder_option, tell_undecoded
from auditor.cli.failures import tell
from auditor.cli.manifests import OPTION_HELP, check_manifest, files_of_policy, write_manifest
from auditor.cli.progress import ReadingProgress
from auditor.errors import UsageError
from auditor.model import CaptureSummary, Report, Severity
from auditor.model.quality import VANTAGES
from auditor.report.registry import FORMATS, pieces, split_target, wants_flows
from auditor.verdict import exit_code

SEVERITIES = tuple(severity.word for severity in Severity)


@click.command()
@click.argument("captures", nargs=-1, required=True, metavar="CAPTURE...")
@click.option(
    "--policy",
    "policy_path",
    metavar="FILE",
    help="The declared policy. Without it, roles are inferred from the traffic.",
)
@click.option(
    "--format",
    "-f",
    "format_name",
    type=click.Choice(tuple(FORMATS)),
    default="text",
    show_default=True,
    help="Format of the report.",
)
@click.option(
    "--fail-on",
    type=click.Choice(SEVERITIES),
    default="low",
    show_default=True,
    help="Leave with exit code 1 from this severity on.",
)
@click.option(
    "--rules",
    multiple=True,
    metavar="DIR",
    help="Folder of the site's own rules, beside auditor's and those that the policy names. May be given several times.",
)
@click.option("--exit-zero", is_flag=True, help="Leave with exit code 0 in spite of findings; 3 stays 3.")
@click.option(
    "--sockets",
    multiple=True,
    metavar="HOST=FILE",
    help="What a host listens on, as ss, netstat, lsof or PowerShell printed it there. May be given several times.",
)
@click.option("--hash", "hash_files", is_flag=True, help="Put the SHA-256 of each capture into the report.")
@click.option(
    "--vantage",
    type=click.Choice(tuple(VANTAGES)),
    help="Where the captures were taken. Without it, that is inferred from the traffic.",
)
@click.option("--keep-duplicates", is_flag=True, help="Count a packet as often as it was captured.")
@decoder_option
@click.option(
    "--verbose",
    "-v",
    "verbosity",
    count=True,
    help="Show sessions, services, hosts and every finding; -vv also every reason and packet number.",
)
@click.option("--plain", is_flag=True, help="No colours and no typographic signs, for screen readers and logs.")
@click.option("--no-progress", is_flag=True, help="No progress bar.")
@click.option("--output", "-o", metavar="FILE", help="Write the report to a file instead of standard output.")
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="FILE",
    help="Write the report to a file as well, in the format of its suffix (.html, .json, .xlsx, .sarif, .csv ...) or as"
    " FORMAT=FILE, with the SHA-256 of each capture. May be given several times.",
)
@click.option(
    "--waivers", multiple=True, metavar="FILE", help="Waivers: accepted deviations. May be given several times."
)
@click.option(
    "--as-of",
    metavar="DAY",
    help="Judge waivers on this day (2026-12-31, or today) instead of the day of the last packet.",
)
@click.option(
    "--baseline", metavar="REPORT.json", help="Mark what is new since an earlier report, and list what is gone."
)
@click.option("--manifest", metavar="FILE", help=OPTION_HELP)
@click.option("--fail-on-new", is_flag=True, help="Leave with exit code 1 only for what the baseline lacks.")
def audit(captures: tuple[str, ...], policy_path: str | None, **options: Any) -> int:
    """Audit captures against a policy.

    Reads one or more capture files (pcap, pcapng), finds the NDMP control connections and the data connections that
    follow them, holds every flow against the policy, and says what deviates, with packet numbers.

    \b
    Examples:
      auditor audit site.pcapng --policy site.yaml
      auditor audit monday-*.pcap --policy site.yaml --fail-on high
      auditor audit site.pcapng --policy site.yaml --format json --output site.json
      auditor audit site.pcapng --policy site.yaml --report site.html --report site.json
      auditor audit site.pcapng --policy site.yaml --waivers accepted.yaml --as-of today
      auditor audit site.pcapng --policy site.yaml --baseline last-week.json --fail-on-new
    """  # noqa: D301 - Click wants a real backspace
    baseline, waivers = options["baseline"], options["waivers"]
    if options["fail_on_new"] and baseline is None:
        raise UsageError("--fail-on-new needs a baseline", fix="add --baseline REPORT.json")
    as_of = read_day(options["as_of"])
    sockets = tuple(map(_host_and_file, options["sockets"]))
    named = (policy_path, baseline, *waivers, *(path for _, path in sockets))
    inputs = [*captures, *(name for name in named if name)]
    output_.check_output(options["output"], inputs)
    output_.check_format(options["format_name"], options["output"], flows=True)
    output_.check_reports(options["reports"], inputs, options["output"], flows=True)
    check_manifest(options["manifest"], inputs, (options["output"], *options["reports"]))
    formats = [options["format_name"], *(split_target(target)[0] for target in options["reports"])]
    # NumPy's linear algebra, which nothing here calls, starts a thread for each processor, and they spin: 0.07 s of
    # CPU time for nothing. Whoever set the number keeps it.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # The pipeline loads NumPy and the core: only when there is work.
    from auditor.pipeline import AuditOptions
    from auditor.pipeline import audit as run_audit

    with ReadingProgress(wanted=not options["no_progress"]) as progress:
        report = run_audit(
            captures,
            policy_path=policy_path,
            # A report that is kept says which files it is about; names alone do not.
            options=AuditOptions(
                hash_files=options["hash_files"] or bool(options["reports"]) or options["manifest"] is not None,
                flows=wants_flows(formats),
                keep_duplicates=options["keep_duplicates"],
                decoder=options["decoder"],
                vantage=options["vantage"],
                sockets=sockets,
                rules=options["rules"],
                waivers=waivers,
                as_of=as_of,
                baseline=baseline,
            ),
            progress=progress,
        )
    _deliver(report, **options)
    if options["decoder"] == "own":
        tell_undecoded(report)
    output_.write_reports(report, options["reports"], verbosity=options["verbosity"])
    _prove(report, captures, policy_path, **options)
    return exit_code(
        report,
        fail_on=Severity[options["fail_on"].upper()],
        exit_zero=options["exit_zero"],
        only_new=options["fail_on_new"],
    )


def _host_and_file(text: str) -> tuple[str, str]:
    """Return the two halves of ``HOST=FILE``. Raises UsageError where one is missing."""
    host, equals, path = text.partition("=")
    if not (host and equals and path):
        raise UsageError(f'--sockets "{text}" is not HOST=FILE', fix="write --sockets 10.0.0.5=agent.txt")
    return host, path


def _deliver(report: Report, *, format_name: str, output: str | None, plain: bool, verbosity: int, **_: Any) -> None:
    """Write the report where it was asked for, and on standard error what its reader there would miss."""
    text = format_name == "text"
    unread = [capture for capture in report.captures if capture.status != "read"]
    nothing = all(capture.status == "unreadable" for capture in report.captures)
    if nothing or not text or output:
        _tell_unread(unread)
    if nothing and text:
        return
    looks = output_.terminal_options(plain=plain, verbosity=verbosity, to_file=output is not None)
    output_.write(pieces(report, format_name, looks), output, text=text)


def _prove(report: Report, captures: tuple[str, ...], policy_path: str | None, **options: Any) -> None:
    """Write the manifest of the run, if one was asked for."""
    baseline = options["baseline"]
    write_manifest(
        options["manifest"],
        "audit",
        report,
        options={
            "format": options["format_name"],
            "verbose": str(options["verbosity"]),
            "fail-on": options["fail_on"],
            **({"fail-on-new": "yes"} if options["fail_on_new"] else {}),
            **({"decoder": options["decoder"]} if options["decoder"] != "own" else {}),
            **({"exit-zero": "yes"} if options["exit_zero"] else {}),
            **({"as-of": report.as_of} if options["as_of"] else {}),
        },
        inputs=[
            *(("capture", name) for name in captures),
            *files_of_policy(policy_path),
            *(("waivers", name) for name in options["waivers"]),
            *([("baseline", baseline)] if baseline else []),
        ],
        outputs=[("report", options["output"]), *(("report", name) for name in options["reports"])],
    )


def _tell_unread(captures: list[CaptureSummary]) -> None:
    """Say of each capture that was not read to its end what was wrong with it."""
    for capture in captures:
        kind = "error" if capture.status == "unreadable" else "warning"
        tell(kind, f"{capture.path}: {capture.error or 'could not be read to its end'}")
    if any(capture.status == "unreadable" for capture in captures):
        tell("help", "name pcap or pcapng files that you may read, as tcpdump, dumpcap and Wireshark write them")
