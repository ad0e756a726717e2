"""The HTML report in a real browser: silent console, no request, no fault of accessibility. Needs Chromium."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from auditor.model import Report
from auditor.pipeline import audit
from auditor.report.html import render
from auditor.report.interface import RenderOptions
from tests.helpers.attack import attacked_site
from tests.report_samples import hostile_report
from tests.support import Case, committed_cases, policy_of, shared_cases

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

QUIET = (
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
CLEARS = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


def browse(page: Path, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Open a page without a window and return what it became, and what was logged."""
    assert CHROMIUM is not None
    return subprocess.run(
        [
            CHROMIUM,
            "--headless=new",
            # Tests may run as root, where Chromium's sandbox refuses to start.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            f"--user-data-dir={folder / 'profile'}",
            *QUIET,
            *options,
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        timeout=100,
        check=False,
    )


def largest(folder: Path) -> Report:
    """Return the report of the capture with most sessions and packets, of those beside the checkout as well."""

    def size(case: Case) -> tuple[int, int]:
        return len(case.truth.get("control_sessions", ())), case.capture.stat().st_size

    case = max((*committed_cases(), *shared_cases()), key=size)
    policy = case.policy or folder / "largest.yaml"
    if case.policy is None:
        policy.write_text(policy_of(case.truth), encoding="utf-8")
    return audit([case.capture], policy_path=policy)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    attack, policy = attacked_site(folder)
    reports = {
        "audited": largest(folder),
        "hostile": hostile_report(),
        "attacked": audit([attack], policy_path=policy),
    }
    made = {}
    for name, report in reports.items():
        made[name] = folder / f"{name}.html"
        made[name].write_bytes(render(report, RenderOptions()))
    return made


def requested(log: Path) -> set[str]:
    """Return the addresses that a page asked for, from the browser's own log of its network.

    What the browser asks for on its own account has no origin, and finds no host.
    """
    events = json.loads(log.read_text(encoding="utf-8", errors="replace"))["events"]
    asked = [event.get("params", {}) for event in events]
    return {params["url"] for params in asked if params.get("initiator", "not an origin") != "not an origin"}


@pytest.mark.parametrize("name", ["audited", "hostile", "attacked"])
def test_nothing_is_asked_for_and_the_console_is_silent(name: str, pages: dict[str, Path], tmp_path: Path) -> None:
    log = tmp_path / "net.json"
    done = browse(pages[name], tmp_path, "--enable-logging=stderr", f"--log-net-log={log}", "--dump-dom")
    assert "<h1" in done.stdout
    assert [line for line in done.stderr.splitlines() if "CONSOLE" in line] == []
    assert requested(log) == set()


def test_the_console_would_speak_and_the_log_would_show(tmp_path: Path) -> None:
    """The two checks above can fail."""
    page = tmp_path / "loud.html"
    address = "http://127.0.0.1:9/picture.png"
    page.write_text(f'<h1>x</h1><script>console.error("heard")</script><img src="{address}">', encoding="utf-8")
    log = tmp_path / "net.json"
    done = browse(page, tmp_path, "--enable-logging=stderr", f"--log-net-log={log}", "--dump-dom")
    assert any("CONSOLE" in line and "heard" in line for line in done.stderr.splitlines())
    assert requested(log) == {address}


def faults(page: Path, folder: Path, *options: str) -> list[dict[str, Any]]:
    """Return what axe-core finds in a copy of a page that lets its script run."""
    script = (resources.files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
    run = (
        "axe.run(document,{resultTypes:['violations']}).then(function(r){var p=document.createElement('pre');p.id='axe';"
        "p.textContent=JSON.stringify(r.violations.map(function(v){return {id:v.id,impact:v.impact,"
        "nodes:v.nodes.map(function(n){return n.html})}}));document.body.appendChild(p)})"
    )
    text = CLEARS.sub("", page.read_text(encoding="utf-8"))
    copy = folder / "copy.html"
    copy.write_text(
        text.replace("</body>", f"<script>{script}</script><script>{run}</script></body>"), encoding="utf-8"
    )
    done = browse(copy, folder, "--virtual-time-budget=20000", "--dump-dom", *options)
    told = re.search(r'<pre id="axe">(.*?)</pre>', done.stdout, re.DOTALL)
    assert told is not None, done.stderr[-2000:]
    found: list[dict[str, Any]] = json.loads(told[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    return found


@pytest.mark.parametrize("name", ["audited", "hostile"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_fault(name: str, scheme: str, pages: dict[str, Path], tmp_path: Path) -> None:
    options = ("--force-dark-mode", "--blink-settings=preferredColorScheme=0") if scheme == "dark" else ()
    assert faults(pages[name], tmp_path, *options) == []


def test_axe_would_find_one(tmp_path: Path) -> None:
    page = tmp_path / "bad.html"
    page.write_text('<html lang="en"><title>x</title><body><img src="data:,"></body></html>', encoding="utf-8")
    assert "image-alt" in {fault["id"] for fault in faults(page, tmp_path)}
