"""The documents build into a site, strictly, and the site asks for nothing from elsewhere."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.support import ROOT

pytest.importorskip("mkdocs")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("site_builder", ROOT / "docs" / "site.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "SOURCE", tmp_path / "site-source")
    return module


def build(configuration: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", str(configuration)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_site_builds_strictly_with_every_page_in_it(site: ModuleType) -> None:
    pages = site.gather()
    done = build(site.configuration(pages))
    assert done.returncode == 0, done.stderr
    built = site.SOURCE.parent / "site"
    for page in pages:
        made = built / page.with_suffix(".html")
        assert made.is_file() or (made.parent / "index.html").is_file(), page
    loaded = re.compile(r'<(?:script|img|iframe)[^>]*\bsrc="(?:https?:)?//|<link[^>]*\bhref="(?:https?:)?//')
    for path in built.rglob("*.html"):
        assert not loaded.search(path.read_text(encoding="utf-8")), path.name


@pytest.mark.parametrize("wrong", ["[x](nowhere.md)", "[x](policy.md#no-such-place)", "![x](nowhere.png)"])
def test_a_link_that_leads_nowhere_is_an_error(wrong: str, site: ModuleType) -> None:
    pages = site.gather()
    page = site.SOURCE / "docs" / "guide-limits.md"
    page.write_text(f"{page.read_text(encoding='utf-8')}\n{wrong}\n", encoding="utf-8")
    assert build(site.configuration(pages)).returncode != 0


def test_the_table_of_job_errors_is_that_of_the_rules() -> None:
    """Every error that a rule file names, with the rules that name it."""
    named: dict[str, set[str]] = {}
    for path in (ROOT / "rules" / "checks").rglob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        code = re.search(r"^code: (\w+)", text, re.MULTILINE)
        assert code is not None
        for error in re.findall(r"0x[0-9A-F]{8}", text):
            named.setdefault(error, set()).add(code[1])
    page = (ROOT / "docs" / "guide-errors.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(0x[0-9A-F]{8})`.*\| ([^|]*) \|$", page, re.MULTILINE)
    assert {error: set(codes.split(", ")) for error, codes in rows} == named
