"""Controls: nothing is claimed that traffic cannot support."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import pytest

import auditor
from auditor.controls import Control, Judged, assess, load_controls
from auditor.controls.read import lint_controls
from auditor.errors import RuleError
from auditor.model import Assessment, ControlAssessment, ReportVerdict, Severity
from auditor.packs.load import load_pack
from auditor.packs.model import Pack
from auditor.services.folder import rules_folder
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
    "judged",
    [
        replace(SOUND, conclusive=False),
        replace(SOUND, inferred=True),
        replace(SOUND, flows=0),
        replace(SOUND, lacking=("3 packets dropped by the capturing program",)),
    ],
)
def test_evidence_for_needs_a_judged_capture_under_a_declared_policy(judged: Judged) -> None:
    assert of(assess(load_controls(), PACK, [], SOUND), "AC-4").assessment is Assessment.FOR
    assessed = assess(load_controls(), PACK, [], judged)
    assert {one.assessment for one in assessed} == {Assessment.NOT_ASSESSABLE}
    assert all(one.because for one in assessed)


def test_a_waived_finding_speaks_neither_for_nor_against() -> None:
    waived = replace(FINDING, waived=True)
    assert of(assess(load_controls(), PACK, [waived], SOUND), "AC-4").assessment is Assessment.NOT_ASSESSABLE


def test_what_may_have_been_answered_is_no_evidence_against() -> None:
    doubted = replace(FINDING, absence=True, inconclusive="the capturing program dropped 90 packets")
    assessed = assess(load_controls(), PACK, [doubted], replace(SOUND, conclusive=False))
    assert {one.assessment for one in assessed} == {Assessment.NOT_ASSESSABLE}


def test_tls_is_told_beside_the_evidence() -> None:
    assessed = assess(load_controls(), PACK, [], replace(SOUND, unread=1))
    assert "1 control connection inside TLS judged by hosts, ports and times alone" in of(assessed, "AC-4").because


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


def audited(name: str, *, declared: bool = True) -> auditor.Report:
    folder = ROOT / "captures" / name
    return auditor.audit([folder / f"{name}.pcap"], policy_path=folder / "policy.yaml" if declared else None)


@pytest.mark.parametrize("name", ["midstream", "begun-before", "snaplen96"])
def test_an_incomplete_capture_speaks_for_nothing(name: str) -> None:
    """Their stories: recording began after the jobs did; frames cut to 96 bytes, within the announcements."""
    assert not [one.id for one in audited(name).controls if one.assessment is Assessment.FOR]


def test_inferred_roles_speak_for_nothing() -> None:
    assert [one.id for one in audited("compliant").controls if one.assessment is Assessment.FOR]
    assert not [one.id for one in audited("compliant", declared=False).controls if one.assessment is Assessment.FOR]


def test_a_packet_that_is_missing_takes_the_evidence_away(tmp_path: Path) -> None:
    """One full segment of a data connection is left out; its bytes are acknowledged all the same."""
    folder = ROOT / "captures" / "compliant"
    data = (folder / "compliant.pcap").read_bytes()
    (order,) = [order for order in "<>" if struct.unpack(f"{order}I", data[:4])[0] in (0xA1B2C3D4, 0xA1B23C4D)]
    at, sizes = 24, []
    while at < len(data):
        size = 16 + struct.unpack(f"{order}I", data[at + 8 : at + 12])[0]
        sizes.append((size, at))
        at += size
    size, cut = max(sizes)
    path = tmp_path / "hole.pcap"
    path.write_bytes(data[:cut] + data[cut + size :])
    report = auditor.audit([path], policy_path=folder / "policy.yaml")
    assert of(report.controls, "AC-4").assessment is Assessment.NOT_ASSESSABLE
    assert "not captured" in of(report.controls, "AC-4").because


def test_a_violation_does_not_make_an_unsound_capture_sound(tmp_path: Path) -> None:
    """A login without a password is seen (two-way) beside a capture that cannot support a verdict (snaplen96)."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "zones:\n  media-servers: [10.88.0.10, 10.77.0.10]\n"
        "  agents: [10.88.0.21, 10.88.0.22, 10.77.0.21, 10.77.0.22, 10.77.0.23]\n  filers: [10.77.0.30]\n"
    )
    captures = [ROOT / "captures" / name / f"{name}.pcap" for name in ("two-way", "snaplen96")]
    report = auditor.audit(captures, policy_path=policy)
    assert report.verdict is ReportVerdict.VIOLATIONS
    assert not [one.id for one in report.controls if one.assessment is Assessment.FOR]
    assert of(report.controls, "IA-2").assessment is Assessment.AGAINST


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
