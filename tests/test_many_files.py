"""Several captures: the same packets give the same report, in however many files, in whatever order and format."""

from __future__ import annotations

import gzip
import json
import lzma
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import auditor
from auditor.model import Report
from auditor.report import html, json_, terminal
from auditor.report.interface import RenderOptions
from tests.helpers.pcap import Pcap
from tests.support import COMMAND, Case, committed_cases, run_auditor

CASES = [case for case in committed_cases() if case.capture.suffix == ".pcap"]
_FILES = {"capture", "path"}
"""Fields that hold names of files."""


def _ten(case: Case, folder: Path) -> list[Path]:
    whole = Pcap.read(case.capture)
    size = -(-len(whole.records) // 10)
    parts = []
    for number, first in enumerate(range(0, len(whole.records), size)):
        # Like the rotated files of tcpdump: by name, site.pcap10 comes before site.pcap2.
        parts.append(folder / f"site.pcap{number or ''}")
        parts[-1].write_bytes(whole.part(first, first + size))
    return parts


def _report(*captures: Path, policy: Path | None = None) -> Report:
    return auditor.audit(list(captures), policy_path=policy).report


def _json(report: Report) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json_.render(report, RenderOptions()))
    return document


def _without_files(document: dict[str, Any]) -> str:
    """Return a report as it is written, without the table of the files, that of their quality, and their names."""

    def of(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: "FILE" if key in _FILES and isinstance(part, str) else of(part) for key, part in value.items()}
        return [of(part) for part in value] if isinstance(value, list) else value

    left = {name: part for name, part in document.items() if name != "captures"}
    left["quality"] = {name: part for name, part in document["quality"].items() if name != "captures"}
    text = json.dumps(of(left), indent=1)
    # No other text names one.
    assert "site.pcap" not in text
    return text


def essence(report: Report) -> str:
    """Return a report without files, to be held against that of the same packets in others."""
    return _without_files(_json(report))


@pytest.mark.parametrize("with_policy", [True, False], ids=["policy", "inferred"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_ten_files_in_any_order_give_the_report_of_one(case: Case, with_policy: bool, tmp_path: Path) -> None:
    policy = case.policy if with_policy else None
    parts = _ten(case, tmp_path)
    expected = _json(_report(case.capture, policy=policy))
    shuffled = random.Random(case.name).sample(parts, len(parts))  # noqa: S311 - any order does
    for order in (parts[::-1], shuffled):
        report = _json(_report(*order, policy=policy))
        assert [capture["path"] for capture in report["captures"]] == [str(part) for part in parts]
        assert _without_files(report) == _without_files(expected)
    # The table of the files adds up to that of the one.
    (one,), many = expected["captures"], report["captures"]
    assert (sum(file["packets"] for file in many), sum(file["bytes"] for file in many)) == (
        one["packets"],
        one["bytes"],
    )
    numbers = [run for file in many for run in file["runs"]]
    assert [run["number"] for run in numbers] == [
        1 + sum(file["packets"] for file in many[:n]) for n in range(len(many))
    ]
    assert all(run["number_in_file"] == 1 for run in numbers)
    assert one["runs"] == []


_PLACE = r"packets? [\d, ]+ of [^\s,<)]+"


def _read_by_people(report: Report, form: ModuleType) -> str:
    """Return what people read, without the sections on files, their names, and where in them a packet is."""
    text = form.render(report, RenderOptions(width=100_000, verbosity=2)).decode()
    if form is terminal:
        captures, quality = text.index("Captures"), text.index("\nPolicy\n")
        text = text[:captures] + text[quality:]
        # Of several files the quality of each is told below that of all.
        text = re.sub(r"\n  /\S+site\.pcap\d*\n(    .*\n)+", "\n", text)
    else:
        text = re.sub(r'<section aria-labelledby="quality">.*?</section>', "", text, flags=re.DOTALL)
        text = re.sub(r"<div><dt>Judged</dt>.*?</div>", "", text, flags=re.DOTALL)
    text = re.sub(rf" · {_PLACE}((, | and ){_PLACE})*", "", text)
    text = re.sub(r", which is packet \d+ of [^\s)]+", "", text)
    return re.sub(r"[^\s>]*(site\.pcap\d*|one\.pcap)", "FILE", text)


@pytest.mark.parametrize("form", [terminal, html], ids=["text", "html"])
def test_what_people_read_differs_in_files_alone(form: ModuleType, tmp_path: Path) -> None:
    (case,) = (case for case in CASES if case.name == "out-of-range")
    one = tmp_path / "one.pcap"
    shutil.copy(case.capture, one)
    whole, many = _report(one, policy=case.policy), _report(*_ten(case, tmp_path), policy=case.policy)
    assert form.render(many, RenderOptions(width=100_000)).decode().count(" of /") > 10
    assert _read_by_people(many, form).splitlines() == _read_by_people(whole, form).splitlines()


def _same_but_for_the_container(report: dict[str, Any], expected: dict[str, Any]) -> None:
    assert _without_files(report) == _without_files(expected)
    (mine,), (theirs,) = report["captures"], expected["captures"]
    assert {name for name in mine if mine[name] != theirs[name]} <= {"path", "format"}
    (mine,), (theirs,) = report["quality"]["captures"], expected["quality"]["captures"]
    assert {name for name in mine if mine[name] != theirs[name]} <= {"path"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_formats_and_compression_give_the_same_report(case: Case, tmp_path: Path) -> None:
    expected = _json(_report(case.capture, policy=case.policy))
    data, pcapng = case.capture.read_bytes(), Pcap.read(case.capture).as_pcapng()
    for name, written in (("a.pcapng", pcapng), ("a.gz", gzip.compress(data)), ("b.xz", lzma.compress(pcapng))):
        path = tmp_path / name
        path.write_bytes(written)
        _same_but_for_the_container(_json(_report(path, policy=case.policy)), expected)


def test_standard_input_gives_the_same_report(tmp_path: Path) -> None:
    (case,) = (case for case in CASES if case.name == "out-of-range")
    said = tmp_path / "said.json"
    command = [COMMAND, "audit", "-", "--policy", case.policy, "--format", "json", "--output", said]
    with case.capture.open("rb") as stdin:
        assert subprocess.run(command, stdin=stdin, check=False, timeout=100).returncode == 1
    _same_but_for_the_container(json.loads(said.read_text()), _json(_report(case.capture, policy=case.policy)))


@pytest.mark.skipif(sys.platform == "darwin", reason="names of files are Unicode there")
def test_names_need_not_be_unicode_and_cannot_reach_the_terminal(tmp_path: Path) -> None:
    (case,) = (case for case in CASES if case.name == "out-of-range")
    name = os.fsencode(tmp_path) + b"/mon\xff\x1b[31m\n.pcap"
    Path(os.fsdecode(name)).write_bytes(case.capture.read_bytes())
    # Of two captures of the same packets, the one whose name comes first is the one that is told.
    other = tmp_path / "other.pcap"
    other.write_bytes(case.capture.read_bytes())
    for options in ((), ("--format", "json"), ("-vv",)):
        done = run_auditor("audit", os.fsdecode(name), other, "--policy", str(case.policy), *options)
        assert done.code == 1
        assert done.err == ""
        assert "\x1b" not in done.out
        # Lines are folded at their width: where the name stands in them depends on how long the folder's path is.
        unfolded = "".join(done.out.split())
        if options == ("--format", "json"):
            assert "mon\\" in unfolded
        else:
            # Everywhere that it stands, its line break is told, and is none.
            assert unfolded.count("mon\\xff") > (5 if options else 0)
            assert unfolded.count("mon\\xff") == unfolded.count("mon\\xff\\x1b[31m\\x0a.pcap")
