"""``auditor watch``: the same audit on packets that keep coming."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from auditor.cli import output as output_
from auditor.cli.audit_options import SEVERITIES
from auditor.report.registry import split_target, wants_flows
from auditor.sources.registry import SOURCES


@click.command()
@click.argument("source", metavar="SOURCE")
@click.option("--policy", "policy_path", metavar="FILE", help="The declared policy. Without it, roles are inferred.")
@click.option(
    "--rules", multiple=True, metavar="DIR", help="Folder of the site's own rules. May be given several times."
)
@click.option("--waivers", multiple=True, metavar="FILE", help="Accepted deviations. May be given several times.")
@click.option(
    "--format",
    "-f",
    "format_name",
    type=click.Choice(("lines", "jsonl")),
    default="lines",
    show_default=True,
    help="What standard output gets: a line each for people, or JSON Lines.",
)
@click.option("--tui", is_flag=True, help="A live view instead of lines (needs the extra tui).")
@click.option("--plain", is_flag=True, help="No typographic signs.")
@click.option(
    "--journal", metavar="FILE", help="What was told, for the next start. Default: the state folder for interfaces."
)
@click.option("--duration", metavar="SPAN", help="End after this time (30s, 5m, 2h, 1d).")
@click.option("--count", type=click.IntRange(1), metavar="N", help="End once so many packets were taken.")
@click.option("--interval", default="1s", show_default=True, metavar="SPAN", help="Least time between two audits.")
@click.option(
    "--settle",
    default="60s",
    show_default=True,
    metavar="SPAN",
    help="Wait so long for an answer before it is missing.",
)
@click.option(
    "--observe", default="1d", show_default=True, metavar="SPAN", help="Tell what was never seen only after this time."
)
@click.option(
    "--repeat-every", default="5m", show_default=True, metavar="SPAN", help="Repeat a finding so often at most."
)
@click.option(
    "--close-after", default="1h", show_default=True, metavar="SPAN", help="A finding without news for so long ended."
)
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="FILE",
    help="Write a report here at the end and on SIGUSR1; as audit.",
)
@click.option(
    "--report-every", metavar="SPAN", help="Write the reports so often as well, with the date in their names."
)
@click.option("--log", "logs", multiple=True, metavar="FILE", help="Append JSON Lines to a file that is rotated.")
@click.option("--log-size", default="100M", show_default=True, metavar="SIZE", help="Rotate --log beyond this size.")
@click.option("--log-keep", default=5, show_default=True, type=click.IntRange(0, 1000), help="Rotated files to keep.")
@click.option(
    "--syslog", multiple=True, metavar="TARGET", help="udp://HOST:514, tcp://HOST:601 or unix:/dev/log (RFC 5424)."
)
@click.option(
    "--webhook", multiple=True, metavar="URL", help="POST each piece of news as JSON; token: AUDITOR_WEBHOOK_TOKEN."
)
@click.option("--metrics", metavar="PORT", help="Prometheus metrics on this loopback port.")
@click.option("--metrics-anywhere", is_flag=True, help="Let --metrics ADDRESS:PORT be reached from elsewhere.")
@click.option(
    "--processes", is_flag=True, help="Ask this machine which program owns which port (needs the extra processes)."
)
@click.option(
    "--max-flows",
    type=click.IntRange(1000),
    metavar="N",
    help="Flows in memory at most. Default: what 200 MB, or a quarter of the memory, hold.",
)
@click.option(
    "--snaplen", type=click.IntRange(64, 262_144), default=262_144, show_default=True, help="Bytes of each packet."
)
@click.option(
    "--filter",
    "filter_",
    default="",
    metavar="EXPRESSION",
    help="Take only what this lets through, as tcpdump has it; policy: only what its hosts send or get.",
)
@click.option(
    "--source", "by", type=click.Choice(tuple(SOURCES)), help="What to listen with; auditor doctor tells the choice."
)
@click.option("--rings", type=click.IntRange(1, 64), default=1, show_default=True, help="Packet rings, shared by flow.")
@click.option(
    "--buffer", type=click.IntRange(2, 4096), default=64, show_default=True, metavar="MB", help="Of each ring."
)
@click.option("--hardware-times", is_flag=True, help="Times of the network card, where it gives them.")
@click.option("--no-promiscuous", is_flag=True, help="Only packets to and from this machine.")
@click.option(
    "--fail-on", type=click.Choice(SEVERITIES), default="low", show_default=True, help="Exit code 1 from here on."
)
@click.option("--exit-zero", is_flag=True, help="Leave with exit code 0 in spite of findings; 3 stays 3.")
def watch(source: str, policy_path: str | None, **options: Any) -> int:
    """Audit packets as they come, for minutes or for months.

    SOURCE is an interface, a capture file, a FIFO, or - for standard input. Tells each session, data connection, job and
    finding once, when it happens; the end is a full report. SIGUSR1 writes the reports, SIGHUP reads policy, rules and
    waivers anew, SIGINT and SIGTERM end. Exit codes are those of audit; any lost packet makes it 3.

    \b
    Examples:
      auditor watch eth0 --policy site.yaml
      auditor watch eth0 --policy site.yaml --report site.html --report-every 1d
      ssh sensor tcpdump -U -w - | auditor watch - --policy site.yaml --format jsonl
    """  # noqa: D301 - Click wants a real backspace
    inputs = [name for name in (source, policy_path, *options["waivers"]) if name]
    output_.check_reports(options["reports"], inputs, flows=True)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from auditor.cli.watch_run import run_watch
    from auditor.pipeline import AuditOptions

    told = AuditOptions(
        flows=wants_flows(split_target(target)[0] for target in options["reports"]),
        rules=options["rules"],
        waivers=options["waivers"],
    )
    return run_watch(source, policy_path, told, sys.stdout.buffer, **options)
