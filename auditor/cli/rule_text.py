"""Rules as the command line shows them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from auditor.cli.output import terminal_options
from auditor.errors import UsageError
from auditor.packs.generations import GenerationDiff
from auditor.packs.load import load_pack
from auditor.packs.model import Pack, Rule
from auditor.packs.prose import rule_parts
from auditor.report.interface import RenderOptions
from auditor.report.layout import Page, Span
from auditor.services.folder import rules_folder

_LINES = 6
"""Lines of an example that are shown."""


def builtin_pack(folders: Sequence[str] = ()) -> Pack:
    """Return the rules that come with auditor, with those of a site's own folders. Raises RuleError."""
    return load_pack([rules_folder() / "checks", *map(Path, folders)])


def wanted_rule(pack: Pack, word: str) -> Rule:
    """Return the rule that a code or a name means, present or former. Raises UsageError with the nearest one."""
    rule = pack.find(word) or pack.find(word.upper())
    if rule is not None:
        return rule
    known = [one_word for one in pack.rules for one_word in (one.code, one.name)]
    near = difflib.get_close_matches(word, known, n=1) or difflib.get_close_matches(word.upper(), known, n=1)
    fix = f"did you mean {near[0]}?" if near else "auditor rules list shows all of them"
    raise UsageError(f'there is no rule "{word}"', fix=fix)


def renamed(rule: Rule, word: str) -> str:
    """Return a note where a rule was asked for by a code or a name that it once had, else nothing."""
    former = {one.lower() for one in rule.formerly}
    return f"{word} is {rule.code} {rule.name} now" if word.lower() in former else ""


def rule_card(rule: Rule, options: RenderOptions, *, prose: bool = False) -> str:
    """Return what is worth knowing of a rule; with ``prose`` also when it fires, and its examples."""
    page = Page(options)
    page.line(Span(f"{rule.code}  {rule.title}", "heading"))
    page.line(Span(f"{rule.name} · "), Span(rule.severity.word, rule.severity.word), Span(f" · since {rule.since}"))
    for title, texts in rule_parts(rule):
        if title == "When it fires" and not prose:
            continue
        page.heading(title)
        for text in texts:
            page.paragraph(text, indent=2, label="–" if len(texts) > 1 else "")
    if prose:
        for title, examples in (("Fires on", rule.fires), ("Stays silent on", rule.silent)):
            page.heading(title)
            for example in examples:
                for line in example.text.strip().splitlines()[:_LINES]:
                    page.paragraph(line, indent=2, hang=2)
                page.blank()
    return page.text()


def diff_text(found: GenerationDiff, older: str, newer: str) -> str:
    """Return the difference of two generations for a person to read."""
    page = Page(terminal_options())
    page.line(Span(f"From {older} to {newer}", "heading"))
    for title, services in (("Services gone", found.gone), ("New services", found.new)):
        page.heading(title, "" if services else "none")
        for service in services:
            ports = f"{service.port_text} {'tcp, udp' if service.transport == 'any' else service.transport}"
            mark = ", optional" if service.optional else ""
            page.paragraph(f"{service.name} ({service.id}), {ports}{mark}", indent=2, style="strong")
            page.paragraph(f"{service.source} ({service.grade})", indent=4)
            if service.doubt:
                page.paragraph(" ".join(service.doubt.split()), indent=4, label="doubt")
    page.heading("Changed services", "" if found.changed else "none")
    for change in found.changed:
        page.paragraph(f"{change.service.name} ({change.service.id})", indent=2, style="strong")
        for name, before, after in change.fields:
            page.paragraph(f"{before or 'nothing'} → {after or 'nothing'}", indent=4, label=name)
    page.heading("Rules", "" if found.rules_gone or found.rules_new else "the same for both")
    for word, listed in (("only before", found.rules_gone), ("only after", found.rules_new)):
        for rule in listed:
            page.paragraph(f"{rule.code} {rule.title}", indent=2, label=word)
    return page.text()


def lint_complaints(pack: Pack, folders: Sequence[str] = ()) -> list[str]:
    """Return what is wrong with rules that could be loaded: texts, and examples that do not hold.

    With folders of a site's own, only the rules in them are looked at.
    """
    # Examples are run by the engine, which needs NumPy.
    from auditor.examples import lint, lint_site

    if not folders:
        return [str(complaint) for complaint in lint(pack, rules_folder())]
    return [
        str(complaint)
        for folder in folders
        for complaint in lint_site(builtin_pack([folder]), Path(folder), rules_folder())
    ]
