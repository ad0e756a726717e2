"""The documents say what is true: shown outputs, links, commands, targets."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from tests.support import ROOT, run_auditor

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / ".github").glob("*.md"))]
DOCUMENTS += sorted((ROOT / "captures").rglob("README.md"))
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)")

each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())


@pytest.fixture(scope="module")
def outputs() -> ModuleType:
    spec = importlib.util.spec_from_file_location("outputs", ROOT / "docs" / "outputs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@each_document
def test_shown_outputs_are_those_of_real_runs(path: Path, outputs: ModuleType) -> None:
    text = path.read_text(encoding="utf-8")
    assert outputs.refreshed(text) == text, "run `make docs`"


@each_document
def test_links_lead_somewhere(path: Path) -> None:
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


def test_readme_opens_with_the_two_commands() -> None:
    head = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:12]
    assert "make demo" in " ".join(head)
    assert "make test" in " ".join(head)


def test_readme_names_every_exit_code() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"| {code} |" in text for code in (0, 1, 2, 3, 130))


def test_documents_name_only_files_that_are_there() -> None:
    """Paths in backquotes that begin with a folder of the checkout."""
    folders = "auditor|captures|docs|rules|tests"
    for path in DOCUMENTS:
        for name in re.findall(rf"`((?:{folders})/[\w./-]+)`", path.read_text(encoding="utf-8")):
            assert (ROOT / name).exists(), f"{path.name}: {name}"


def test_every_command_has_help() -> None:
    listed = run_auditor("--help").out
    for command in ("audit", "rules"):
        assert command in listed
        assert "Usage" in run_auditor(command, "--help").out


def test_no_document_names_a_machine() -> None:
    machine = re.compile(r"/(?:root|home|work|tmp/\w)/")
    for path in DOCUMENTS:
        found = machine.search(path.read_text(encoding="utf-8"))
        assert found is None, f"{path.name}: {found}"


def test_make_help_tells_every_public_target() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    public = set(re.findall(r"^([a-z-]+):.*## ", text, re.MULTILINE))
    assert {"help", "demo", "test", "lint", "docs", "clean"} <= public


def test_the_index_names_every_document() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    for path in (ROOT / "docs").glob("*.md"):
        assert path.name == "README.md" or f"]({path.name})" in index, path.name


def test_commands_named_in_documents_exist() -> None:
    """`auditor WORD` in backquotes or at the beginning of a shown command."""
    listed = run_auditor("--help").out
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        for word in re.findall(r"(?:`| {4})auditor ([a-z]+)\b", text):
            assert re.search(rf"^\s+{word}\s", listed, re.MULTILINE), f"{path.name}: auditor {word}"
