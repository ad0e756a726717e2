"""``auditor rules``: which checks there are, what each is about, and whether the rule files are sound."""

from __future__ import annotations

import difflib

import click

from auditor.errors import UsageError

# Rule files are read with PyYAML, which --help need not wait for: whatever needs it is imported where it is used.


@click.group()
def rules() -> None:
    """List, explain and check the rules behind the findings."""


@rules.command("list")
def list_rules() -> None:
    """List all rules with code, severity and title."""
    from auditor.cli.rule_text import builtin_pack
    from auditor.cli.tables import show_table
    from auditor.report.layout import Column

    rows = [(rule.code, rule.severity.word, rule.title) for rule in builtin_pack().rules]
    show_table([Column("Code"), Column("Severity"), Column("Title", flex=True)], rows)


@rules.command()
@click.argument("code", metavar="CODE")
def show(code: str) -> None:
    """Explain a rule: why it exists, what it leads to, what to do, and when it is wrong.

    CODE is the code or the name of a rule.
    """
    from auditor.cli.output import terminal_options
    from auditor.cli.rule_text import builtin_pack, explain

    pack = builtin_pack()
    rule = pack.find(code) or pack.find(code.upper())
    if rule is None:
        known = [word for one in pack.rules for word in (one.code, one.name)]
        near = difflib.get_close_matches(code, known, n=1) or difflib.get_close_matches(code.upper(), known, n=1)
        fix = f"did you mean {near[0]}?" if near else "auditor rules list shows all of them"
        raise UsageError(f'there is no rule "{code}"', fix=fix)
    click.echo(explain(rule, terminal_options()), nl=False)


@rules.command()
def lint() -> None:
    """Check all rule files, and run the examples that each carries."""
    from auditor.cli.rule_text import builtin_pack, lint_complaints

    pack = builtin_pack()
    complaints = lint_complaints(pack)
    for complaint in complaints:
        click.echo(complaint)
    if complaints:
        raise UsageError(f"{len(complaints)} complaints about {len(pack.rules)} rules")
    click.echo(f"{len(pack.rules)} rules, all sound")
