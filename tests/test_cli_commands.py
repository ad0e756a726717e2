"""The commands that need no capture, and the page that describes all of them."""

from __future__ import annotations

import json

import click
import pytest

from auditor.cli.commands import COMMANDS, command
from auditor.cli.group import LazyGroup
from auditor.cli.policy import policy
from auditor.cli.reference import reference
from auditor.cli.schema import SCHEMAS
from tests.support import ROOT, run_auditor


def test_the_page_is_up_to_date() -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert page == reference(), "run: python -m auditor.cli.reference > docs/cli.md"


def test_help_names_every_command() -> None:
    done = run_auditor("--help")
    assert done.code == 0
    assert all(f"  {name} " in done.out for name in COMMANDS)
    assert "130 interrupted" in " ".join(done.out.split())


@pytest.mark.parametrize("group", [command, policy], ids=["auditor", "policy"])
def test_what_is_told_of_a_command_is_its_own_help(group: LazyGroup) -> None:
    context = click.Context(group)
    told = group._told()
    assert sorted(told) == group.list_commands(context)
    for name, listed in told.items():
        own = group.get_command(context, name)
        assert own is not None
        assert listed.get_short_help_str(200) == own.get_short_help_str(200)
        assert not own.hidden


@pytest.mark.parametrize(("begun", "found"), [("re", ["rejudge", "report"]), ("--ver", ["--version"]), ("nothing", [])])
def test_words_are_completed(begun: str, found: list[str]) -> None:
    assert [item.value for item in command.shell_complete(click.Context(command), begun)] == found


def test_rules_are_listed_with_severity_and_title() -> None:
    done = run_auditor("rules", "list")
    rows = [line.split(maxsplit=2) for line in done.out.splitlines()]
    assert rows[0] == ["Code", "Severity", "Title"]
    assert ["BX301", "medium"] in [row[:2] for row in rows]
    assert [row[0] for row in rows[1:]] == sorted(row[0] for row in rows[1:])
    files = len(list((ROOT / "rules" / "checks").rglob("*.yaml")))
    assert len(rows) == files + 1


@pytest.mark.parametrize("word", ["BX301", "bx301"])
def test_a_rule_is_explained(word: str) -> None:
    done = run_auditor("rules", "show", word)
    assert done.code == 0
    headings = [line for line in done.out.splitlines() if line and line[0] != " "]
    assert headings[0].startswith("BX301  ")
    assert {"Why", "What it says", "Likely consequence", "Remedy", "Sources"} <= set(headings)


def test_rules_are_sound() -> None:
    done = run_auditor("rules", "lint")
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("all sound\n")


def test_services_are_listed_one_a_line() -> None:
    lines = run_auditor("services", "list").out.splitlines()
    assert any("  benetns.exe  " in line and "  6101 tcp  " in line for line in lines)
    assert any("  beserver.exe  " in line and "  3527, 6106 tcp  " in line for line in lines)


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_printed(name: str) -> None:
    done = run_auditor("schema", name)
    assert done.code == 0
    assert json.loads(done.out)["$schema"].startswith("http")


def test_a_sound_policy() -> None:
    done = run_auditor("policy", "check", ROOT / "captures" / "compliant" / "policy.yaml")
    assert done.code == 0
    assert "sound; generation 11d-12" in done.out
