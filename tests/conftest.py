"""Fixtures that several test files ask for, and the list of what a run left out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import SHARED


@pytest.fixture(scope="session")
def shared() -> Any:
    """The material beside the checkout (``../shared``); skips the test where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("no ../shared beside the checkout")
    return SHARED


@pytest.fixture
def firewall_site(tmp_path: Path) -> Path:
    """The policy of a small site, whose firewall rules are written."""
    from tests.helpers.firewall import SITE

    path = tmp_path / "site.yaml"
    path.write_text(SITE)
    return path


@pytest.fixture(autouse=True)
def journals_closed() -> Iterator[None]:
    """Close the journals that the test opened, where there are tests that open some."""
    yield
    if helper := sys.modules.get("tests.helpers.journals"):
        helper.close_all()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Name every test that did not run, and why: a green run that judged little must say so."""
    skipped = terminalreporter.getreports("skipped")
    for report in sorted(skipped, key=lambda report: str(report.nodeid)):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        terminalreporter.write_line(f"left out: {report.nodeid}: {reason.removeprefix('Skipped: ')}")
    if not skipped:
        terminalreporter.write_line("left out: nothing")
