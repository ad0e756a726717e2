"""Rules as the command line shows them."""

from __future__ import annotations

from auditor.packs.load import load_pack
from auditor.packs.model import Pack, Rule
from auditor.report.interface import RenderOptions
from auditor.report.layout import Page, Span
from auditor.services import rules_folder


def builtin_pack() -> Pack:
    """Return the rules that come with auditor. Raises RuleError."""
    return load_pack([rules_folder() / "checks"])


def explain(rule: Rule, options: RenderOptions) -> str:
    """Return what is worth knowing of a rule, for a person to read."""
    page = Page(options)
    page.line(Span(f"{rule.code}  {rule.title}", "heading"))
    page.line(Span(f"{rule.name} · "), Span(rule.severity.word, rule.severity.word), Span(f" · since {rule.since}"))
    parts = (
        ("Why", (rule.why,)),
        ("What it says", (rule.message.text,)),
        ("Likely consequence", (rule.consequence.text,)),
        ("Remedy", (rule.remedy.text,)),
        ("False alarms", rule.false_alarms),
        ("Sources", rule.sources),
        ("Controls", rule.controls),
    )
    for title, texts in parts:
        if any(texts):
            page.heading(title)
        for text in texts:
            page.paragraph(" ".join(text.split()), indent=2, label="–" if len(texts) > 1 else "")
    return page.text()


def lint_complaints(pack: Pack) -> list[str]:
    """Return what is wrong with rules that could be loaded: texts, and examples that do not hold."""
    # Examples are run by the engine, which needs NumPy.
    from auditor.examples import lint

    return [str(complaint) for complaint in lint(pack, rules_folder())]
