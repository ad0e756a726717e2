"""A rule told in sentences: when it fires, what it says, what it may mean, and when it is wrong."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.packs.columns import TABLES, Kind
from auditor.packs.model import Condition, Rule

TABLE_WORDS = {
    "flows": "every flow",
    "data": "each end of every data connection",
    "sessions": "every control connection",
    "captures": "every capture file",
    "policy": "the audit as a whole",
    "hosts": "every host with data connections",
    "capacity": "every host with data ports in use",
    "terms": "every term of the policy",
    "ranges": "every zone, and every host with a range of its own",
    "expected": "every host and service that the policy leads one to expect",
    "listeners": "sockets that hosts list as listening, and those that they should",
    "waivers": "waivers, as they stand on the day of judgement",
}
"""What the rows of a table are, in words."""

Part = tuple[str, tuple[str, ...]]


def rule_parts(rule: Rule) -> tuple[Part, ...]:
    """Return headings with paragraphs; parts without text are left out."""
    parts: tuple[Part, ...] = (
        ("Why", (rule.why,)),
        ("When it fires", tuple(_when(rule))),
        ("What it says", (rule.message.text,)),
        ("Likely consequence", (rule.consequence.text,)),
        ("Remedy", (rule.remedy.text,)),
        ("False alarms", rule.false_alarms),
        ("Sources", rule.sources),
        ("Controls", (", ".join(rule.controls),)),
        ("Formerly", (", ".join(rule.formerly),)),
    )
    told = ((title, tuple(" ".join(text.split()) for text in texts if text)) for title, texts in parts)
    return tuple((title, texts) for title, texts in told if texts)


def _when(rule: Rule) -> Iterable[str]:
    """Yield what a row must be for the rule to take it."""
    yield f"It looks at {TABLE_WORDS[rule.table]}{' and takes all' if not rule.select else ', where:'}"
    for condition in rule.select:
        yield f"{condition.column} {_demand(condition, rule.table)}: {TABLES[rule.table][condition.column].meaning}"
    if rule.threshold > 1:
        yield f"at least {rule.threshold} such rows agree in {', '.join(rule.subject)}"
    for escalation in rule.escalate:
        also = " and ".join(f"{one.column} {_demand(one, rule.table)}" for one in escalation.select)
        yield f"it is {escalation.severity.word} where also {also}"
    if rule.generations:
        yield f"only for generations {', '.join(rule.generations)}"
    if rule.undermines:
        yield "the finding says that the capture cannot support a verdict"


def _demand(condition: Condition, table: str) -> str:
    """Return a condition as words: ``is yes``, ``is agents or databases``, ``is at least 2``."""
    values = [str(value) for value in condition.values]
    if TABLES[table][condition.column].kind is Kind.FLAG:
        return "is yes" if values == ["true"] else "is no"
    words = {
        "in": "is",
        "not in": "is not",
        "!=": "is not",
        "<": "is below",
        "<=": "is at most",
        ">": "is above",
        ">=": "is at least",
    }
    return f"{words[condition.operator]} {' or '.join(values)}"


def reference_page(rules: Iterable[Rule]) -> str:
    """Return all rules as a page of Markdown, one section for each."""
    rules = tuple(rules)
    lines = ["# Reference of rules", "", REFERENCE_NOTE, ""]
    lines += [f"- [{rule.code} {rule.title}](#{_anchor(rule)})" for rule in rules]
    for rule in rules:
        raised = "".join(f", up to {escalation.severity.word}" for escalation in rule.escalate)
        lines += ["", f"## {rule.code} {rule.title}", ""]
        lines += [f"`{rule.name}` · {rule.severity.word}{raised} · since {rule.since} · `rules/{rule.path}`"]
        for title, texts in rule_parts(rule):
            lines += ["", f"**{title}.** {texts[0]}" if len(texts) == 1 else f"**{title}.**"]
            if len(texts) > 1:
                lines += ["", *(f"- {text}" for text in texts)]
        for title, examples in (("Fires on", rule.fires), ("Stays silent on", rule.silent)):
            lines += ["", f"**{title}**", ""]
            lines += ["```text", "\n\n".join(_shown(example.text) for example in examples), "```"]
    return "\n".join(lines) + "\n"


REFERENCE_NOTE = (
    "Made from the rule files by `auditor rules docs`; a test keeps it fresh. [rules.md](rules.md) tells how rules are "
    "written, [controls.md](controls.md) what the controls mean. Consequences are possible ones, never certain."
)
_LINES = 6


def _shown(text: str) -> str:
    """Return an example, the middle of a long one left out."""
    lines = text.strip().splitlines()
    return "\n".join(
        lines if len(lines) <= _LINES else [*lines[: _LINES - 1], f"… and {len(lines) - _LINES + 1} more lines"]
    )


def _anchor(rule: Rule) -> str:
    """Return the name that Markdown gives the heading of a rule."""
    text = f"{rule.code} {rule.title}".lower()
    return "".join(letter for letter in text if letter.isalnum() or letter in " -_").replace(" ", "-")
