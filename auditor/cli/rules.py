"""``auditor rules``: which checks there are, what each is about, and whether the rule files are sound."""

from __future__ import annotations

import click

from auditor.errors import UsageError
from auditor.text import counted

# Rule files are read with PyYAML, which --help need not wait for: whatever needs it is imported where it is used.

_FOLDERS = click.option(
    "--rules", "folders", multiple=True, metavar="DIR", help="Folder of a site's own rules. May be given several times."
)


@click.group()
def rules() -> None:
    """List, explain and check the rules behind the findings."""


@rules.command("list")
@_FOLDERS
def list_rules(folders: tuple[str, ...]) -> None:
    """List all rules with code, severity and title."""
    from auditor.cli.rule_text import builtin_pack
    from auditor.cli.tables import show_table
    from auditor.report.layout import Column

    rows = [(rule.code, rule.severity.word, rule.title) for rule in builtin_pack(folders).rules]
    show_table([Column("Code"), Column("Severity"), Column("Title", flex=True)], rows)


@rules.command()
@click.argument("code", metavar="CODE")
@_FOLDERS
def show(code: str, folders: tuple[str, ...]) -> None:
    """Show a rule as its file has it: why it exists, what it leads to, what to do, and when it is wrong.

    CODE is the code or the name of a rule; one that it once had leads to it as well.
    """
    _tell(code, folders, prose=False)


@rules.command()
@click.argument("code", metavar="CODE")
@_FOLDERS
def explain(code: str, folders: tuple[str, ...]) -> None:
    """Explain a rule in sentences: also when exactly it fires, and on what it was proved.

    CODE is the code or the name of a rule; one that it once had leads to it as well.
    """
    _tell(code, folders, prose=True)


def _tell(code: str, folders: tuple[str, ...], *, prose: bool) -> None:
    from auditor.cli.failures import tell
    from auditor.cli.output import terminal_options
    from auditor.cli.rule_text import builtin_pack, renamed, rule_card, wanted_rule

    rule = wanted_rule(builtin_pack(folders), code)
    if note := renamed(rule, code):
        tell("note", note)
    click.echo(rule_card(rule, terminal_options(), prose=prose), nl=False)


@rules.command()
@_FOLDERS
def lint(folders: tuple[str, ...]) -> None:
    """Check all rule files, and run the examples that each carries; with --rules only those of the site.

    Examples of a site's own rules are judged against examples.yaml in its folder, a policy, or auditor's own.
    """
    from auditor.cli.rule_text import builtin_pack, lint_complaints

    pack = builtin_pack(folders)
    checked = [rule for rule in pack.rules if not folders or not rule.own]
    complaints = lint_complaints(pack, folders)
    for complaint in complaints:
        click.echo(complaint)
    if complaints:
        raise UsageError(f"{counted(len(complaints), 'complaint')} about {counted(len(checked), 'rule')}")
    click.echo(f"{counted(len(checked), 'rule')}, all sound")


@rules.command()
@_FOLDERS
def docs(folders: tuple[str, ...]) -> None:
    """Print the reference of all rules as Markdown; docs/rules-reference.md is made so."""
    from auditor.cli.rule_text import builtin_pack
    from auditor.packs.prose import reference_page

    click.echo(reference_page(builtin_pack(folders).rules), nl=False)


@rules.command()
@click.argument("older", metavar="GENERATION")
@click.argument("newer", metavar="GENERATION")
@click.option("--format", "format_name", type=click.Choice(("text", "json")), default="text", show_default=True)
def diff(older: str, newer: str, format_name: str) -> None:
    """Show what differs between two product generations: services, and rules for one of them only."""
    import json

    from auditor.cli.rule_text import builtin_pack, diff_text
    from auditor.packs.generations import diff_generations
    from auditor.services import generations, load_catalogue

    known = generations()
    for name in (older, newer):
        if name not in known:
            raise UsageError(f'there is no generation "{name}"', fix=f"known: {', '.join(known)}")
    found = diff_generations(load_catalogue(older), load_catalogue(newer), builtin_pack())
    if format_name == "json":
        document = {"before": older, "after": newer, **found.plain()}
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        click.echo(diff_text(found, older, newer), nl=False)


@rules.command()
def controls() -> None:
    """List the controls of NIST, PCI DSS, ISO 27001 and CIS that findings speak of, each with its rules and why."""
    from auditor.cli.rule_text import builtin_pack
    from auditor.cli.tables import show_table
    from auditor.controls import load_controls
    from auditor.report.layout import Column

    pack = builtin_pack()
    rows = [
        (
            control.framework,
            control.id,
            control.title,
            "for and against" if control.supports else "against only",
            ", ".join(rule.code for rule in pack.rules if control.bears(rule.code, rule.controls)) or "none",
            control.why,
        )
        for control in load_controls()
    ]
    columns = [
        Column("Catalogue", flex=True, least=10),
        Column("Control"),
        Column("Title", flex=True, least=14),
        Column("Traffic speaks", flex=True, least=8),
        Column("Rules", flex=True, least=8),
        Column("Why", flex=True, least=20),
    ]
    show_table(columns, rows)
