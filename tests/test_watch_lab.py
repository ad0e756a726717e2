"""A watch of the lab's bridge while its NDMP software works, held against an audit of what tcpdump wrote meanwhile."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from tests.netns import needs_namespaces
from tests.support import CAPTURES, ROOT

pytestmark = [
    needs_namespaces,
    pytest.mark.skipif(shutil.which("tcpdump") is None, reason="tcpdump is not installed"),
]


@pytest.mark.parametrize(
    ("scenario", "tool", "sessions", "data"),
    [
        # captures/lab/sessions.py: four and three transfers on two control connections.
        ("in-sequence", "tcpdump", 2, 7),
        # captures/lab/scenarios.py: dropped, reset, prohibited and refused, so that nothing ever opens.
        ("blocked", "nft", 0, 0),
        # captures/rogue/truth.json: nine control connections, one data connection.
        ("sent:rogue", "tcpdump", 9, 1),
    ],
)
def test_watched_and_audited_are_the_same(scenario: str, tool: str, sessions: int, data: int) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    done = subprocess.run(
        [sys.executable, CAPTURES / "lab" / "watched.py", scenario],
        cwd=ROOT, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    row = [cell.strip() for cell in done.stdout.splitlines()[-1].strip("|").split("|")]
    assert (done.returncode, row[0], row[-1], done.stderr) == (0, scenario, "the same", "")
    assert (int(row[2]), int(row[3])) == (sessions, data)
    assert int(row[4]) > 0
