#!/usr/bin/env python3
"""Make the pictures of the guide anew: parts of the pages of captures in this repository, as Chromium shows them.

docs/pictures.py          needs Chromium; writes the pictures in docs/
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from auditor.pipeline import AuditOptions, audit
from auditor.report.html import render
from auditor.report.interface import RenderOptions

ROOT = Path(__file__).resolve().parent.parent
PICTURES = {
    "report-page.png": ("out-of-range", "", 1225),
    "picture-ports.png": ("out-of-range", "band", 490),
    "picture-timeline.png": ("at-once", "timeline", 470),
    "picture-zones.png": ("blocked", "talk", 380),
    "picture-capacity.png": ("at-once", "capacity", 345),
    "picture-findings.png": ("blocked", "content", 430),
}
"""Name of the picture -> capture, the section that it shows, (none: the page from its top), and how much of it, in pixels."""


def part(page: str, section: str) -> str:
    """Return a page with nothing in it but one section; the page itself where none is named."""
    if not section:
        return page
    found = re.search(
        rf'<section aria-labelledby="{section}">.*?\n</section>\n(?=<section aria-|</main>)', page, re.DOTALL
    )
    symbols = re.search(r'<svg class="symbols".*?</svg>', page, re.DOTALL)
    if found is None or symbols is None:
        raise SystemExit(f"the page has no section {section}")
    head = page[: page.index("<body>")]
    bare = "<style>body{padding:0 24px}h2{margin-top:4px;border:0}</style>"
    return f"{head}<body>{bare}{symbols[0]}<main>{found[0]}</main></body></html>"


def main() -> int:
    """Write all pictures; return the exit code."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        print("Chromium is not installed")
        return 1
    # Names of files are on the page: they must not be those of a machine.
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        for name, (capture, section, height) in PICTURES.items():
            place = Path("captures") / capture
            options = AuditOptions(hash_files=True)
            report = audit([place / f"{capture}.pcap"], policy_path=place / "policy.yaml", options=options)
            page = Path(folder) / "part.html"
            page.write_text(part(render(report, RenderOptions()).decode(), section), encoding="utf-8")
            flags = [
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                f"--window-size=960,{height}",
            ]
            target = ROOT / "docs" / name
            subprocess.run(
                [browser, *flags, f"--user-data-dir={folder}/profile", f"--screenshot={target}", page.as_uri()],
                check=True,
                capture_output=True,
                timeout=100,
            )
            print(f"{name}: {target.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
