"""What became of a finding since the baseline, and who accepted it, is told alike by every format that has a place for it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from auditor.model import BaselineSummary, GoneFinding, Report, Severity, WaiverReference
from auditor.pipeline import audit
from auditor.report.interface import RenderOptions
from auditor.report.registry import render
from tests.report_samples import finding, report
from tests.support import CAPTURES

OWNER = "net team"
GONE = GoneFinding("BX301 host=10.77.0.29 port=1", "BX301", Severity.HIGH, "no longer there")


def drifted() -> Report:
    """Return a report with a finding of each state, and one that was accepted."""
    waiver = WaiverReference(
        owner=OWNER, reason="on purpose", expires="2026-12-31", place="waivers.yaml:3", ticket="CHG-1"
    )
    return report(
        findings=(
            finding(1, key="BX301 k=1", baseline_state="new"),
            finding(2, key="BX301 k=2", baseline_state="updated"),
            finding(3, key="BX301 k=3", baseline_state="unchanged"),
            finding(4, key="BX301 k=4", baseline_state="unchanged", waived=True, waiver=waiver),
        ),
        baseline=BaselineSummary("old.json", "0" * 64, 1, 2, 1, (GONE,)),
    )


EXPECTED = {
    "BX301 k=1": ("new", ""),
    "BX301 k=2": ("updated", ""),
    "BX301 k=3": ("unchanged", ""),
    "BX301 k=4": ("unchanged", OWNER),
}
"""Key -> state and owner, as written above."""


def props_of(observation: dict) -> dict[str, str]:  # type: ignore[type-arg]
    return {one["name"]: one["value"] for one in observation["props"]}


def test_formats_of_data_tell_state_and_owner() -> None:
    made = drifted()
    rows = list(csv.DictReader(io.StringIO(render(made, "csv").decode(), newline="")))
    sarif = json.loads(render(made, "sarif"))["runs"][0]["results"]
    ocsf = [one["unmapped"] for one in json.loads(render(made, "ocsf"))]
    oscal = json.loads(render(made, "oscal"))["assessment-results"]["results"][0]["observations"]
    lines = [json.loads(line) for line in render(made, "jsonl").splitlines()]
    told = {
        "csv": {row["key"]: (row["baseline"], row["waived_by"]) for row in rows},
        "jsonl": {
            one["key"]: (one["baseline_state"], (one["waiver"] or {}).get("owner", ""))
            for one in lines if one["type"] == "finding"
        },
        "sarif": {
            one["properties"]["key"]: (
                one["baselineState"],
                "".join(said["properties"]["owner"] for said in one.get("suppressions", [])),
            )
            for one in sarif
        },
        "ocsf": {one["key"]: (one["baseline_state"], one["waiver"].get("owner", "")) for one in ocsf},
        "oscal": {
            of["key"]: (of["baseline-state"], of.get("waiver-owner", "")) for of in map(props_of, oscal)
        },
    }  # fmt: skip
    assert {name: of for name, of in told.items() if of != EXPECTED} == {}


def test_junit_and_notices_tell_them(tmp_path: Path) -> None:
    junit = render(drifted(), "junit").decode()
    states = Counter(re.findall(r"BX301 \(medium, (?:waived, )?(\w+)\)", junit))
    # Findings of one rule stand once below the rule.
    assert states == {"new": 1, "updated": 1, "unchanged": 2}
    assert f"accepted by {OWNER}" in junit
    reader = pytest.importorskip("parsezeeklogs")
    path = tmp_path / "notice.log"
    path.write_bytes(render(drifted(), "zeek-notice"))
    told = {one["auditor_key"]: one for one in reader.read_zeek(path)}
    assert {key: one["auditor_baseline"] for key, one in told.items()} == {key: of[0] for key, of in EXPECTED.items()}


def test_an_annotation_tells_what_is_new() -> None:
    titles = re.findall(r"title=(BX301[^:]*)::", render(drifted(), "github").decode())
    # What is accepted has no annotation.
    assert [title.rpartition(" ")[2] for title in titles] == ["(new)", "(updated)", "(unchanged)"]
    assert "title=BX301 Data port outside the declared range::" in render(report(), "github").decode()


@pytest.mark.parametrize("name", ["out-of-range", "blocked", "compliant"])
def test_the_terminal_tells_the_same_findings(name: str) -> None:
    made = audit([CAPTURES / name / f"{name}.pcap"], policy_path=CAPTURES / name / "policy.yaml")
    text = render(made, "text", RenderOptions(width=110, verbosity=1)).decode()
    codes = re.findall(r"^  (CRITICAL|HIGH|MEDIUM|LOW|INFO) +(BX\d{3})  ", text, re.MULTILINE)
    assert {(word.lower(), code) for word, code in codes} == {(one.severity.word, one.code) for one in made.findings}
    counts = Counter(one.severity.word for one in made.findings)
    heading = re.search(r"^Findings +(.*)$", text, re.MULTILINE)
    assert heading is not None
    assert Counter({word: int(count) for count, word in re.findall(r"(\d+) (\w+)", heading[1])}) == counts
    packed = re.sub(r"\s+", "", text)
    assert all(re.sub(r"\s+", "", one.message) in packed for one in made.findings)
