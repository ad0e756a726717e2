"""docs/policy.md and docs/services.md: the examples work, and nothing that a file may say is left out."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from auditor.notation import parse
from auditor.policy.load import HOST_KEYS, NOTIFICATION_KEYS, POLICY_KEYS, load_policy
from auditor.policy.load_terms import TERM_KEYS
from auditor.policy.load_zones import ZONE_KEYS
from auditor.policy.match import VERDICTS, judge
from auditor.policy.model import DATA_DIRECTIONS, ZONE_ROLES, Policy
from auditor.services import FAMILIES, PORT_SOURCES, generations, load_catalogue

DOCS = Path(__file__).resolve().parents[1] / "docs"
POLICY, SERVICES = ((DOCS / name).read_text(encoding="utf-8") for name in ("policy.md", "services.md"))


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    example, *_ = re.findall(r"```yaml\n(.*?)```", POLICY, re.DOTALL)
    path = tmp_path_factory.mktemp("docs") / "policy.yaml"
    path.write_text(example, encoding="utf-8")
    return load_policy(path)


@pytest.mark.parametrize(
    "word",
    [
        *POLICY_KEYS,
        *ZONE_KEYS,
        *HOST_KEYS,
        *NOTIFICATION_KEYS,
        *TERM_KEYS,
        *ZONE_ROLES,
        *DATA_DIRECTIONS,
        *generations(),
    ],
)
def test_the_policy_format_is_told_whole(word: str) -> None:
    assert f"`{word}`" in POLICY


@pytest.mark.parametrize("word", [*FAMILIES, *PORT_SOURCES])
def test_the_services_format_is_told_whole(word: str) -> None:
    assert f"`{word}`" in SERVICES


@pytest.mark.parametrize(
    ("line", "kind", "verdict"),
    [
        ("10.77.0.10:1 > 10.77.0.21:10000 tcp", "control", "permit"),
        ("10.77.0.10:1 > 192.0.2.9:9999 tcp", "control", "permit"),
        ("10.77.0.10:1 > 192.0.2.9:10000 tcp", "control", "unstated"),
        ("10.77.0.10:1 > 192.0.2.7:10000 tcp", "control", "permit"),
        ("10.77.0.10:1 > 10.77.0.21:50124 tcp", "data", "permit"),
        ("10.77.0.10:1 > 10.77.0.21:50125 tcp", "data", "unstated"),
        ("10.77.0.10:1 > 10.77.0.22:50150 tcp", "data", "permit"),
        ("10.77.0.10:1 > 192.0.2.9:50149 tcp", "data", "permit"),
        ("10.77.0.21:1 > 10.77.0.10:50200 tcp", "data", "unstated"),
        ("10.77.0.10:1 > 10.77.0.40:25 tcp", "", "permit"),
        ("10.77.0.21:1 > 10.77.0.40:25 tcp", "", "unstated"),
        ("10.77.0.80:1 > 10.77.0.10:3389 tcp", "", "permit"),
        ("10.77.0.21:1 > 10.77.0.22:445 tcp", "", "deny"),
        ("10.77.0.21:1 > 203.0.113.1:443 tcp", "", "unstated"),
    ],
)
def test_the_worked_example_means_what_is_said_of_it(worked: Policy, line: str, kind: str, verdict: str) -> None:
    table = parse(line).table
    masks = {name: np.full(1, kind == name) for name in ("control", "data")}
    verdicts = judge(table, worked, load_catalogue(worked.generation), **masks)
    assert VERDICTS[verdicts.verdict[0]] == verdict
