"""The list of commands, each imported when it is asked for. Nothing here imports NumPy: ``--help``, ``--version`` and
``rules list`` start at once."""

from __future__ import annotations

import click

from auditor.cli.group import LazyGroup, print_version

COMMANDS = {
    "audit": ("auditor.cli.audit:audit", "Audit captures against a policy."),
    "compare": ("auditor.cli.compare:compare", "Compare two saved reports."),
    "crosscheck": (
        "auditor.cli.crosscheck:crosscheck",
        "Compare the flows of captures with those that Wireshark sees.",
    ),
    "doctor": (
        "auditor.cli.doctor:doctor",
        "Tell how this machine would listen, which privilege is missing, and the least that must be given.",
    ),
    "policy": (
        "auditor.cli.policy:policy",
        "Write, check, read and try policy files, and write them as firewall rules.",
    ),
    "rejudge": ("auditor.cli.rejudge:rejudge", "Judge exported flows under another policy."),
    "report": ("auditor.cli.report:report", "Render a saved report again."),
    "rules": ("auditor.cli.rules:rules", "List, explain and check the rules behind the findings."),
    "schema": ("auditor.cli.schema:schema", "Print the JSON Schema of a document."),
    "services": ("auditor.cli.services:services", "Show the services of the product, by the vendor's names."),
    "sessions": ("auditor.cli.sessions:sessions", "Tell the NDMP sessions of captures, judging nothing."),
    "verify": ("auditor.cli.verify:verify", "Check the files of a manifest."),
    "why": ("auditor.cli.why:why", "Explain a finding, and show or carve the packets that prove it."),
    "watch": ("auditor.cli.watch:watch", "Audit packets as they come, for minutes or for months."),
}
"""Name of a command -> module and object, and what it does: the first paragraph of its help."""

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
