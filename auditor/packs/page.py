"""The part of docs/rules.md that is made from the rules themselves."""

from __future__ import annotations

from auditor.packs.columns import TABLES
from auditor.packs.model import Pack, Rule

BEGIN = "<!-- made from rules/checks and auditor/packs/columns.py; a test keeps it fresh -->"
"""The line of docs/rules.md below which everything is made by ``rules_page``."""


def rules_page(pack: Pack) -> str:
    """Return the part of docs/rules.md that is made: all rules, then all tables with their columns."""
    lines = [BEGIN, "", "## Rules", "", "| code | name | severity | what it finds |", "|---|---|---|---|"]
    lines += [f"| {rule.code} | {rule.name} | {_severities(rule)} | {rule.title} |" for rule in pack.rules]
    lines += ["", "## Tables and columns", ""]
    for table, columns in TABLES.items():
        lines += [f"### {table}", "", "| column | kind | meaning |", "|---|---|---|"]
        for column in columns.values():
            words = f": {', '.join(column.words)}" if column.words else ""
            lines.append(f"| {column.name} | {column.kind.value} | {column.meaning}{words} |")
        lines.append("")
    return "\n".join(lines)


def _severities(rule: Rule) -> str:
    raised = [escalation.severity.word for escalation in rule.escalate]
    return rule.severity.word + (f", up to {', '.join(raised)}" if raised else "")


def _main() -> None:
    """Print the made part of docs/rules.md for the rules of this checkout."""
    import sys

    from auditor.packs.load import load_pack
    from auditor.services.folder import rules_folder

    sys.stdout.write(rules_page(load_pack([rules_folder() / "checks"])))


if __name__ == "__main__":
    _main()
