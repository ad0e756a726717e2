"""Every command in the documents is run, in a folder that has what the documents speak of.

What needs root, Windows or a build is marked in the document with a comment in front of it (``<!-- not run: why -->``) or
begins with a program of ``ELSEWHERE``; its syntax is checked.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from auditor.cli import main
from tests.support import CAPTURES, COMMAND, ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / ".github" / "CONTRIBUTING.md"]
PAGES += [ROOT / "captures" / "README.md"]
RUN = ("auditor", "sha256sum", "capinfos", "find", "openssl")
ELSEWHERE = ("make", "pip", "cargo", "bash", "/usr/bin/time", "python")
"""Programs of developers: what they name is checked, they are not run."""

MARK = re.compile(r"<!-- not run: .+? -->\n")
FENCE = re.compile(r"^```(?P<kind>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
REFERENCE = {"cli.md", "rules-reference.md"}
"""Made from the code: the examples of the help are run by the tests of the commands."""


@dataclass(frozen=True)
class Shown:
    """A command as a document shows it."""

    line: str
    kind: str
    marked: bool


def shown(path: Path) -> list[Shown]:
    """Return the commands of a document: lines of fenced shell blocks, and indented lines that begin with a program."""
    text = path.read_text(encoding="utf-8")
    found = []
    for block in FENCE.finditer(text):
        marked = MARK.search(text, max(block.start() - 120, 0), block.start()) is not None
        if block["kind"] in ("sh", "bat"):
            found += [Shown(line, block["kind"], marked) for line in block["body"].splitlines() if line.strip()]
    bare = FENCE.sub("", text)
    for line in re.findall(r"^ {4,}(\S.*)$", bare, re.MULTILINE):
        if line.split()[0] in RUN + ELSEWHERE or "tcpdump" in line.split()[:1]:
            found.append(Shown(line, "sh", marked=False))
    return found


each_page = pytest.mark.parametrize(
    "path",
    [page for page in PAGES if page.name not in REFERENCE and shown(page)],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)


def furnish(tmp_path: Path) -> Path:
    """Put the files that the documents speak of into a folder."""
    story = CAPTURES / "out-of-range"
    for name in ("site.pcapng", "april.pcapng", "monday.pcap", "outside.pcapng", "inside.pcapng"):
        shutil.copy(story / "out-of-range.pcap", tmp_path / name)
    shutil.copy(CAPTURES / "compliant" / "compliant.pcap", tmp_path / "tuesday.pcap")
    policy = (story / "policy.yaml").read_text(encoding="utf-8")
    policy += "hosts:\n  10.77.0.22: {name: agent2}\n"
    for name in ("site.yaml", "draft.yaml"):
        (tmp_path / name).write_text(policy, encoding="utf-8")
    waivers = re.search(r"```yaml\n(# accepted\.yaml\n.*?)```", (ROOT / "docs" / "waivers.md").read_text(), re.DOTALL)
    assert waivers is not None
    (tmp_path / "accepted.yaml").write_text(waivers[1], encoding="utf-8")
    listings = ROOT / "tests" / "data" / "listings"
    shutil.copy(listings / "ss-webmin.txt", tmp_path / "agent1.txt")
    shutil.copy(listings / "windows-netstat.txt", tmp_path / "agent2.csv")
    rule = (ROOT / "rules" / "checks" / "blocked" / "agent-browser-blocked.yaml").read_text(encoding="utf-8")
    (tmp_path / "our-rules").mkdir()
    rule = rule.replace("BX103", "SITE-101").replace("name: agent-browser-blocked", "name: our-browser-blocked")
    (tmp_path / "our-rules" / "our-browser-blocked.yaml").write_text(rule, encoding="utf-8")
    (tmp_path / "zeek").mkdir()
    (tmp_path / "captures").symlink_to(CAPTURES)
    saved = (
        "audit site.pcapng --policy site.yaml --exit-zero --report site.json --report march.json --report april.json"
    )
    assert run(f"auditor {saved}", tmp_path).returncode == 0
    return tmp_path


def run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line as a shell would. What is ``auditor`` alone runs in this process: fifty starts of Python take long."""
    words = shlex.split(line, comments=True)
    # ``why --dissect`` starts an event loop and programs of its own, which want a process of theirs.
    if words[0] == "auditor" and words[1] != "why" and not set(line.partition("#")[0]) & set("|<&;*"):
        return run_here(words[1:], folder)
    path = f"{COMMAND.parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "NO_COLOR": "1", "TERM": "dumb", "LC_ALL": "C.UTF-8"}
    shell = ["bash", "-o", "pipefail", "-c", line]
    return subprocess.run(shell, cwd=folder, env=environment, capture_output=True, text=True, timeout=100, check=False)


def run_here(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command line in this process, in a folder."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(words)
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
    told = [stream.buffer.getvalue().decode() for stream in (out, err) if stream.flush() is None]  # type: ignore[attr-defined]
    return subprocess.CompletedProcess(words, code, *told)


def missing_for(words: list[str]) -> set[str]:
    """Return the programs that a command takes and that are not installed."""
    wanted = {words[0], *({"tshark"} if {"tshark", "--dissect"} & set(words) else ())}
    path = f"{COMMAND.parent}{os.pathsep}{os.environ['PATH']}"
    return {program for program in wanted if shutil.which(program, path=path) is None}


@each_page
def test_every_command_of_a_page_runs(path: Path, tmp_path: Path) -> None:
    folder = furnish(tmp_path)
    missing: set[str] = set()
    for one in shown(path):
        words = shlex.split(one.line, comments=True)
        program = words[0]
        if one.marked or program in ELSEWHERE:
            continue
        assert program in RUN, f"{one.line}: run it here, or mark it with <!-- not run: why -->"
        if lacking := missing_for(words):
            missing |= lacking
            continue
        done = run(one.line, folder)
        # 1 is an answer of auditor (findings, differences), no failure of the command.
        assert done.returncode in ((0, 1) if program == "auditor" else (0,)), f"{one.line}\n{done.stderr}"
        assert "Traceback" not in done.stderr
    if missing:
        pytest.skip(f"{', '.join(sorted(missing))} is not installed")


@each_page
def test_every_command_that_is_not_run_has_the_right_syntax(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for one in shown(path):
        words = shlex.split(one.line, comments=True, posix=one.kind != "bat")
        if one.kind == "bat":
            check_windows(words)
            continue
        assert run(f"if false; then\n{one.line}\nfi", ROOT).returncode == 0, one.line
        if words[0] == "make":
            assert {word for word in words[1:] if "=" not in word} <= targets, one.line
        if words[0] in ("tcpdump", "dumpcap"):
            check_recorder(words)


def check_recorder(words: list[str]) -> None:
    """Hold a line of tcpdump or dumpcap against their options, and let libpcap compile its filter."""
    options = {"tcpdump": set("isBCWwG"), "dumpcap": set("isBbwf")}[words[0]]
    rest = list(words[1:])
    capture_filter = ""
    while rest:
        word = rest.pop(0)
        if word.startswith("-"):
            assert word[1:] in options, word
            value = rest.pop(0)
            capture_filter = value if word == "-f" else capture_filter
        else:
            capture_filter = word
    if shutil.which("tcpdump") and capture_filter:
        done = subprocess.run(
            ["tcpdump", "-y", "EN10MB", "-d", capture_filter], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


PKTMON = {
    ("filter", "add"): {"-i", "-p", "-t"},
    ("start",): {"--capture", "--comp", "--pkt-size", "--file-name", "--file-size", "--log-mode"},
    ("stop",): set[str](),
    ("etl2pcap",): {"--out"},
}
NETSH = {"capture", "report", "persistent", "maxsize", "filemode", "tracefile", "overwrite", "ipv4.address"}
"""Subcommands and options as Microsoft's documentation of pktmon and netsh trace has them."""


def check_windows(words: list[str]) -> None:
    """Hold a line for Windows against the options that Microsoft documents."""
    if words[0] == "pktmon":
        verb = next(verb for verb in PKTMON if tuple(words[1 : 1 + len(verb)]) == verb)
        assert {word for word in words if word.startswith("-")} <= PKTMON[verb], words
    elif words[0] == "netsh":
        assert words[1:3] in (["trace", "start"], ["trace", "stop"])
        assert {word.partition("=")[0].lower() for word in words[3:]} <= NETSH
    else:
        assert words[0] == "etl2pcapng.exe"
        assert len(words) == 3


def test_the_guide_shows_commands() -> None:
    """The search for commands finds them: without it, the tests above would run nothing."""
    lines = [one.line for page in PAGES for one in shown(page)]
    assert len([line for line in lines if line.startswith("auditor ")]) > 30
    assert {"tcpdump", "dumpcap", "pktmon", "netsh"} <= {line.split()[0] for line in lines}
