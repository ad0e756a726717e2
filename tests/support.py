"""What several tests share: where things are, how the command is run, which captures have a truth."""

from __future__ import annotations

import json
import os
import sysconfig
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from auditor.model import Report
from auditor.pipeline.auditing import audit_reading
from auditor.pipeline.reading import read
from auditor.pipeline.yardstick import Yardstick, prepare
from tests.helpers import starts

ROOT = Path(__file__).resolve().parent.parent
CAPTURES = ROOT / "captures"
SHARED = ROOT.parent / "shared"
"""Material beside the checkout, larger than what is committed; tests that read it are skipped where it is absent."""

COMMAND = Path(sysconfig.get_path("scripts")) / "auditor"


@dataclass(frozen=True, slots=True)
class Completed:
    """How a run of the command ended."""

    code: int
    out: str
    err: str


def run_auditor(*arguments: str | Path, cwd: Path = ROOT) -> Completed:
    """Run the command as a user would: no terminal, no colour, 100 columns."""
    environment = {**os.environ, "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "100", "LC_ALL": "C.UTF-8"}
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        code = starts.run([*map(str, arguments)], cwd=cwd, environment=environment, streams=(out, err), timeout=100)
        return Completed(code, out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Case:
    """A capture with its independently recorded truth. ``policy`` is None where one is made from the truth."""

    name: str
    capture: Path
    policy: Path | None
    truth: dict[str, Any]


@cache
def committed_cases() -> tuple[Case, ...]:
    """Return the captures of captures/, each with the policy and the truth beside it."""
    cases = []
    for truth in sorted(CAPTURES.glob("*/truth.json")):
        folder = truth.parent
        (capture,) = folder.glob(f"{folder.name}.pcap*")
        cases.append(Case(folder.name, capture, folder / "policy.yaml", json.loads(truth.read_text())))
    return tuple(cases)


@cache
def shared_cases() -> tuple[Case, ...]:
    """Return the captures beside the checkout that are not committed as well; empty where there are none."""
    path = SHARED / "captures" / "truth.json"
    if not path.is_file():
        return ()
    committed = {case.truth["sha256"] for case in committed_cases()}
    truths = json.loads(path.read_text())["captures"]
    return tuple(
        Case(f"shared/{name}", path.parent / name, None, truth)
        for name, truth in sorted(truths.items())
        if truth["sha256"] not in committed
    )


@cache
def yardstick(policy: Path | None) -> Yardstick:
    """Return a policy of captures/ with rules and services, loaded once: none of these files changes in a run."""
    return prepare(policy)


def audit_again(capture: Path, policy: Path | None) -> Report:
    """Audit a capture as ``auditor.audit`` does, under a yardstick that is kept: for those who audit hundreds of files."""
    held = yardstick(policy)
    return audit_reading(read([str(capture)], held.catalogue, held.policy), held)[0]


def declared_ranges(declared: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """Return the dynamic range that the policy of a truth declares for each host."""
    ranges: dict[str, tuple[int, int]] = {}
    for hosts, span in (("agents", "agent_dynamic_range"), ("media_servers", "media_dynamic_range")):
        if declared.get(span):
            low, high = declared[span]
            ranges |= dict.fromkeys(declared[hosts], (low, high))
    return ranges


def policy_of(truth: dict[str, Any]) -> str:
    """Write the policy that a truth declares as a policy file."""
    declared = truth["policy"]
    zones: dict[str, dict[str, Any]] = {
        zone: {"hosts": declared[key]}
        for zone, key in {
            "media-servers": "media_servers",
            "agents": "agents",
            "filers": "filers",
            "databases": "sql_hosts",
            "mail-relays": "smtp_servers",
            "snmp-managers": "snmp_managers",
            "domain-controllers": "domain_controllers",
        }.items()
        if declared.get(key)
    }
    for zone, key in (("agents", "agent_dynamic_range"), ("media-servers", "media_dynamic_range")):
        if declared.get(key):
            low, high = declared[key]
            zones[zone]["dynamic_ports"] = f"{low}-{high}"
    # JSON is YAML.
    return json.dumps({"ndmp_port": declared["ndmp_port"], "zones": zones}, indent=1)
