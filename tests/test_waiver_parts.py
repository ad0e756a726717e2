"""Waivers for findings that stand for many, for lines of the policy, and for rules that once had another name.

Every expectation follows from the words of docs/waivers.md: what would not be covered alone is not covered in a crowd.
"""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
import json
from pathlib import Path

import pytest
import yaml

from auditor.examples import Bench, judge_scene
from auditor.model.parts import Part, PartList
from auditor.notation import parse
from auditor.packs.load import load_pack
from auditor.packs.model import Pack
from auditor.pipeline import AuditOptions, audit
from auditor.report.registry import render
from auditor.services.folder import rules_folder
from auditor.waivers.apply import apply_waivers, covers
from auditor.waivers.load import load_waivers
from auditor.waivers.model import Waiver
from tests.report_samples import finding
from tests.support import CAPTURES

PACK = load_pack([rules_folder() / "checks"])
DAY = dt.date(2026, 6, 1)
WHOLE = {"owner": "net team", "reason": "known", "expires": "2026-12-31"}


def waiver(tmp_path: Path, pack: Pack = PACK, **fields: object) -> Waiver:
    path = tmp_path / "waivers.yaml"
    path.write_text(yaml.safe_dump({"waivers": [{**WHOLE, **fields}]}))
    (one,) = load_waivers([path], pack, None)
    return one


def judged(text: str, one: Waiver) -> list[bool]:
    """Judge flows in notation against the policy of the examples; whether each finding of the waiver's code is waived."""
    bench = Bench(PACK, rules_folder())
    told = PartList(frozenset({one.code}))
    rules = Pack(tuple(rule for rule in PACK.rules if rule.code == one.code))
    found = judge_scene(parse(text), bench.policy, bench.catalogue(), rules, told)
    assert found
    return [each.waived for each in apply_waivers([one], found, DAY, told.parts)[0]]


def mails(hosts: int) -> str:
    """Return as many hosts of no zone, each with a mail to the relay of the examples; more than eight become one finding."""
    return "\n".join(f"10.0.9.{number}:50000 > 10.0.5.5:25 tcp" for number in range(1, hosts + 1))


@pytest.mark.parametrize("count", [8, 9, 40])
def test_a_crowd_is_covered_only_where_each_of_it_is(tmp_path: Path, count: int) -> None:
    code = next(rule.code for rule in PACK.rules if rule.name == "smtp-not-from-media-server")
    relay, everyone = "10.0.5.5", [f"10.0.9.{number}" for number in range(1, count + 1)]
    assert not any(judged(mails(count), waiver(tmp_path, code=code, hosts=[relay])))
    assert all(judged(mails(count), waiver(tmp_path, code=code, hosts=[relay, *everyone])))
    but_one = judged(mails(count), waiver(tmp_path, code=code, hosts=[relay, *everyone[1:]]))
    assert but_one.count(False) == 1
    assert all(judged(mails(count), waiver(tmp_path, code=code, hosts="any")))


def test_the_deciding_line_is_that_of_every_flow(tmp_path: Path) -> None:
    one = waiver(tmp_path, code="BX205", hosts="any", terms=["allow-a", "allow-b"])
    found = dataclasses.replace(finding(subject={"host": "10.0.0.5"}, evidence=(), flows=9), code="BX205")
    for terms, expected in (
        (("allow-a",), True),
        (("allow-a", "allow-b"), True),
        (("allow-a", "allow-c"), False),
        (("allow-a", ""), False),
    ):
        parts = tuple(Part(found.subject, term) for term in terms)
        assert covers(one, found, parts) is expected, terms


def test_the_nearest_line_decided_nothing(tmp_path: Path) -> None:
    one = waiver(tmp_path, code="BX205", hosts="any", terms=["allow-a"])
    found = dataclasses.replace(finding(subject={"host": "10.0.0.5"}, evidence=()), code="BX205")
    near = dataclasses.replace(found, term="", nearest="allow-a")
    decided = dataclasses.replace(found, term="allow-a")
    day = dt.date(2026, 1, 1)
    assert [each.waived for each in apply_waivers([one], [near, decided], day)[0]] == [False, True]


def test_more_than_can_be_told_apart_is_covered_only_as_a_whole(tmp_path: Path) -> None:
    found = dataclasses.replace(finding(subject={"originator": "10.0.0.5"}, evidence=()), code="BX205")
    assert covers(waiver(tmp_path, code="BX205", hosts="any"), found, None)
    assert not covers(waiver(tmp_path, code="BX205", hosts="0.0.0.0/0"), found, None)
    assert not covers(waiver(tmp_path, code="BX205", hosts="any", ports="1-65535"), found, None)


def test_a_waiver_for_a_former_code_or_name_is_one_for_the_rule(tmp_path: Path) -> None:
    rule = dataclasses.replace(PACK.rules[0], formerly=("BX099", "old-name"))
    pack = Pack((rule, *PACK.rules[1:]))
    for word in ("BX099", "old-name"):
        assert waiver(tmp_path, pack, code=word, hosts="any").code == rule.code


def test_sarif_tells_who_accepted_and_what_is_new(tmp_path: Path) -> None:
    """The words are those of captures/out-of-range/waivers.yaml; the first report has no waiver, and nothing changed."""
    folder = CAPTURES / "out-of-range"
    capture, policy = folder / "out-of-range.pcap", folder / "policy.yaml"
    saved = tmp_path / "old.json"
    saved.write_bytes(render(audit([capture], policy_path=policy), "json"))
    options = AuditOptions(waivers=(str(folder / "waivers.yaml"),), baseline=str(saved))
    report = audit([capture], policy_path=policy, options=options)
    (run,) = json.loads(render(report, "sarif"))["runs"]
    by_state = {one["baselineState"] for one in run["results"]}
    assert by_state <= {"new", "unchanged"}
    outside = [one for one in run["results"] if one["ruleId"] == "BX301"]
    assert {one["baselineState"] for one in outside} == {"unchanged"}
    for one in outside:
        (said,) = one["suppressions"]
        assert said["justification"].startswith("accepted by backup team, until 2026-12-")
        assert said["properties"]["owner"] == "backup team"
    rows = list(csv.DictReader(io.StringIO(render(report, "csv").decode(), newline="")))
    waived = [row for row in rows if row["waived"] == "true"]
    assert {(row["code"], row["baseline"], row["waived_by"]) for row in waived} == {
        ("BX301", "unchanged", "backup team")
    }


@pytest.mark.parametrize(
    ("vantage", "told"),
    [(None, True), ("span", True), ("media-server", True), ("agent", False), ("firewall-inside", False)],
)
def test_an_absence_says_something_only_where_the_host_would_come_by(
    tmp_path: Path, vantage: str | None, told: bool
) -> None:
    """10.77.0.99 is declared and occurs in no packet; the policy has one media server, whose traffic is all there is."""
    folder = CAPTURES / "out-of-range"
    policy = tmp_path / "policy.yaml"
    text = (folder / "policy.yaml").read_text()
    assert text.count("10.77.0.23]") == 1
    policy.write_text(text.replace("10.77.0.23]", "10.77.0.23, 10.77.0.99]"))
    report = audit([folder / "out-of-range.pcap"], policy_path=policy, options=AuditOptions(vantage=vantage))
    said = [one for one in report.findings if one.subject.get("host") == "10.77.0.99"]
    assert bool(said) is told
