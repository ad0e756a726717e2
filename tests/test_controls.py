"""Controls: nothing is claimed that traffic cannot support."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import auditor
from auditor.controls import Control, Judged, assess, lint_controls, load_controls
from auditor.errors import RuleError
from auditor.model import Assessment, ControlAssessment, Severity
from auditor.packs.load import load_pack
from auditor.packs.model import Pack
from auditor.services import rules_folder
from tests.report_samples import finding
from tests.support import ROOT, run_auditor

PACK = load_pack([rules_folder() / "checks"])
SOUND = Judged(flows=9, conclusive=True, inferred=False)
FINDING = finding(code="BX201", key="BX201 originator=203.0.113.7", severity=Severity.HIGH)


def of(assessed: tuple[ControlAssessment, ...], control: str) -> ControlAssessment:
    return next(one for one in assessed if one.id == control)


def test_every_control_of_every_rule_exists() -> None:
    assert lint_controls(PACK, load_controls()) == []
    unknown = Pack((replace(PACK.rules[0], controls=("AC-99",)),))
    (problem,) = lint_controls(unknown, load_controls())
    assert problem.message == "there is no control 'AC-99'"


def test_all_four_catalogues_are_there() -> None:
    frameworks = {control.framework for control in load_controls()}
    assert {name.split(" ")[0] for name in frameworks} == {"NIST", "PCI", "ISO/IEC", "CIS"}
    ids = {control.id for control in load_controls()}
    assert {
        "AC-4",
        "SC-7",
        "CM-7",
        "SI-4",
        "1.2.5",
        "1.3.1",
        "A.8.20",
        "A.8.21",
        "A.8.22",
        "4.4",
        "12.2",
        "13.4",
    } <= ids


def test_a_finding_that_counts_is_evidence_against() -> None:
    assessed = assess(load_controls(), PACK, [FINDING], SOUND)
    for control in ("AC-4", "SC-7", "1.3.1", "A.8.22", "13.4"):
        assert of(assessed, control).assessment is Assessment.AGAINST
        assert of(assessed, control).findings == (FINDING.key,)


@pytest.mark.parametrize(
    "judged", [replace(SOUND, conclusive=False), replace(SOUND, inferred=True), replace(SOUND, flows=0)]
)
def test_evidence_for_needs_a_judged_capture_under_a_declared_policy(judged: Judged) -> None:
    assert of(assess(load_controls(), PACK, [], SOUND), "AC-4").assessment is Assessment.FOR
    assessed = assess(load_controls(), PACK, [], judged)
    assert {one.assessment for one in assessed} == {Assessment.NOT_ASSESSABLE}
    assert all(one.because for one in assessed)


def test_a_waived_finding_speaks_neither_for_nor_against() -> None:
    waived = replace(FINDING, waived=True)
    assert of(assess(load_controls(), PACK, [waived], SOUND), "AC-4").assessment is Assessment.NOT_ASSESSABLE


def test_a_note_is_no_evidence_against() -> None:
    note = replace(FINDING, severity=Severity.INFO)
    assert of(assess(load_controls(), PACK, [note], SOUND), "AC-4").assessment is Assessment.FOR


@pytest.mark.parametrize("control", ["CP-9", "SI-2", "CM-8", "IA-5", "1.2.7", "A.8.13", "13.3"])
def test_traffic_never_speaks_for_what_it_cannot_show(control: str) -> None:
    assert of(assess(load_controls(), PACK, [], SOUND), control).assessment is Assessment.NOT_ASSESSABLE


def test_a_port_outside_its_range_says_nothing_of_untrusted_networks() -> None:
    outside = finding(severity=Severity.HIGH)
    assessed = assess(load_controls(), PACK, [outside], SOUND)
    assert of(assessed, "SC-7").assessment is Assessment.AGAINST
    assert of(assessed, "1.4.2").assessment is Assessment.FOR


def test_a_real_capture(tmp_path: Path) -> None:
    folder = ROOT / "captures" / "rogue"
    report = auditor.audit([folder / "rogue.pcap"], policy_path=folder / "policy.yaml")
    against = {key for control in report.controls for key in control.findings}
    assert against <= {one.key for one in report.findings if one.severity >= Severity.LOW}
    assert of(report.controls, "AC-4").assessment is Assessment.AGAINST


def test_a_catalogue_with_mistakes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "controls.yaml"
    path.write_text(
        "frameworks:\n  one:\n    title: One\n    controls:\n      X-1: {title: t, why: w}\n"
        "      Y-1: {title: t, why: w, follows: [X-2]}\n      Z-1: {title: t}\n"
    )
    with pytest.raises(RuleError) as caught:
        load_controls(path)
    assert "'why' is missing" in str(caught.value)
    assert "Y-1 follows 'X-2', which is no control" in str(caught.value)


def test_the_list_names_rules_and_what_traffic_can_say() -> None:
    lines = run_auditor("rules", "controls").out.splitlines()
    (line,) = [line for line in lines if "Information Flow Enforcement" in line]
    assert "BX201" in line
    assert "for and against" in line


def test_controls_are_values() -> None:
    assert all(isinstance(control, Control) and control.why for control in load_controls())
