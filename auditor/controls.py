"""Controls of NIST SP 800-53, PCI DSS, ISO/IEC 27001 and CIS: what a report says for and against each.

``rules/controls.yaml`` holds the catalogues. Nothing is claimed that traffic cannot support: a finding that counts is
evidence against the controls of its rule; evidence for needs traffic that was judged under a declared policy by rules
of that control, a capture that supports a verdict and lacks nothing, and a control for which traffic can speak at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from auditor.compiled import remembered
from auditor.documents.document import Document, did_you_mean, read_document
from auditor.documents.yaml_tree import Node, Place
from auditor.errors import DocumentProblem, RuleError
from auditor.model import Assessment, ControlAssessment, Finding, Severity
from auditor.packs.model import Pack
from auditor.records import record
from auditor.services import rules_folder
from auditor.text import counted

_KEYS = ("title", "why", "follows", "of", "supports")
_MOST_KEYS = 50
"""Keys of findings that one control lists."""


@record
class Control:
    """A control. ``keys``: those of NIST SP 800-53 by which rules name it; ``of``: how the codes of its
    rules begin, any where empty; ``supports``: traffic can speak for it."""

    framework: str
    id: str
    title: str
    why: str
    keys: tuple[str, ...]
    supports: bool
    of: tuple[str, ...] = ()

    def bears(self, code: str, controls: Sequence[str]) -> bool:
        """Return whether a rule with this code, which names these controls, bears on this one."""
        return bool(set(controls) & set(self.keys)) and (not self.of or code.startswith(self.of))


@record
class Judged:
    """What an audit stands on: flows judged, whether the capture supports a verdict, whether roles were inferred.

    ``lacking`` says what the captures do not hold and might speak against a control. ``unread`` control connections are
    inside TLS: what went over them was judged by hosts, ports and times alone.
    """

    flows: int
    conclusive: bool
    inferred: bool
    lacking: tuple[str, ...] = ()
    unread: int = 0


def load_controls(path: Path | None = None) -> tuple[Control, ...]:
    """Return all controls, in the order of their file. Raises RuleError with all problems at once."""
    return _load(path)


@cache
def _load(path: Path | None) -> tuple[Control, ...]:
    if path is not None:
        return _read(path)
    own = rules_folder() / "controls.yaml"
    return remembered("controls", [own], (Control,), lambda: _read(own))


def _read(path: Path) -> tuple[Control, ...]:
    document = read_document(path, shown=path.name)
    fields = document.fields(document.root, ("frameworks",), required=("frameworks",), what="controls")
    frameworks = document.mapping(fields.get("frameworks"), "catalogues by name")
    controls: list[Control] = []
    for name, node in frameworks.values.items() if frameworks else ():
        controls += _framework(document, name, node)
    known = {control.id for control in controls if control.keys == (control.id,)}
    for control in controls:
        for key in control.keys:
            if key not in known:
                document.complain(
                    Place(path.name, 1), f"{control.id} follows {key!r}, which is no control", did_you_mean(key, known)
                )
    if document.problems:
        raise RuleError(document.problems)
    return tuple(controls)


def _framework(document: Document, name: str, node: Node) -> list[Control]:
    fields = document.fields(node, ("title", "controls"), required=("title", "controls"), what="a catalogue")
    title = document.text(fields.get("title")) or name
    mapping = document.mapping(fields.get("controls"), "controls by number")
    controls = []
    for number, value in mapping.values.items() if mapping else ():
        said = document.fields(value, _KEYS, required=("title", "why"), what="a control")
        follows = tuple(text for text, _ in document.texts(said.get("follows")))
        controls.append(
            Control(
                framework=title,
                id=number,
                title=document.text(said.get("title")) or "",
                why=document.text(said.get("why")) or "",
                keys=follows or (number,),
                supports=document.boolean(said.get("supports")) is not False,
                of=tuple(text for text, _ in document.texts(said.get("of"))),
            )
        )
    return controls


def lint_controls(pack: Pack, controls: Sequence[Control]) -> list[DocumentProblem]:
    """Return a complaint for each control that a rule names and no catalogue has."""
    known = {control.id for control in controls if control.keys == (control.id,)}
    return [
        DocumentProblem(rule.path, 1, 1, f"there is no control {key!r}", did_you_mean(key, known))
        for rule in pack.rules
        for key in rule.controls
        if key not in known
    ]


def assess(
    controls: Sequence[Control], pack: Pack, findings: Sequence[Finding], judged: Judged
) -> tuple[ControlAssessment, ...]:
    """Return the assessment of each control that a rule of the pack bears on."""
    named = {rule.code: rule.controls for rule in pack.rules}
    return tuple(
        _assessment(control, rules, findings, named, judged)
        for control in controls
        if (rules := [rule.code for rule in pack.rules if control.bears(rule.code, rule.controls)])
    )


def _assessment(
    control: Control,
    rules: Sequence[str],
    findings: Sequence[Finding],
    named: dict[str, tuple[str, ...]],
    judged: Judged,
) -> ControlAssessment:
    own = [one for one in findings if control.bears(one.code, named.get(one.code, ()))]
    # What rests on an answer that the capture may have lost is no evidence of anything.
    against = [one for one in own if one.severity >= Severity.LOW and not (one.waived or one.inconclusive)]
    waived = [one for one in own if one.waived]
    if against:
        word, because = Assessment.AGAINST, f"{counted(len(against), 'finding')}. {control.why}"
    elif waived:
        word = Assessment.NOT_ASSESSABLE
        because = "All findings that speak against it are waived: accepted, not refuted."
    elif not control.supports:
        word, because = (
            Assessment.NOT_ASSESSABLE,
            f"Nothing speaks against it, and traffic cannot speak for it. {control.why}",
        )
    elif judged.inferred:
        word, because = (
            Assessment.NOT_ASSESSABLE,
            "No policy was given: roles inferred from traffic bear no evidence for a control.",
        )
    elif not judged.conclusive or not judged.flows:
        word, because = Assessment.NOT_ASSESSABLE, "The capture does not support a verdict."
    elif judged.lacking:
        word, because = (
            Assessment.NOT_ASSESSABLE,
            f"Nothing speaks against it, but the captures are incomplete: {'; '.join(judged.lacking)}.",
        )
    else:
        word, because = Assessment.FOR, f"{_judged_by(rules, judged)} {control.why}"
    keys = tuple(one.key for one in against[:_MOST_KEYS])
    return ControlAssessment(control.framework, control.id, control.title, word, because, keys)


def _judged_by(rules: Sequence[str], judged: Judged) -> str:
    said = f"{counted(len(rules), 'rule')} judged {counted(judged.flows, 'flow')} and found nothing against it, where and while this was captured."
    if not judged.unread:
        return said
    return f"{said} {counted(judged.unread, 'control connection')} inside TLS judged by hosts, ports and times alone."
