"""What a command may load, told by the modules of a fresh process, never by a clock."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

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
