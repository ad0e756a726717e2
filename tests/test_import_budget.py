"""What a command may load, told by the modules of a fresh process, never by a clock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from auditor.cli.commands import COMMANDS
from tests.support import CAPTURES, ROOT

HEAVY = {"numpy", "pandas", "scapy", "pyshark", "pyarrow", "jinja2", "duckdb", "rich"}
PROBE = """
import json, sys
from auditor.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    code = end.code
sys.stdout.flush()
loaded = sorted({name.partition(".")[0] for name in sys.modules})
print(json.dumps([code, loaded]), file=sys.stderr)
"""
CAPTURE = CAPTURES / "out-of-range" / "out-of-range.pcap"


def loaded_by(*arguments: str) -> tuple[int, set[str]]:
    """Run a command in a fresh process and return its exit code and the top-level modules that it loaded."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments], cwd=ROOT, capture_output=True, text=True, check=True, timeout=100
    )
    code, modules = json.loads(done.stderr.splitlines()[-1])
    return code, set(modules)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["audit", "--help"],
        ["rules", "list"],
        ["rules", "show", "BX301"],
        ["services", "list"],
        ["schema", "report"],
        ["policy", "--help"],
        ["report", "--help"],
        ["rejudge", "--help"],
        ["why", "--help"],
        ["watch", "--help"],
    ],
    ids=" ".join,
)
def test_commands_without_captures_load_nothing_heavy(arguments: list[str]) -> None:
    code, modules = loaded_by(*arguments)
    assert code == 0
    assert modules & HEAVY == set()


@pytest.mark.parametrize("arguments", [["--help"], ["audit", "--help"], ["--version"]], ids=" ".join)
def test_help_reads_no_documents(arguments: list[str]) -> None:
    assert "yaml" not in loaded_by(*arguments)[1]


def test_help_and_completion_load_no_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = {place.partition(":")[0] for place, _ in COMMANDS.values()}
    helped = modules_of_a_process(tmp_path, "--help")
    monkeypatch.setenv("_AUDITOR_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "auditor p")
    monkeypatch.setenv("COMP_CWORD", "1")
    completed = modules_of_a_process(tmp_path)
    for modules in (helped, completed):
        assert "auditor.cli.group" in modules
        assert modules & {*named, "auditor.model", "auditor._native", "dataclasses", "tempfile", "pathlib"} == set()


@pytest.mark.parametrize("capture", ["out-of-range", "snaplen96", "blocked"])
def test_an_audit_loads_of_numpy_what_it_needs(capture: str) -> None:
    # Masked arrays are loaded by np.unique, and nothing here is masked; NumPy itself loads them where it is older.
    probe = PROBE.replace('name.partition(".")[0]', "name")
    plain = "import numpy, sys; print('numpy.ma' in sys.modules)"
    if "True" in subprocess.run([sys.executable, "-c", plain], capture_output=True, text=True, check=True).stdout:
        pytest.skip("this NumPy loads all of itself")
    arguments = [sys.executable, "-c", probe, "audit", str(CAPTURES / capture / f"{capture}.pcap"), "--format", "json"]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=True, timeout=100)
    modules = set(json.loads(done.stderr.splitlines()[-1])[1])
    assert "numpy" in modules
    assert modules & {"numpy.ma", "numpy.polynomial", "numpy.fft", "numpy.random"} == set()


LEFT_OUT = {
    "standard library": {
        "bz2", "csv", "dataclasses", "difflib", "fnmatch", "gettext", "glob", "hashlib", "heapq", "html", "json", "locale", "lzma",
        "pathlib", "random", "shutil", "string", "tempfile", "threading", "traceback", "urllib", "uuid", "weakref", "zlib",
    },
    "command line": {"click"},
    "numpy": {"numpy.ma", "numpy.random", "numpy.fft"},
    "documents": {"yaml", "auditor.documents.document", "auditor.documents.yaml_events"},
    "rules and services as files": {
        "auditor.controls.read", "auditor.packs.columns", "auditor.packs.conditions", "auditor.packs.read",
        "auditor.services.read",
    },
    "policy": {"auditor.policy.load", "auditor.policy.load_terms", "auditor.policy.load_zones"},
    "waivers, baseline, listings": {
        "auditor.waivers.load", "auditor.waivers.apply", "auditor.drift", "auditor.listeners.read",
        "auditor.listeners.lines",
    },
    "flows for formats": {"auditor.flow_export", "auditor.community_id"},
    "comparisons": {"auditor.model.comparison"},
    "terminal": {"auditor.report.terminal", "auditor.report.layout"},
}  # fmt: skip
"""What an audit to JSON, without a policy, never loads once it has a cache: by what it would be for."""

PROCESS = """
import atexit, sys
def tell():
    print(*sys.modules, file=sys.stderr)
atexit.register(tell)
from auditor.cli import main
main()
"""


def modules_of_a_process(cache: Path, *arguments: str) -> set[str]:
    """Run a command as the process of its own that it is for a user, and return all modules that it ended with."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    environment.pop("AUDITOR_CACHE", None)
    command = [sys.executable, "-c", PROCESS, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode in (0, 1, 3)
    return set(done.stderr.splitlines()[-1].split())


def needed_by_numpy() -> set[str]:
    """Return all modules of a process that has NumPy as it comes."""
    bare = [sys.executable, "-c", "import sys, numpy; print(*sys.modules)"]
    return set(subprocess.run(bare, capture_output=True, text=True, check=True, timeout=60).stdout.split())


@pytest.mark.skipif(os.name != "posix", reason="elsewhere Click reads every command line")
@pytest.mark.parametrize("capture", ["out-of-range", "snaplen96", "blocked"])
def test_an_audit_loads_what_it_needs(tmp_path: Path, capture: str) -> None:
    arguments = ("audit", str(CAPTURES / capture / f"{capture}.pcap"), "--format", "json")
    modules_of_a_process(tmp_path, *arguments)
    modules = modules_of_a_process(tmp_path, *arguments)
    assert {"numpy", "auditor.engine", "auditor.report.json_"} <= modules
    # The end of the process is the quick one, which loads nothing that Python has not.
    assert "auditor.cli.leaving" in modules
    # With a file to write to it loads no more.
    modules |= modules_of_a_process(tmp_path, *arguments, "--output", str(tmp_path / "report.json"))
    needed = needed_by_numpy()
    for purpose, names in LEFT_OUT.items():
        assert (modules - needed) & names == set(), purpose


@pytest.mark.skipif(os.name != "posix", reason="elsewhere Click reads every command line")
def test_an_audit_with_a_policy_that_it_knows_loads_no_yaml_reader(tmp_path: Path) -> None:
    arguments = ("audit", str(CAPTURE), "--policy", str(CAPTURE.with_name("policy.yaml")), "--format", "json")
    assert "yaml" in modules_of_a_process(tmp_path, *arguments)
    modules = modules_of_a_process(tmp_path, *arguments)
    assert "auditor.policy.load" in modules
    left_out = LEFT_OUT["standard library"] | LEFT_OUT["rules and services as files"] | LEFT_OUT["command line"]
    left_out |= {"yaml", "auditor.documents.yaml_events"}
    assert (modules - needed_by_numpy()) & left_out == set()


@pytest.mark.parametrize("report_format", ["text", "json"])
def test_an_audit_loads_no_data_frames(report_format: str) -> None:
    code, modules = loaded_by("audit", str(CAPTURE), "--format", report_format)
    assert code in (0, 1)
    assert "numpy" in modules
    assert modules & (HEAVY - {"numpy"}) == set()


def test_rendering_a_saved_report_again_needs_no_packets(tmp_path: Path) -> None:
    saved, page = tmp_path / "saved.json", tmp_path / "page.html"
    loaded_by("audit", str(CAPTURE), "--format", "json", "--output", str(saved))
    code, modules = loaded_by("report", str(saved), "--report", str(page))
    assert code == 0
    assert modules & HEAVY == {"jinja2"}


def test_importing_auditor_loads_nothing() -> None:
    probe = "import auditor, sys; print(sorted(n for n in sys.modules if n.startswith('auditor.') or n == 'numpy'))"
    done = subprocess.run(
        [sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_every_public_name_can_be_had() -> None:
    import auditor

    assert all(getattr(auditor, name) is not None for name in auditor.__all__)
    with pytest.raises(AttributeError):
        auditor.nonsense  # noqa: B018 - the access is the test
