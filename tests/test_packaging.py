"""The wheel: complete, nothing astray, and working where no checkout is."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.support import CAPTURES, ROOT

pytestmark = [pytest.mark.packaging, pytest.mark.slow, pytest.mark.timeout(540)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel as ``pip install .`` does; the cargo target folder makes this quick after a build."""
    folder = tmp_path_factory.mktemp("wheel")
    words = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    (built,) = folder.glob("*.whl")
    return built


def test_one_wheel_serves_all_pythons_from_3_11(wheel: Path) -> None:
    assert "-cp311-abi3-" in wheel.name


def test_the_wheel_carries_the_rules_inside_the_package(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    rules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "rules").rglob("*") if path.is_file()}
    assert {f"auditor/_data/{rule}" for rule in rules} <= names


def test_the_wheel_carries_the_templates_of_the_page(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    templates = ROOT / "auditor" / "report" / "html" / "templates"
    assert {f"auditor/report/html/templates/{path.name}" for path in templates.iterdir()} <= names


def test_nothing_is_astray(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"auditor"}
    assert not [name for name in names if name.endswith((".rs", ".pyc")) or "/rust/" in name]
    native = [name for name in names if name.startswith("auditor/_native")]
    assert sorted(Path(name).suffix for name in native) == [".pyi", ".so"]


def test_the_package_says_that_it_is_typed(wheel: Path) -> None:
    assert "auditor/py.typed" in zipfile.ZipFile(wheel).namelist()


def test_the_installed_wheel_works_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "venv"
    venv.create(home, with_pip=True, symlinks=True)
    python = home / "bin" / "python"
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}

    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*map(str, words)],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    installed = run(python, "-m", "pip", "install", "--quiet", wheel)
    assert installed.returncode == 0, installed.stderr[-2000:]
    capture = tmp_path / "site.pcap"
    policy = tmp_path / "site.yaml"
    capture.write_bytes((CAPTURES / "out-of-range" / "out-of-range.pcap").read_bytes())
    policy.write_bytes((CAPTURES / "out-of-range" / "policy.yaml").read_bytes())
    audited = run(home / "bin" / "auditor", "audit", capture, "--policy", policy)
    assert audited.returncode == 1, audited.stderr
    assert audited.stdout.count("BX301") >= 1
    listed = run(home / "bin" / "auditor", "rules", "list")
    assert listed.returncode == 0
    assert "BX301" in listed.stdout
