"""Controls of NIST SP 800-53, PCI DSS, ISO/IEC 27001 and CIS: what a report says for and against each.

``rules/controls.yaml`` holds the catalogues. Nothing is claimed that traffic cannot support: a finding that counts is
evidence against the controls of its rule; evidence for needs traffic that was judged under a declared policy by rules
of that control, a capture that supports a verdict and lacks nothing, and a control for which traffic can speak at all.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache

from auditor.compiled import remembered
from auditor.controls.model import Control, Judged
from auditor.model import Assessment, ControlAssessment, Finding, Severity
from auditor.packs.model import Pack
from auditor.services import rules_at
from auditor.text import counted

__all__ = ["Control", "Judged", "assess", "load_controls"]

_MOST_KEYS = 50
"""Keys of findings that one control lists."""


def load_controls(path: str | os.PathLike[str] | None = None) -> tuple[Control, ...]:
    """Return all controls, in the order of their file. Raises RuleError with all problems at once."""
    return _load(None if path is None else os.fspath(path))


@cache
def _load(path: str | None) -> tuple[Control, ...]:
    if path is not None:
        return _read(path)
    own = rules_at("controls.yaml")
    return remembered("controls", [own], (Control,), lambda: _read(own))


def _read(path: str) -> tuple[Control, ...]:
    # Only here: what is kept of the file that comes with auditor need not be read.
    from pathlib import Path

    from auditor.controls.read import read_controls

    return read_controls(Path(path))


def assess(
    controls: Sequence[Control], pack: Pack, findings: Sequence[Finding], judged: Judged
) -> tuple[ControlAssessment, ...]:
    """Return the assessment of each control that a rule of the pack bears on."""
    named = {rule.code: rule.controls for rule in pack.rules}
    # Of three thousand pairs of a rule and a control few have to do with each other.
    naming: dict[str, list[str]] = {}
    for code, keys in named.items():
        for key in keys:
            naming.setdefault(key, []).append(code)
    place = {code: number for number, code in enumerate(named)}
    told = []
    for control in controls:
        codes = {code for key in control.keys for code in naming.get(key, ()) if control.bears(code, named[code])}
        if codes:
            told.append(_assessment(control, sorted(codes, key=place.__getitem__), findings, named, judged))
    return tuple(told)


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
