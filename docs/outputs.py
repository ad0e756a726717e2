#!/usr/bin/env python3
"""Keep the outputs that the documents show those of real runs.

    docs/outputs.py          check; exit 1 and a diff where one is stale
    docs/outputs.py --write  write them anew

An output stands in a fenced block right behind a comment that names the command:

    <!-- output of: auditor rules list -->
    ```text
    …
    ```

Commands are run in the checkout, without a terminal and without colour, so that every machine prints the same.
A part of the output is shown by filters behind the command: ``| from WORD`` begins with the first line that begins
with the word, ``| head -N`` and ``| tail -N`` keep the first or the last N lines.
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(
    r"(?P<head><!-- output of: auditor (?P<words>[^\n|]*?)(?P<filters>(?: \| [^\n|]+?)*) -->\n```\w+\n)"
    r"(?P<body>.*?)(?P<tail>```\n)",
    re.DOTALL,
)
COMMAND = Path(sysconfig.get_path("scripts")) / "auditor"


def documents() -> list[Path]:
    """Return the documents that may show outputs."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / ".github").glob("*.md"))]


def output(words: str) -> str:
    """Run ``auditor`` with the words of a command line and return what it prints."""
    environment = {**os.environ, "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "80", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        [COMMAND, *shlex.split(words)],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    if done.returncode not in {0, 1}:
        raise SystemExit(f"auditor {words}: exit code {done.returncode}\n{done.stderr}")
    return done.stdout


def part(lines: list[str], name: str, argument: str) -> list[str]:
    """Apply one filter to the lines of an output."""
    if name == "from":
        first = next(number for number, line in enumerate(lines) if line.startswith(argument))
        return lines[first:]
    count = int(argument.removeprefix("-"))
    return lines[:count] if name == "head" else lines[-count:]


def refreshed(text: str) -> str:
    """Return a document with every shown output as the command prints it now."""

    def replace(match: re.Match[str]) -> str:
        lines = output(match["words"]).splitlines(keepends=True)
        for words in match["filters"].split("|")[1:]:
            lines = part(lines, *words.split())
        return f"{match['head']}{''.join(lines)}{match['tail']}"

    return BLOCK.sub(replace, text)


def main(arguments: list[str]) -> int:
    """Check the documents or write them anew; return the exit code."""
    stale = 0
    for path in documents():
        text = path.read_text(encoding="utf-8")
        fresh = refreshed(text)
        if fresh == text:
            continue
        name = path.relative_to(ROOT).as_posix()
        if "--write" in arguments:
            path.write_text(fresh, encoding="utf-8")
            print(f"{name}: written anew")
            continue
        stale = 1
        lines = difflib.unified_diff(
            text.splitlines(), fresh.splitlines(), f"{name} as shown", f"{name} as run", "", "", 1, ""
        )
        print("\n".join(lines))
    if stale:
        print("stale: run `make docs`")
    return stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
