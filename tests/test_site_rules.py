"""A site's own rules: found, judged, linted, and never taken for ours. Codes that went on lead to what they are now."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import auditor
from auditor.errors import PolicyError, RuleError
from auditor.packs.columns import TABLES
from auditor.packs.generations import diff_generations
from auditor.packs.load import load_pack
from auditor.packs.prose import TABLE_WORDS, reference_page
from auditor.pipeline import AuditOptions
from auditor.services import load_catalogue
from auditor.services.folder import rules_folder
from tests.support import ROOT, run_auditor

PACK = load_pack([rules_folder() / "checks"])
CASE = ROOT / "captures" / "compliant"
RULE = """\
code: SITE-101
name: control-from-media-server
title: Control connections of this site
severity: info
since: "1"
on: flows
select: {control: true, verdict: permit}
subject: {originator: originator}
message: "{originator} opened {count} control connections."
consequence: None.
remedy: None.
why: The site wants to see them.
sources: [the site]
false_alarms: []
controls: [AC-4]
examples:
  fires: ["10.0.1.5:49152 > 10.0.2.9:10000 tcp SF app=ndmp control"]
  silent: ["10.0.1.5:49152 > 10.0.2.9:6101 tcp"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    own = tmp_path / "own"
    own.mkdir()
    (own / "control-from-media-server.yaml").write_text(RULE)
    return own


def test_a_rule_of_the_site_is_judged(folder: Path) -> None:
    report = auditor.audit(
        [CASE / "compliant.pcap"], policy_path=CASE / "policy.yaml", options=AuditOptions(rules=(str(folder),))
    )
    assert [one.code for one in report.findings if one.code.startswith("SITE")] == ["SITE-101"]


def test_a_rule_that_was_renamed_is_no_drift(folder: Path, tmp_path: Path) -> None:
    before, after = tmp_path / "before.json", tmp_path / "after.json"
    audit = ("audit", CASE / "compliant.pcap", "--policy", CASE / "policy.yaml", "--rules", folder, "--format", "json")
    run_auditor(*audit, "--output", before)
    (folder / "control-from-media-server.yaml").write_text(
        RULE.replace("code: SITE-101", "code: SITE-7\nformerly: [SITE-101]")
    )
    run_auditor(*audit, "--output", after, "--baseline", before)
    old, new = (json.loads(path.read_text()) for path in (before, after))
    assert [one["code"] for one in old["findings"] if one["code"].startswith("SITE")] == ["SITE-101"]
    states = {one["code"]: one["baseline_state"] for one in new["findings"]}
    assert states["SITE-7"] == "unchanged"
    assert set(states.values()) == {"unchanged"}
    assert new["baseline"]["gone"] == []
    assert run_auditor("compare", before, after, "--rules", folder).code == 0
    # Who does not say that it is the same rule sees one come and one go.
    blind = run_auditor("compare", before, after)
    assert (blind.code, "findings 1 new, 1 gone" in blind.out) == (1, True)


def test_a_policy_names_the_folder(folder: Path, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text((CASE / "policy.yaml").read_text() + "\nrules: [own]\n")
    report = auditor.audit([CASE / "compliant.pcap"], policy_path=policy)
    assert "SITE-101" in {one.code for one in report.findings}
    both = auditor.audit([CASE / "compliant.pcap"], policy_path=policy, options=AuditOptions(rules=(str(folder),)))
    assert both.findings == report.findings


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("zones: {agents: [10.0.0.1]}\nrules: [nowhere]\n")
    with pytest.raises(PolicyError, match="folder of rules 'nowhere' does not exist"):
        auditor.audit([CASE / "compliant.pcap"], policy_path=policy)
    done = run_auditor("audit", CASE / "compliant.pcap", "--rules", tmp_path / "nowhere")
    assert done.code == 2
    assert "there is no such folder of rules" in done.err


def test_lint_proves_the_examples_of_the_site(folder: Path) -> None:
    assert run_auditor("rules", "lint", "--rules", folder).out == "1 rule, all sound\n"
    path = folder / "control-from-media-server.yaml"
    path.write_text(RULE.replace(":6101 tcp", ":10000 tcp SF app=ndmp control").replace("AC-4", "AC-98"))
    done = run_auditor("rules", "lint", "--rules", folder)
    assert done.code == 2
    assert "fires although it should not: SITE-101" in done.out
    assert "there is no control 'AC-98'" in done.out


def test_a_site_may_bring_the_policy_of_its_examples(folder: Path) -> None:
    (folder / "examples.yaml").write_text("zones: {media-servers: [192.0.2.1], agents: [192.0.2.2]}\n")
    path = folder / "control-from-media-server.yaml"
    path.write_text(RULE.replace("10.0.1.5", "192.0.2.1").replace("10.0.2.9", "192.0.2.2"))
    assert run_auditor("rules", "lint", "--rules", folder).code == 0


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("code: SITE-101", "code: BX201", "BX201 is already the rule of checks/exposed/"),
        ("name: control-from", "name: undocumented-traffic\nformerly: [BX203]\n#", "BX203 is already the rule"),
        ("code: SITE-101", "code: S1", "'S1' cannot be the code of a rule"),
        ("on: flows", "on: flows\ngenerations: [3000]", "'3000' is not one of"),
    ],
)
def test_clashes_and_mistakes_are_errors(folder: Path, before: str, after: str, message: str) -> None:
    (folder / "control-from-media-server.yaml").write_text(RULE.replace(before, after))
    with pytest.raises(RuleError) as caught:
        load_pack([rules_folder() / "checks", folder])
    assert message in str(caught.value)


def test_a_former_code_leads_to_the_rule_of_today(folder: Path) -> None:
    (folder / "control-from-media-server.yaml").write_text(RULE + "formerly: [SITE-7, old-name]\n")
    for word in ("SITE-7", "old-name", "site-101"):
        done = run_auditor("rules", "show", word, "--rules", folder)
        assert done.code == 0
        assert done.out.startswith("SITE-101  Control connections of this site")
        assert ("SITE-101 control-from-media-server now" in done.err) == (word != "site-101")


def test_nothing_of_ours_was_renamed_without_a_trace() -> None:
    """Codes are for ever: the list that ``test_rules`` keeps holds every code that was ever released."""
    from tests.test_rules import CODES

    assert all(PACK.find(code) is not None and PACK.find(name) is PACK.find(code) for code, name in CODES.items())


# What the vendor's chapter and the texts beside it say, generation by generation, written down by hand.
DIFFERENCES = [
    ("9.x", "10.x", {"netware-agent-9"}, {"netware-agent-10"}, set()),
    ("11d-12", "2010", set(), set(), {"ndmp-control"}),
    ("2010", "2012-2016", set(), {"management-service"}, set()),
    ("2012-2016", "20.x", set(), {"dedupe-engine", "dedupe-manager", "cloud-storage"}, {"ndmp-control"}),
]


@pytest.mark.parametrize(("older", "newer", "gone", "new", "changed"), DIFFERENCES)
def test_what_differs_between_generations(
    older: str, newer: str, gone: set[str], new: set[str], changed: set[str]
) -> None:
    found = diff_generations(load_catalogue(older), load_catalogue(newer), PACK)
    assert {service.id for service in found.gone} == gone
    assert {service.id for service in found.new} == new
    assert {change.service.id for change in found.changed} == changed


def test_the_difference_is_shown_and_is_json() -> None:
    done = run_auditor("rules", "diff", "9.x", "10.x", "--format", "json")
    document = json.loads(done.out)
    assert [service["ports"] for service in document["services"]["gone"]] == ["6102"]
    assert [service["ports"] for service in document["services"]["new"]] == ["10000"]
    text = run_auditor("rules", "diff", "11d-12", "20.x").out
    assert "50104 tcp, optional" in text
    assert "BX616" in text
    assert run_auditor("rules", "diff", "11d-12", "30").code == 2


def test_a_rule_for_some_generations_judges_only_those() -> None:
    codes = {name: {rule.code for rule in PACK.for_generation(name).rules} for name in ("11d-12", "20.x")}
    assert codes["20.x"] - codes["11d-12"] == {"BX616"}
    assert codes["11d-12"] <= codes["20.x"]


def test_every_table_has_words() -> None:
    assert set(TABLE_WORDS) == set(TABLES)


def test_explain_tells_when_a_rule_fires() -> None:
    text = " ".join(run_auditor("rules", "explain", "peak-above-advice").out.split())
    assert "peak is above 25: most data ports of the host in use at the same time" in text
    assert "Stays silent on" in text


def test_the_reference_page_is_fresh() -> None:
    page = (ROOT / "docs" / "rules-reference.md").read_text(encoding="utf-8")
    assert page == reference_page(PACK.rules), "run `make docs`"
    assert page == run_auditor("rules", "docs").out
    assert all(f"## {rule.code} {rule.title}" in page for rule in PACK.rules)
