"""Policies and services files with random mistakes: accepted, or refused with place, reason and a way out."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from auditor.errors import DocumentProblem, PolicyError
from auditor.policy.load import load_policy
from tests.support import CAPTURES, ROOT

SOUND = sorted([*CAPTURES.glob("*/policy.yaml"), *(ROOT / "tests/data/policies").glob("*/*.yaml")])
PIECES = (
    *":-[]{}#,&*!|>'\"%@`\n\t \x00\x1b\u202e\ufeff",
    *("null", "~", "1e9", "0x10", "-1", "9" * 20, "::1", "0.0.0.0/0", "::/0", "fe80::1%eth0", "any", "true", "<<"),
    *("? ", "- - ", "---", "...", "!!python/object:os.system", "50124-50100", "1-", "[[]]", "{}", "00010000", "1_0"),
)


def mistaken(text: str, rng: random.Random) -> str:
    letters = list(text)
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        at = rng.randrange(len(letters) + 1)
        kind = rng.randrange(4)
        if kind == 0:
            letters[at:at] = rng.choice(PIECES)
        elif kind == 1:
            del letters[at : at + rng.choice((1, 1, 5, 20))]
        elif kind == 2:
            letters[at : at + 4] = rng.choice(PIECES)
        else:
            begin = rng.randrange(len(letters) + 1)
            letters[at:at] = letters[begin : begin + rng.randrange(40)]
    return "".join(letters)


def complaints(path: Path) -> Sequence[DocumentProblem]:
    try:
        load_policy(path)
    except PolicyError as error:
        return error.problems
    return ()


@pytest.mark.parametrize("seed", range(4))
def test_a_mistake_is_told_with_place_reason_and_a_way_out(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)  # noqa: S311 - mistakes, no secrets
    path = tmp_path / "site.yaml"
    for _ in range(400):
        path.write_text(mistaken(rng.choice(SOUND).read_text(encoding="utf-8"), rng), encoding="utf-8")
        for problem in complaints(path):
            assert problem.line >= 1
            assert problem.column >= 1
            assert problem.message
            assert problem.fix, problem.message
