#!/usr/bin/env python3
"""Build the site: every page of the checkout, strictly, so that a link or an anchor that leads nowhere is an error.

    docs/site.py          needs mkdocs (the extra ``docs``); writes target/site

Pages keep their places to each other, so that what reads well in the repository reads well in the site. Only the folder
``.github`` goes by another name: MkDocs leaves out what begins with a dot. Pages that docs/mkdocs.yml does not place in
the navigation follow under *Reference* and *Captures*, named by their own first heading.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "target" / "site-source"
HIDDEN, SHOWN = ".github", "contributing"


def gather() -> list[Path]:
    """Copy all pages and pictures to ``SOURCE``; return the pages, from there."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    found = [ROOT / "README.md", ROOT / HIDDEN / "CONTRIBUTING.md"]
    found += [*sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "captures").rglob("README.md"))]
    pages = []
    for path in found:
        place = Path(path.relative_to(ROOT).as_posix().replace(HIDDEN, SHOWN))
        text = path.read_text(encoding="utf-8").replace(f"{HIDDEN}/CONTRIBUTING.md", f"{SHOWN}/CONTRIBUTING.md")
        (SOURCE / place).parent.mkdir(parents=True, exist_ok=True)
        (SOURCE / place).write_text(text, encoding="utf-8")
        pages.append(place)
    for picture in (*(ROOT / "docs").glob("*.png"), *(ROOT / "docs").glob("*.svg")):
        shutil.copy(picture, SOURCE / "docs" / picture.name)
    return pages


def configuration(pages: list[Path]) -> Path:
    """Write docs/mkdocs.yml with every page in its navigation; return the path of what was written."""
    settings = yaml.safe_load((ROOT / "docs" / "mkdocs.yml").read_text(encoding="utf-8"))
    placed = {next(iter(one.values())) for part in settings["nav"] for one in _entries(part)}
    rest = [page.as_posix() for page in pages if page.as_posix() not in placed]
    settings["nav"] += [
        {"Reference": [page for page in rest if not page.startswith("captures/")]},
        {"Captures": [page for page in rest if page.startswith("captures/")]},
    ]
    settings |= {"docs_dir": str(SOURCE), "site_dir": str(SOURCE.parent / "site")}
    path = SOURCE.parent / "site.yml"
    path.write_text(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path


def _entries(part: dict[str, object]) -> list[dict[str, str]]:
    """Return the pages of a part of the navigation: the part itself, or those below it."""
    value = next(iter(part.values()))
    return value if isinstance(value, list) else [{"": str(value)}]


def main() -> int:
    """Build the site; return the exit code of mkdocs."""
    path = configuration(gather())
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--clean", "--config-file", str(path)]
    code = subprocess.run(command, check=False).returncode
    if code == 0:
        print(f"site: {(SOURCE.parent / 'site').relative_to(ROOT)}/index.html")
    return code


if __name__ == "__main__":
    sys.exit(main())
