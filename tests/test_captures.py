"""The captures are what their folders say: complete, unchanged, small, and each with a story and a policy."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.support import CAPTURES, Case, committed_cases, policy_of

CASES = committed_cases()
FOLDERS = sorted(folder for folder in CAPTURES.iterdir() if folder.is_dir() and folder.name != "lab")
MIB = 1 << 20

by_name = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 8
    assert {"compliant", "out-of-range"} <= {case.name for case in CASES}


def test_together_they_stay_small() -> None:
    assert sum(path.stat().st_size for path in CAPTURES.rglob("*") if path.is_file()) < 10 * MIB


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_folder_is_complete(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    capture = names & {f"{folder.name}.pcap", f"{folder.name}.pcapng"}
    assert len(capture) == 1
    # One folder also shows what waivers look like.
    assert names - {"waivers.yaml"} == {*capture, "policy.yaml", "truth.json", "README.md"}


@by_name
def test_the_capture_is_the_one_that_the_truth_speaks_of(case: Case) -> None:
    data = case.capture.read_bytes()
    assert len(data) == case.truth["size"]
    assert hashlib.sha256(data).hexdigest() == case.truth["sha256"]


@by_name
def test_the_story_is_told(case: Case) -> None:
    text = (case.capture.parent / "README.md").read_text(encoding="utf-8")
    for heading in ("# ", "\n## Who made it, with what\n", "\n## What is true of it\n", "\n## How to make it again\n"):
        assert heading in text
    assert text.startswith("# ")


@by_name
def test_the_policy_declares_what_the_truth_declares(case: Case, tmp_path: Path) -> None:
    from auditor.policy.load import load_policy

    assert case.policy is not None
    made = tmp_path / "policy.yaml"
    made.write_text(policy_of(case.truth), encoding="utf-8")
    written, expected = load_policy(case.policy), load_policy(made)
    assert written.ndmp_port == expected.ndmp_port
    declared = [{zone.name: (zone.networks, str(zone.dynamic_ports)) for zone in p.zones} for p in (written, expected)]
    assert declared[0] == declared[1]


def test_the_index_names_every_capture() -> None:
    index = (CAPTURES / "README.md").read_text(encoding="utf-8")
    for folder in FOLDERS:
        assert f"[{folder.name}]({folder.name}/README.md)" in index
