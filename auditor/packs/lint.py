"""Checks of rules that need no traffic: names, folders, families. ``auditor.examples`` proves the examples."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from auditor.errors import DocumentProblem
from auditor.packs.model import Pack, Rule
from auditor.services import Service

FAMILIES = {
    "listeners": "BX00",
    "absence": "BX05",
    "blocked": "BX1",
    "exposed": "BX2",
    "range": "BX3",
    "notification": "BX4",
    "roles": "BX5",
    "posture": "BX6",
    "hygiene": "BX7",
    "capacity": "BX8",
    "quality": "BX9",
    "waivers": "BX95",
}
"""Folder of a family -> how its codes begin. A site's own rules may use any folder and any other code."""

_LONGEST_TITLE = 72
_CERTAIN = ("quality", "waivers")
"""Families that tell what is in a file and judge nothing: there is no doubt about those."""
_SINCE = re.compile(r"[0-9]+(\.[0-9]+)*", re.ASCII)
_OWN_CODE = re.compile(r"BX[0-9]{3}", re.ASCII)


def lint_pack(pack: Pack) -> list[DocumentProblem]:
    """Return what is wrong with the form of the rules of a pack, in the order of their codes."""
    return [problem for rule in pack.rules for problem in _lint_rule(rule)]


def lint_services(services: Iterable[Service]) -> Iterator[DocumentProblem]:
    """Yield a complaint for each service that does not tell where its claim comes from and since when it is here."""
    for one in services:
        if not one.source or not one.since:
            what = "source" if not one.source else "since"
            yield DocumentProblem(one.place.path, one.place.line, 1, f"service {one.id!r} has no {what}", "add it")


def _lint_rule(rule: Rule) -> Iterator[DocumentProblem]:
    path = PurePosixPath(rule.path)
    if path.stem != rule.name:
        yield _problem(rule, f"the file is named {path.name}, the rule {rule.name}", f"rename it {rule.name}.yaml")
    yield from _lint_family(rule, path.parent.name)
    if not rule.fires:
        yield _problem(rule, "no example fires", "add one under examples: fires")
    if not rule.silent:
        yield _problem(rule, "no example stays silent", "add one under examples: silent")
    if not rule.sources:
        yield _problem(rule, "no source is given", "say under sources where the claim comes from")
    if rule.own and not rule.false_alarms and path.parent.name not in _CERTAIN:
        yield _problem(rule, "no doubt is told", "say under false_alarms when it is wrong")
    if rule.own and not _SINCE.fullmatch(rule.since):
        yield _problem(rule, f"since {rule.since!r} is no version", "write the version that brought it, such as 0.2.0")
    if len(rule.title) > _LONGEST_TITLE or rule.title.endswith("."):
        yield _problem(
            rule, f"the title is no short heading: {rule.title}", f"at most {_LONGEST_TITLE} characters, no full stop"
        )
    if rule.own and not _OWN_CODE.fullmatch(rule.code):
        yield _problem(rule, f"{rule.code} is not BX and three digits", "a site's own rules have another prefix")
    if rule.table == "flows" and not rule.select:
        yield _problem(rule, "the rule takes every flow", "say under select which flows it means")


def _lint_family(rule: Rule, folder: str) -> Iterator[DocumentProblem]:
    expected = FAMILIES.get(folder)
    if expected is None and rule.own:
        yield _problem(rule, f"folder {folder} is no family", f"known: {', '.join(FAMILIES)}")
    elif expected is not None and rule.own and not rule.code.startswith(expected):
        yield _problem(rule, f"code {rule.code} is not of family {folder}", f"codes there begin with {expected}")


def _problem(rule: Rule, message: str, fix: str) -> DocumentProblem:
    return DocumentProblem(rule.path, 1, 1, message, fix)
