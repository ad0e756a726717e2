"""The list of commands, each imported when it is asked for. Nothing here imports NumPy: ``--help``, ``--version`` and
``rules list`` start at once."""

from __future__ import annotations

import click

from auditor.cli.group import LazyGroup, print_version

COMMANDS = {
    "audit": "auditor.cli.audit:audit",
    "compare": "auditor.cli.compare:compare",
    "crosscheck": "auditor.cli.crosscheck:crosscheck",
    "doctor": "auditor.cli.doctor:doctor",
    "policy": "auditor.cli.policy:policy",
    "rejudge": "auditor.cli.rejudge:rejudge",
    "report": "auditor.cli.report:report",
    "rules": "auditor.cli.rules:rules",
    "schema": "auditor.cli.schema:schema",
    "services": "auditor.cli.services:services",
    "sessions": "auditor.cli.sessions:sessions",
    "verify": "auditor.cli.verify:verify",
    "why": "auditor.cli.why:why",
    "watch": "auditor.cli.watch:watch",
}
"""Name of a command -> module and object."""

EPILOG = """\
Exit codes: 0 conforms, 1 findings at or above --fail-on, 2 wrong usage or policy, 3 inconclusive, 130 interrupted.
Judging nothing is never 0."""


@click.group(
    cls=LazyGroup,
    commands_by_name=COMMANDS,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version", is_flag=True, callback=print_version, expose_value=False, is_eager=True, help="Show the version."
)
@click.option("--debug", is_flag=True, envvar="AUDITOR_DEBUG", help="Show a traceback should auditor itself fail.")
def command(debug: bool) -> None:
    """Hold packet captures of a Backup Exec network against its firewall policy.

    Which host opens what to which, on which port; every finding with its packets as evidence.
    """
