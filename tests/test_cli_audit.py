"""``auditor audit`` as a user meets it: exit codes, messages, outputs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.support import CAPTURES, COMMAND, ROOT, Completed, run_auditor

VIOLATING = CAPTURES / "out-of-range" / "out-of-range.pcap"
COMPLIANT = CAPTURES / "compliant" / "compliant.pcap"
VALIDATOR = Draft202012Validator(
    json.loads((ROOT / "auditor/schemas/report-1.schema.json").read_text(encoding="utf-8"))
)


def policy_beside(capture: Path) -> Path:
    return capture.parent / "policy.yaml"


def audit(capture: Path | str, *options: str | Path, policy: Path | None = None) -> Completed:
    with_policy = ["--policy", policy or policy_beside(VIOLATING)]
    done = run_auditor("audit", capture, *with_policy, *options)
    assert "Traceback" not in done.err + done.out
    return done


def test_violations() -> None:
    done = audit(VIOLATING)
    assert done.code == 1
    assert done.err == ""
    last = done.out.splitlines()[-1]
    assert last.startswith("VIOLATIONS: 3 findings (")
    assert "in 4 control and 4 data connections of 4 hosts" in last
    assert last.endswith("against policy " + str(policy_beside(VIOLATING)))


def test_conformity() -> None:
    done = audit(COMPLIANT, policy=policy_beside(COMPLIANT))
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[-1].startswith("CONFORMS: no findings in 4 control and 4 data connections")


@pytest.mark.parametrize(
    ("options", "code"),
    [(["--exit-zero"], 0), (["--fail-on", "critical"], 0), (["--fail-on", "info"], 1), (["--fail-on", "low"], 1)],
)
def test_what_makes_it_fail(options: list[str], code: int) -> None:
    assert audit(VIOLATING, *options).code == code


def test_json_is_valid_and_the_same_every_time() -> None:
    first, second = (audit(VIOLATING, "--format", "json").out for _ in range(2))
    assert first == second
    assert [error.message for error in VALIDATOR.iter_errors(json.loads(first))] == []


@pytest.mark.parametrize("name", sorted(path.parent.name for path in CAPTURES.glob("*/policy.yaml")))
@pytest.mark.parametrize("declared", [True, False], ids=["declared", "inferred"])
def test_every_committed_capture_gives_a_valid_report(name: str, declared: bool) -> None:
    (capture,) = [path for path in (CAPTURES / name).iterdir() if path.suffix in (".pcap", ".pcapng")]
    options = ["--policy", CAPTURES / name / "policy.yaml"] if declared else []
    done = run_auditor("audit", capture, *options, "--format", "json", "--hash")
    assert done.code in (0, 1, 3), done.err
    document = json.loads(done.out)
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []
    assert document["policy"]["inferred"] is not declared
    assert len(document["captures"][0]["sha256"]) == 64


def spoiled(kind: str, folder: Path) -> Path:
    """Make an input that is no whole capture."""
    whole = VIOLATING.read_bytes()
    path = folder / f"{kind}.pcap"
    if kind == "directory":
        path.mkdir()
    elif kind != "missing":
        content = {"empty": b"", "text": b"hello\n", "header cut": whole[:10], "cut": whole[:5000]}
        path.write_bytes(content[kind])
    return path


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("empty", "is empty"),
        ("text", "is not a capture"),
        ("header cut", "is cut"),
        ("directory", "is a directory in which no capture was found"),
        ("missing", "does not exist"),
    ],
)
def test_what_cannot_be_read_gets_one_clear_message(kind: str, words: str, tmp_path: Path) -> None:
    path = spoiled(kind, tmp_path)
    done = audit(path)
    assert (done.code, done.out) == (3, "")
    error, advice = done.err.splitlines()
    assert error.startswith(f"error: {path}: ")
    assert words in error
    assert advice.startswith("help: ")


def test_a_file_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "secret.pcap"
    path.write_bytes(VIOLATING.read_bytes())
    path.chmod(0)
    command: list[str | Path] = [COMMAND, "audit", path]
    if os.access(path, os.R_OK):
        if shutil.which("setpriv") is None:
            pytest.skip("this user may read everything")
        # Root without its capabilities is held to the permissions of its own files.
        command = ["setpriv", "--inh-caps=-all", "--bounding-set=-all", *command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(f"error: {path}: ")
    assert "ermission" in done.stderr


def test_a_cut_capture_is_judged_but_inconclusive(tmp_path: Path) -> None:
    done = audit(spoiled("cut", tmp_path), "--exit-zero")
    assert done.code == 3
    assert "    partial  " in done.out
    assert done.out.splitlines()[-1].startswith("INCONCLUSIVE: 1 of 1 capture not read to the end")


def test_one_bad_file_never_stops_the_rest(tmp_path: Path) -> None:
    done = run_auditor(
        "audit",
        spoiled("text", tmp_path),
        VIOLATING,
        spoiled("missing", tmp_path),
        "--policy",
        policy_beside(VIOLATING),
        "-f",
        "json",
    )
    assert done.code == 3
    report = json.loads(done.out)
    assert [capture["status"] for capture in report["captures"]] == ["unreadable", "read", "unreadable"]
    assert len(report["sessions"]) == 4
    assert done.err.count("error: ") == 2


def test_the_same_file_twice_is_read_once(tmp_path: Path) -> None:
    link = tmp_path / "link.pcap"
    link.symlink_to(VIOLATING)
    report = json.loads(run_auditor("audit", VIOLATING, VIOLATING, link, "-f", "json").out)
    assert len(report["captures"]) == 1


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("zones: {agents: [10.77.0.21]}\nportz: 1\n", 2, "'portz'"),
        ("zones:\n  filers: [10.77.0.0/24]\n  agents: [10.77.0.21]\n", 3, "10.77.0.21"),
        ("zones:\n  agents: {hosts: [10.77.0.21], dynamic_ports: 50124-50100}\n", 2, "50124"),
    ],
    ids=["typo", "overlap", "reversed range"],
)
def test_a_policy_that_cannot_be_used(text: str, line: int, words: str, tmp_path: Path) -> None:
    policy = tmp_path / "site.yaml"
    policy.write_text(text, encoding="utf-8")
    for arguments in (["audit", VIOLATING, "--policy", policy], ["policy", "check", policy]):
        done = run_auditor(*arguments)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith(f"error: {policy}:{line}:")
        assert words in done.err
        assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["audit"], "CAPTURE"),
        (["audit", "x.pcap", "--polcy", "y"], "--polcy"),
        (["audit", "x.pcap", "--format", "xml"], "'xml'"),
        (["audit", "x.pcap", "--fail-on", "bad"], "'bad'"),
        (["audit", "x.pcap", "--policy", "no-such-policy.yaml"], "no-such-policy.yaml"),
        (["audit", "x.pcap", "--output", "no-such-folder/report"], "there is no directory"),
        (["nonsense"], "nonsense"),
        (["rules", "show", "BX3O1"], "did you mean BX"),
        (["services", "list", "--generation", "11d"], "11d"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage(arguments: list[str], words: str) -> None:
    done = run_auditor(*arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: ")
    assert words in done.err
    assert "Traceback" not in done.err


def test_a_report_in_a_file(tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    done = audit(VIOLATING, "--format", "json", "--output", target)
    assert (done.code, done.out, done.err) == (1, "", "")
    assert json.loads(target.read_text(encoding="utf-8"))["verdict"] == "violations"
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_an_input_is_never_overwritten(tmp_path: Path) -> None:
    capture = tmp_path / "site.pcap"
    capture.write_bytes(VIOLATING.read_bytes())
    assert audit(capture, "--output", capture).code == 2
    assert capture.read_bytes() == VIOLATING.read_bytes()


def test_a_device_that_is_full() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([COMMAND, "audit", VIOLATING], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith("error: cannot write to standard output")


def test_a_reader_that_has_gone() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(
        [COMMAND, "audit", VIOLATING], stdout=write_end, stderr=subprocess.PIPE, text=True, timeout=60
    )
    os.close(write_end)
    assert (done.returncode, done.stderr) == (141, "")


def test_an_interrupt_leaves_no_traceback(tmp_path: Path) -> None:
    pipe = tmp_path / "endless.pcap"
    os.mkfifo(pipe)
    running = subprocess.Popen(
        [COMMAND, "audit", pipe, "--policy", policy_beside(VIOLATING)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    whole = VIOLATING.read_bytes()
    packets = whole[24:]
    with pipe.open("wb") as feed:
        feed.write(whole)
        feed.flush()
        running.send_signal(signal.SIGINT)
        deadline = time.monotonic() + 30
        while running.poll() is None and time.monotonic() < deadline:
            try:
                feed.write(packets)
                feed.flush()
            except BrokenPipeError:
                break
    out, err = running.communicate(timeout=30)
    assert running.returncode == 130
    assert out == ""
    assert err.split() == ["error:", "interrupted"]


def test_a_name_that_is_no_unicode(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.pcap"
    try:
        with open(path, "wb") as file:  # noqa: PTH123 - a name in bytes
            file.write(VIOLATING.read_bytes())
    except OSError:
        pytest.skip("this file system takes Unicode names only")
    done = subprocess.run([os.fsencode(COMMAND), b"audit", path], capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    # A long path is broken into lines.
    assert b"caf\\xe9.pcap" in b"".join(done.stdout.split())


def test_a_hostile_name_cannot_move_the_cursor(tmp_path: Path) -> None:
    (tmp_path / "a\x1b[2Jb.pcap").write_bytes(VIOLATING.read_bytes())
    for name in ("a\x1b[2Jb.pcap", "missing\x1b[2J.pcap"):
        done = run_auditor("audit", name, cwd=tmp_path)
        assert "\x1b" not in done.out + done.err
        assert "\\x1b[2J" in done.out + done.err


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_any_encoding_of_the_terminal(encoding: str) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run([COMMAND, "audit", VIOLATING, "-v"], env=environment, capture_output=True, timeout=60)
    assert done.returncode in (0, 1)
    assert ("→" in done.stdout.decode(encoding)) is (encoding == "utf-8")


def test_plain_is_ascii() -> None:
    assert audit(VIOLATING, "--plain", "-vv").out.isascii()


def test_no_colour_in_a_pipe() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    done = subprocess.run([COMMAND, "audit", VIOLATING, "-v"], env=environment, capture_output=True, timeout=60)
    assert b"\x1b" not in done.stdout + done.stderr


def test_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "auditor", "--version"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.startswith("auditor ")
