"""The JSON Schema for editors and the reader agree: same keys, same words, same examples accepted and refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import auditor
from auditor.policy.load import HOST_KEYS, NOTIFICATION_KEYS, POLICY_KEYS, load_policy
from auditor.policy.load_terms import TERM_KEYS
from auditor.policy.load_zones import RESERVED_NAMES, ZONE_KEYS
from auditor.policy.model import DATA_DIRECTIONS, ZONE_ROLES
from auditor.services import DEFAULT_GENERATION, ROLES, generations

DATA = Path(__file__).parent / "data" / "policies"
SCHEMA: dict[str, Any] = json.loads(
    (Path(auditor.__file__).parent / "schemas" / "policy.schema.json").read_text(encoding="utf-8")
)
PROPERTIES = SCHEMA["properties"]
DEFINITIONS = SCHEMA["definitions"]


def accepts(path: Path) -> bool:
    validator = jsonschema.Draft7Validator(SCHEMA)
    return bool(validator.is_valid(yaml.safe_load(path.read_text(encoding="utf-8"))))


def policies(folder: str) -> list[Path]:
    return sorted((DATA / folder).glob("*.yaml"))


def test_the_schema_is_one() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)


def test_keys_are_the_same() -> None:
    assert set(PROPERTIES) == set(POLICY_KEYS)
    assert set(DEFINITIONS["zone"]["properties"]) == set(ZONE_KEYS)
    assert set(PROPERTIES["hosts"]["additionalProperties"]["properties"]) == set(HOST_KEYS)
    assert set(PROPERTIES["notification"]["properties"]) == set(NOTIFICATION_KEYS)
    assert set(PROPERTIES["terms"]["items"]["properties"]) == set(TERM_KEYS)
    assert set(PROPERTIES["zones"]["properties"]) == set(ROLES)


def test_words_are_the_same() -> None:
    assert set(PROPERTIES["generation"]["enum"]) == set(generations())
    assert PROPERTIES["generation"]["default"] == DEFAULT_GENERATION
    assert tuple(PROPERTIES["data_direction"]["enum"]) == DATA_DIRECTIONS
    assert tuple(DEFINITIONS["zone"]["properties"]["role"]["enum"]) == ZONE_ROLES
    assert {*RESERVED_NAMES, ""} == set(PROPERTIES["zones"]["propertyNames"]["not"]["enum"])


@pytest.mark.parametrize("path", policies("accepted"), ids=lambda path: path.stem)
def test_both_accept(path: Path) -> None:
    load_policy(path)
    assert accepts(path)


@pytest.mark.parametrize("path", policies("refused"), ids=lambda path: path.stem)
def test_both_refuse(path: Path) -> None:
    # That the reader refuses it, and how, is held by test_policy_load.
    assert not accepts(path)


@pytest.mark.parametrize("path", policies("refused-by-reader"), ids=lambda path: path.stem)
def test_what_a_schema_cannot_see_it_lets_pass(path: Path) -> None:
    assert accepts(path), "move it to refused/"
