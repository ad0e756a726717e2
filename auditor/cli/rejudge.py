"""``auditor rejudge``: exported flows under another policy, without the packets."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from auditor.exit_codes import CONFORMS, FINDINGS


@click.command()
@click.argument("export", metavar="FLOWS")
@click.option("--policy", "policy_path", metavar="FILE", required=True, help="The policy to judge them under.")
@click.option(
    "--format", "-f", "format_name", type=click.Choice(("text", "json")), default="text", show_default=True,
    help="Format of the output.",
)  # fmt: skip
def rejudge(export: str, policy_path: str, format_name: str) -> int:
    """Judge exported flows under another policy.

    FLOWS is what audit wrote with --report FILE.flows.json (the report with its flows), FILE.parquet or
    FILE.flows.jsonl. Told are the flows whose verdict changes: what was established and would no longer be permitted,
    what would newly be allowed, and any other change. Which flows are control and data connections is taken from the
    export. The exit code is 1 where something would break.

    \b
    Examples:
      auditor audit site.pcapng --policy site.yaml --report site.parquet
      auditor rejudge site.parquet --policy draft.yaml
      auditor rejudge site.flows.json --policy draft.yaml
    """  # noqa: D301 - Click wants a real backspace
    # These load NumPy: only when there is work.
    from auditor.policy.load import load_policy
    from auditor.rejudge import BREAKS, read_export
    from auditor.rejudge import rejudge as judge_again
    from auditor.services import load_catalogue

    policy = load_policy(policy_path)
    changes = judge_again(read_export(export), policy, load_catalogue(policy.generation))
    rows = [asdict(change) for change in changes]
    if format_name == "json":
        click.echo(json.dumps(rows, indent=2))
    else:
        _show(rows)
    return FINDINGS if any(change.kind == BREAKS for change in changes) else CONFORMS


def _show(changes: list[dict[str, Any]]) -> None:
    from auditor.cli.tables import show_table
    from auditor.report.layout import Column

    if not changes:
        click.echo("Nothing changes: every flow gets the verdict that it has.")
        return
    rows = [
        (
            row["kind"], f"{row['flows']}", f"{row['before']} → {row['after']}", row["term_after"] or row["term_before"],
            f"{row['originator_zone']} → {row['responder_zone']}", row["example"],
        )
        for row in changes
    ]  # fmt: skip
    titles = ("Change", "Flows", "Verdict", "Term", "Zones", "First of them")
    show_table([Column(title, right=title == "Flows") for title in titles], rows)
