"""A policy with fifty mistakes gives fifty messages with their lines; what would eat memory or time is refused at once."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from auditor.errors import PolicyError
from auditor.policy.load import load_policy
from tests.support import ROOT, run_auditor

# Each line that ends in "# !" holds one mistake, and only one.
FIFTY = """\
generation: 11d-13  # !
ndmp_prot: 10000  # !
data_direction: both  # !
ndmp_port: 70000  # !
extra: 1  # !
zones:
  media-servers:
    hosts: [10.0.1.5, 10.0.1.300]  # !
    dynamic_ports: 50224-50200  # !
    ndmp_port: ten  # !
    role: agents  # !
  agents:
    hosts:
      - 10.0.2.0/33  # !
      - 10.0.2.9/24  # !
      - 10.0.2.1
      - fe80::1%eth0  # !
      - agent1.example  # !
    dynamic_prots: 50100-50124  # !
    dynamic_ports: [50100-5012x, 50200]  # !
  agnets: [10.0.3.1]  # !
  lab:  # !
    hosts: [10.0.4.1]
  dmz:
    role: agent  # !
    hosts: [10.0.5.1]
    ndmp_port: 0  # !
  filers: []  # !
  databases: {hosts: }  # !
  any: [10.0.6.1]  # !
  consoles: [10.0.1.5]  # !
  desktops:  # !
    hosts: [10.0.7.1]
    dynamic_ports: 9000-11000
    ndmp_port: -5  # !
hosts:
  10.0.2.1: {nmae: x}  # !
  10.0.99.1: {name: y}  # !
  10.0.2.1000: {name: z}  # !
  10.0.4.1: {ndmp_port: 1e4}  # !
  10.0.5.1: {services_file: missing/services}  # !
  10.0.7.1: {dynamic_ports: 0-5}  # !
notification:
  smtp_ports: [25, 99999]  # !
  snmp_port: 162  # !
terms:
  - {name: a, action: alow, source: any, destination: agents}  # !
  - {name: b, action: deny, source: any}  # !
  - {name: c, action: deny, source: mediaservers, destination: agents}  # !
  - {name: d, action: deny, source: any, destination: 10.0.2.9/8}  # !
  - {name: e, action: deny, source: any, destination: agents, transport: icmp}  # !
  - {name: f, action: deny, source: any, destination: agents, ports: http}  # !
  - {name: g, action: deny, source: any, destination: agents, port: 22}  # !
  - {name: a, action: deny, source: any, destination: agents}  # !
  - {action: deny, source: any, destination: agents}  # !
  - {name: i, action: deny, source: [], destination: agents}  # !
  - {name: j, action: deny, source: snmp-managers, destination: agents}  # !
  - permit everything  # !
  - {name: k, action: , source: any, destination: agents}  # !
  - {name: l, action: deny, source: {zone: agents}, destination: agents}  # !
  - {name: m, action: deny, source: any, destination: 300.1.1.1}  # !
  - {name: o, action: deny, source: any, destination: agents, transport: tpc}  # !
  - {name: n, action: deny, source: any, destination: agents, comment: [1]}  # !
"""
MARKED = [number for number, line in enumerate(FIFTY.splitlines(), 1) if line.endswith("# !")]


def test_fifty_mistakes_are_fifty_messages_each_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(FIFTY)
    with pytest.raises(PolicyError) as error:
        load_policy(path)
    lines = [problem.line for problem in error.value.problems]
    assert len(MARKED) == 50
    assert sorted(set(lines)) == MARKED
    assert len(lines) == 50
    assert all(problem.message and problem.column >= 1 and problem.excerpt for problem in error.value.problems)


def test_the_command_tells_all_fifty_and_what_was_meant(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(FIFTY)
    done = run_auditor("policy", "check", path)
    assert done.code == 2
    told = [int(number) for number in re.findall(r"^error: .*site\.yaml:(\d+):\d+: ", done.err, re.MULTILINE)]
    assert told == MARKED
    for meant in ("11d-12", "ndmp_port", "agents", "dynamic_ports", "media-servers", "snmp_ports", "ports", "tcp"):
        assert f"did you mean '{meant}'?" in done.err
    assert "Traceback" not in done.err


def test_several_files_are_checked_at_once(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("zones: {agents: 10.0.0.1}\n")
    bad.write_text("zonse: {}\n")
    done = run_auditor("policy", "check", good, bad, tmp_path / "none.yaml")
    assert done.code == 2
    assert "good.yaml: sound" in done.out
    assert "bad.yaml:1:1: unknown key 'zonse'" in done.err
    assert f"{tmp_path / 'none.yaml'}: cannot be read: No such file or directory" in done.err


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(12)
)


REFUSED = """
import json, re, sys
from pathlib import Path
from auditor.errors import PolicyError
from auditor.policy.load import load_policy

def peak():
    return int(re.search(r"VmHWM:\\s+([0-9]+) kB", Path("/proc/self/status").read_text())[1])

before = peak()
try:
    load_policy(sys.argv[1])
except PolicyError as error:
    told = {"error": str(error), "problems": len(error.problems), "grown_kib": peak() - before}
print(json.dumps(told))
"""
"""Reads a policy in a process of its own. What the kernel counted is more than Python's own account, and costs nothing."""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read in /proc")
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (BOMB, "anchor &a"),
        ("zones: {agents: 10.0.0.1}\nterms: &t []\n", "anchor &t"),
        ("zones: {agents: *x}\n", "alias *x"),
        ("zones:\n  agents: 10.0.0.1\n  agents: 10.0.0.2\n", "given twice"),
        ("zones: {agents: 10.0.0.1}\nzones: {agents: 10.0.0.2}\n", "given twice"),
        ("[" * 100_000, "nested more than"),
        ("a: !!python/object/apply:os.system [id]\n", "tag"),
        ("zones: {agents: 10.0.0.1}\n---\nzones: {agents: 10.0.0.1}\n", "second document"),
        ("- x\n" * 1_000_000, "more than 200,000 values"),
        ("zones: {agents: 10.0.0.1}\n# " + "x" * 50_000_000 + "\n", "larger than"),
    ],
    ids=["bomb", "anchor", "alias", "twice", "zones-twice", "deep", "tag", "documents", "values", "50-MB"],
)
def test_what_would_eat_memory_or_time_is_refused(content: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(content)
    done = subprocess.run([sys.executable, "-c", REFUSED, path], capture_output=True, text=True, cwd=ROOT, timeout=100)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert says in told["error"]
    # A file of 4 MiB is the largest that is read at all; its tree of at most 200,000 values has its bound as well.
    assert 0 <= told["grown_kib"] < 150 * 1024
    assert told["problems"] <= 2


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        # By the release numbers of the domain notes: 13.0 is 2010, 14.0 is 2012, 16.0 is 16; the chapter is of 11d to 12.x.
        ("generation: 12.x", "11d-12"), ("generation: 12.5", "11d-12"), ("generation: 11d", "11d-12"),
        ("generation: 2010 R3", "2010"), ("generation: 13.0", "2010"), ("generation: 2014", "2012-2016"),
        ("generation: '15'", "2012-2016"), ("generation: 16", "2012-2016"), ("generation: 9.1", "9.x"),
        ("generation: '10'", "10.x"), ("generation: 21.2", "20.x"), ("generation: Backup Exec 22", "20.x"),
        ("terms: [{name: a, action: allow, source: any, destination: any}]", "permit"),
        ("terms: [{name: a, action: Drop, source: any, destination: any}]", "deny"),
    ],
)  # fmt: skip
def test_what_people_call_it_is_known(line: str, meant: str, tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(f"zones: {{agents: 10.0.0.1}}\n{line}\n")
    with pytest.raises(PolicyError) as refused:
        load_policy(path)
    assert [problem.fix for problem in refused.value.problems] == [f"did you mean {meant!r}?"]


@pytest.mark.parametrize("release", ["17", "30", "x"])
def test_no_release_is_guessed(release: str, tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(f"zones: {{agents: 10.0.0.1}}\ngeneration: {release!r}\n")
    with pytest.raises(PolicyError) as refused:
        load_policy(path)
    assert "known here: 10.x, 11d-12, 20.x" in refused.value.problems[0].fix
