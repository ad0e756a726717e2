"""Loads packs: folders of rule files, one YAML file for each rule. Tells every mistake of every file at once."""

from __future__ import annotations

import os
from collections.abc import Iterable

from auditor.compiled import remembered
from auditor.digests import files_below
from auditor.errors import DocumentProblem, RuleError
from auditor.model import Severity
from auditor.packs.model import Collapse, Condition, Escalation, Example, Pack, Rule, Template
from auditor.records import record, replace
from auditor.services import rules_at

NOT_RULES = frozenset({"examples.yaml"})
"""Files in a folder of rules that hold none: the policy that the examples of a site's own rules are judged against."""


def load_pack(folders: Iterable[str | os.PathLike[str]], *, examples: bool = True) -> Pack:
    """Load every rule file below the folders, site rules and built-in ones alike.

    Without ``examples`` the rules that come with auditor have none: a quarter of what is kept of them, and judging asks for
    no example.

    Raises
    ------
    RuleError
        With all problems of all files, each with file, line and what to write instead.
    """
    rules: list[Rule] = []
    problems: list[DocumentProblem] = []
    for folder in [os.fspath(one) for one in folders]:
        if not os.path.isdir(folder):
            problems.append(DocumentProblem(folder, 1, 1, "there is no such folder of rules", "name a folder"))
        paths = [path for path in files_below(folder, ".yaml") if os.path.basename(path) not in NOT_RULES]
        found = _built_in(folder, paths, examples=examples) if folder == rules_at("checks") else _read(folder, paths)
        rules += found.rules
        problems += found.problems
    problems += _shared(rules)
    if problems:
        raise RuleError(problems)
    return Pack(tuple(sorted(rules, key=lambda rule: rule.code)))


@record
class _Folder:
    """The sound rules of a folder, and what is wrong with the others."""

    rules: tuple[Rule, ...]
    problems: tuple[DocumentProblem, ...] = ()


def _built_in(folder: str, paths: list[str], *, examples: bool) -> _Folder:
    """Return the rules that come with auditor, as they were read the last time where nothing has changed since."""

    def read() -> _Folder:
        found = _read(folder, paths)
        if examples:
            return found
        return _Folder(tuple(replace(rule, fires=(), silent=()) for rule in found.rules), found.problems)

    types = (Rule, Condition, Template, Escalation, Collapse, Example, Severity, DocumentProblem, _Folder)
    # The names of product generations, which rules may give, are those of the service files.
    others = files_below(rules_at("services"), ".yaml")
    return remembered("checks" if examples else "judged", [*paths, *others], types, read)


def _read(folder: str, paths: list[str]) -> _Folder:
    # Only here: what is kept of the rules that come with auditor need not be read.
    from pathlib import Path

    from auditor.packs.read import read_rules

    rules, problems = read_rules(Path(folder), map(Path, paths))
    return _Folder(tuple(rules), tuple(problems))


def _shared(rules: list[Rule]) -> list[DocumentProblem]:
    """Return complaints about codes and names that more than one rule has."""
    problems: list[DocumentProblem] = []
    seen: dict[str, Rule] = {}
    for rule in rules:
        for word in (rule.code, rule.name, *rule.formerly):
            if word in seen:
                message = f"{word} is already the rule of {seen[word].path}"
                problems.append(DocumentProblem(rule.path, 1, 1, message, "codes and names are stable for ever"))
            seen.setdefault(word, rule)
    return problems
