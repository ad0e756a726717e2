"""The units of systemd, held against systemd's own tools."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support import ROOT

PACKAGING = ROOT / "packaging"
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


@needs_systemd
def test_the_units_verify(tmp_path: Path) -> None:
    names = []
    for unit in (*PACKAGING.glob("*.service"), *PACKAGING.glob("*.timer")):
        # The program is not installed where tests run; all else is as it is.
        (tmp_path / unit.name).write_text(re.sub(r"/usr/bin/(auditor|systemctl)\b", "/bin/true", unit.read_text()))
        names.append(unit.name.replace("@.", "@eth0."))
    assert len(names) == 3
    done = subprocess.run(
        ["systemd-analyze", "verify", *(f"./{name}" for name in names)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
    )
    ours = [line for line in done.stderr.splitlines() if "auditor-" in line]
    assert (done.returncode, ours) == (0, [])


@needs_systemd
@pytest.mark.parametrize("name", ["auditor-watch@.service", "auditor-report@.service"])
def test_the_services_are_hardened(name: str) -> None:
    words = ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(PACKAGING / name)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=100)
    # Exit code 1 where the exposure is above 2.0 of 10.
    assert done.returncode == 0, done.stdout.splitlines()[-1:]


def test_the_watch_has_one_capability() -> None:
    text = (PACKAGING / "auditor-watch@.service").read_text()
    assert (
        re.findall(r"^(?:AmbientCapabilities|CapabilityBoundingSet)=(.*)$", text, re.MULTILINE) == ["CAP_NET_RAW"] * 2
    )
