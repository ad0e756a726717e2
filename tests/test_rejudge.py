"""Exported flows judged again: the same policy changes nothing, another one what a fresh audit under it says."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from auditor.errors import UsageError
from auditor.pipeline import audit
from auditor.policy.load import load_policy
from auditor.rejudge import ALLOWED, BREAKS, read_export, rejudge
from auditor.report.json_ import load
from auditor.report.registry import render
from auditor.services import load_catalogue
from tests.support import CAPTURES, committed_cases, run_auditor

CASES = {case.name: case for case in committed_cases()}


def exported(name: str, folder: Path, form: str = "jsonl-flows") -> Path:
    suffix = {"parquet": "parquet", "json-flows": "flows.json"}.get(form, "flows.jsonl")
    path = folder / f"{name}.{suffix}"
    path.write_bytes(render(audit([CASES[name].capture], policy_path=CASES[name].policy), form))
    return path


@pytest.mark.parametrize("form", ["jsonl-flows", "json-flows", "parquet"])
@pytest.mark.parametrize("name", ["out-of-range", "notification-ipv6", "blocked", "tls"])
def test_the_same_policy_changes_nothing(name: str, form: str, tmp_path: Path) -> None:
    if form == "parquet":
        pytest.importorskip("pyarrow")
    policy = load_policy(str(CASES[name].policy))
    export = read_export(str(exported(name, tmp_path, form)))
    assert len(export.table) > 0
    assert rejudge(export, policy, load_catalogue(policy.generation)) == ()


def other_range(tmp_path: Path) -> Path:
    """Return the policy of captures/out-of-range with another range for its agents."""
    text = (CAPTURES / "out-of-range" / "policy.yaml").read_text(encoding="utf-8")
    assert text.count("50100-50124") == 1
    path = tmp_path / "other.yaml"
    path.write_text(text.replace("50100-50124", "40000-40024"), encoding="utf-8")
    return path


def test_another_range_breaks_and_allows_what_it_should(tmp_path: Path) -> None:
    other = other_range(tmp_path)
    policy = load_policy(str(other))
    changes = rejudge(read_export(str(exported("out-of-range", tmp_path))), policy, load_catalogue(policy.generation))
    # By the truth of the capture agents listened on 40011 and 40015 (now inside) and on 50113 (now outside).
    assert [(one.kind, one.flows) for one in changes] == [(BREAKS, 1), (ALLOWED, 2)]
    assert changes[0].example == "10.77.0.10:51858 > 10.77.0.22:50113 tcp"
    assert changes[0].term_after == ""


def test_it_says_what_a_fresh_audit_says(tmp_path: Path) -> None:
    other = other_range(tmp_path)
    before = audit([CASES["out-of-range"].capture], policy_path=CASES["out-of-range"].policy).flows
    after = audit([CASES["out-of-range"].capture], policy_path=other).flows
    assert before is not None
    assert after is not None
    pairs = zip(before.rows(["verdict"]), after.rows(["verdict"]), strict=True)
    expected = Counter((old[0], new[0]) for old, new in pairs if old != new)
    policy = load_policy(str(other))
    changes = rejudge(read_export(str(exported("out-of-range", tmp_path))), policy, load_catalogue(policy.generation))
    told: Counter[tuple[str, str]] = Counter()
    for one in changes:
        told[one.before, one.after] += one.flows
    assert told == expected


def test_the_command(tmp_path: Path) -> None:
    path, other = exported("out-of-range", tmp_path), other_range(tmp_path)
    done = run_auditor("rejudge", path, "--policy", other, "--format", "json")
    assert (done.code, done.err) == (1, "")
    assert [one["kind"] for one in json.loads(done.out)] == [BREAKS, ALLOWED]
    same = run_auditor("rejudge", path, "--policy", CAPTURES / "out-of-range" / "policy.yaml")
    assert (same.code, same.err) == (0, "")
    assert same.out.startswith("Nothing changes")


@pytest.mark.parametrize(
    "content",
    [b"", b"{}\n", b"[]\n", b"hello", b"\xff", b'{"verdict": "permit"}\n', b"PAR1"],
)
@pytest.mark.parametrize("suffix", ["flows.jsonl", "parquet"])
def test_what_is_no_export_gets_one_clear_message(content: bytes, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"odd.{suffix}"
    path.write_bytes(content)
    with pytest.raises(UsageError) as refused:
        read_export(str(path))
    assert str(path) in refused.value.message


def test_an_export_with_impossible_values_is_refused(tmp_path: Path) -> None:
    flow = json.loads(exported("out-of-range", tmp_path).read_text(encoding="utf-8").splitlines()[0])
    path = tmp_path / "odd.flows.jsonl"
    for change in ({"resp_port": 70000}, {"orig_addr": "x"}, {"verdict": "fine"}, {"transport": "-1"}, {"app": None}):
        path.write_text(json.dumps(flow | change), encoding="utf-8")
        with pytest.raises(UsageError):
            read_export(str(path))


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_a_saved_report_says_that_it_holds_no_flows(form: str, tmp_path: Path) -> None:
    path = tmp_path / f"report.{form}"
    path.write_bytes(render(audit([CASES["blocked"].capture], policy_path=CASES["blocked"].policy), form))
    done = run_auditor("rejudge", path, "--policy", CASES["blocked"].policy)
    assert done.code == 2
    assert "is a saved report without flows" in done.err
    assert "--report FILE.flows.json" in done.err


def test_a_report_saved_with_its_flows_is_that_report(tmp_path: Path) -> None:
    report = audit([CASES["blocked"].capture], policy_path=CASES["blocked"].policy)
    path = exported("blocked", tmp_path, "json-flows")
    assert load(path.read_bytes()) == report
    document = json.loads(path.read_bytes())
    lines = [json.loads(line) for line in render(report, "jsonl-flows").splitlines()]
    schema = json.loads(run_auditor("schema", "report").out)
    assert [error.message for error in Draft202012Validator(schema).iter_errors(document)] == []
    assert document.pop("flows") == lines
    assert document == json.loads(render(report, "json"))
    other = run_auditor("rejudge", path, "--policy", other_range(tmp_path), "--format", "json")
    assert other.code in {0, 1}, other.err
    cut = tmp_path / "cut.flows.json"
    cut.write_bytes(path.read_bytes()[:-20])
    assert run_auditor("rejudge", cut, "--policy", CASES["blocked"].policy).code == 2
