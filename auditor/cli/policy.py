"""``auditor policy``: write a policy, check it, read it as a rule base, and try flows on it, before any audit."""

from __future__ import annotations

import sys
from typing import Any

import click

from auditor.cli import output as output_
from auditor.cli.failures import tell
from auditor.cli.group import LazyGroup
from auditor.cli.progress import ReadingProgress
from auditor.errors import DocumentProblem, PolicyError, UsageError
from auditor.exit_codes import CONFORMS, FINDINGS, INCONCLUSIVE
from auditor.text import counted, escape, path_text

_VERDICTS = ("permit", "deny", "unstated", "undetermined", "out-of-scope")

# Documents are read with PyYAML, which --help need not wait for: whatever needs it is imported where it is used.


_ELSEWHERE = {
    "firewall": (
        "auditor.cli.firewall:firewall",
        "Write a policy as firewall rules: the fewest that say what it permits, each with its term and reason.",
    )
}


@click.group(cls=LazyGroup, commands_by_name=_ELSEWHERE)
def policy() -> None:
    """Write, check, read and try policy files, and write them as firewall rules."""


@policy.command()
@click.argument("captures", nargs=-1, required=True, metavar="CAPTURE...")
@click.option("--no-progress", is_flag=True, help="No progress bar.")
@click.option("--output", "-o", metavar="FILE", help="Write to a file instead of standard output.")
def draft(captures: tuple[str, ...], no_progress: bool, output: str | None) -> int:
    """Draft a policy from traffic: what was seen, with a question wherever traffic cannot tell.

    Zones come with the reason for each host, dynamic ranges with their arithmetic; what zones leave unsaid becomes terms.
    The captures conform to the draft, good and bad alike: decide every line marked "# ?" before you use it.
    """
    output_.check_output(output, list(captures))
    from auditor.drafting import draft_policy

    with ReadingProgress(wanted=not no_progress) as progress:
        drafted = draft_policy(captures, progress=progress)
    for path, reason in drafted.damaged:
        tell("warning", f"{path_text(path)}: {reason}")
    output_.write(drafted.text.encode(), output, text=True)
    if output is not None:
        tell(
            "help", f"{path_text(output)}: {counted(drafted.questions, 'question')} to decide, each on a line with # ?"
        )
    return INCONCLUSIVE if drafted.damaged else CONFORMS


@policy.command()
@click.argument("paths", nargs=-1, required=True, metavar="FILE...")
def check(paths: tuple[str, ...]) -> None:
    """Check policy files; every mistake is told at once, with its line and what to write instead."""
    from auditor.policy.load import load_policy

    problems: list[DocumentProblem] = []
    for path in paths:
        try:
            loaded = load_policy(path)
        except PolicyError as error:
            problems += error.problems
            continue
        for note in loaded.notes:
            tell("warning", f"{note.place}: {note.message}")
        zones = ", ".join(
            f"{zone.name} ({zone.role})" if zone.name != zone.role else zone.name for zone in loaded.zones
        )
        click.echo(
            escape(
                f"{path}: sound; generation {loaded.generation}, {counted(len(loaded.zones), 'zone')}"
                f"{f' ({zones})' if zones else ''}, {counted(len(loaded.site_terms), 'term')} of the site's own"
            )
        )
    if problems:
        raise PolicyError(problems)


@policy.command()
def schema() -> None:
    """Print the JSON Schema of policy files, from which editors complete and check."""
    from auditor.cli.schema import schema_text

    click.echo(schema_text("policy"), nl=False)


@policy.command()
@click.argument("path", metavar="FILE")
@click.option(
    "--format", "-f", "format_name", type=click.Choice(("text", "json")), default="text", show_default=True,
    help="Format of the output.",
)  # fmt: skip
@click.option("--plain", is_flag=True, help="No colours and no typographic signs.")
def show(path: str, format_name: str, plain: bool) -> None:
    """Show a policy as a rule base: every term in order, those that zones and product bring with them included."""
    from auditor.cli.policy_text import policy_json, policy_page
    from auditor.policy.load import load_policy
    from auditor.policy.terms import policy_terms
    from auditor.services import load_catalogue

    loaded = load_policy(path)
    terms = policy_terms(loaded, load_catalogue(loaded.generation))
    if format_name == "json":
        click.echo(policy_json(loaded, terms))
        return
    output_.write(policy_page(loaded, terms, output_.terminal_options(plain=plain)), None, text=True)


@policy.command("test")
@click.argument("flows", nargs=-1, required=True, metavar="FLOW...")
@click.option("--policy", "path", metavar="FILE", required=True, help="The policy file.")
@click.option(
    "--expect", type=click.Choice(_VERDICTS), help="Leave with 0 if this is the verdict on every flow, else with 1."
)
@click.option(
    "--format", "-f", "format_name", type=click.Choice(("text", "json")), default="text", show_default=True,
    help="Format of the output.",
)  # fmt: skip
@click.option("--plain", is_flag=True, help="No colours and no typographic signs.")
def test_flows(flows: tuple[str, ...], path: str, expect: str | None, format_name: str, plain: bool) -> int:
    """Try flows on a policy: which term decides, or which comes nearest and what does not fit.

    Flows are written in the flow notation; - reads them from standard input, one on a line. Leaves with 0 when all are
    permitted, 1 when one is not, 3 when none is any business of the policy.

    \b
    Examples:
      auditor policy test --policy site.yaml "10.77.0.10:40000 > 10.77.0.21:10000 tcp"
      auditor policy test --policy site.yaml --expect unstated "10.77.0.21:40000 > 10.77.0.22:445 tcp"
      auditor policy test --policy site.yaml "10.77.0.10:40000 > 10.77.0.21:50111 tcp data=proved"
    """  # noqa: D301 - Click wants a real backspace
    from auditor.cli.policy_text import explained_json, explained_page
    from auditor.policy.load import load_policy
    from auditor.trial import try_flows

    loaded = load_policy(path)
    text = "\n".join(sys.stdin.read() if flow == "-" else flow for flow in flows)
    explained = try_flows(text, loaded)
    if not explained:
        raise UsageError("there is no flow to try", fix='write one: "10.0.1.5:49152 > 10.0.2.9:10000 tcp"')
    if format_name == "json":
        click.echo(explained_json(explained))
    else:
        output_.write(explained_page(explained, output_.terminal_options(plain=plain)), None, text=True)
    return _exit_code([one.verdict for one in explained], expect)


def _exit_code(verdicts: list[Any], expect: str | None) -> int:
    if expect is not None:
        return CONFORMS if all(verdict == expect for verdict in verdicts) else FINDINGS
    judged = [verdict for verdict in verdicts if verdict not in ("out-of-scope", "undetermined")]
    if any(verdict != "permit" for verdict in judged):
        return FINDINGS
    return CONFORMS if len(judged) == len(verdicts) else INCONCLUSIVE
