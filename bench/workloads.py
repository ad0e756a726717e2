"""The captures that are measured, made by the generator of ours (``auditor/rust/examples/workload``), with their truth."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "auditor" / "rust" / "examples" / "workload"

SIZES: dict[str, tuple[str, ...]] = {
    "S": ("mix", "--packets", "10000"),
    "M": ("mix", "--packets", "1000000"),
    "M96": ("mix", "--packets", "1000000", "--snaplen", "96"),
    "L": ("mix", "--packets", "10000000", "--snaplen", "96"),
    "F": ("many", "--flows", "1000000"),
    "P": ("scan", "--flows", "1000000"),
}
"""Name of a workload -> what the generator is told. P is a scan of a million ports."""


@dataclass(frozen=True, slots=True)
class Workload:
    """A capture, and what is true of it: ``packets``, ``ip_packets``, ``flows``, ``icmp_flows`` and more."""

    name: str
    path: Path
    truth: dict[str, int]


def generator(folder: Path) -> Path:
    """Return the generator, compiled where it is older than its source: no crate is needed for it."""
    program = folder / "workload"
    newest = max(path.stat().st_mtime for path in SOURCE.glob("*.rs"))
    if not program.is_file() or program.stat().st_mtime < newest:
        folder.mkdir(parents=True, exist_ok=True)
        command = ["rustc", "--edition", "2024", "-C", "opt-level=3", "-o", program, SOURCE / "main.rs"]
        subprocess.run(command, check=True)
    return program


def workload(name: str, folder: Path) -> Workload:
    """Return a workload of ``SIZES``, made where it is not there yet; the same arguments give the same bytes."""
    program = generator(folder)
    path, told = folder / f"{name}.pcap", folder / f"{name}.json"
    if not told.is_file() or told.stat().st_mtime < program.stat().st_mtime:
        done = subprocess.run([program, *SIZES[name], "--output", path], check=True, capture_output=True, text=True)
        told.write_text(done.stderr)
    return Workload(name, path, json.loads(told.read_text()))
