"""The option ``--manifest``: what a command read and wrote, once everything is written."""

from __future__ import annotations

import os
from collections.abc import Iterable

from auditor.cli import output as output_
from auditor.errors import UsageError
from auditor.model import Report
from auditor.text import path_text


def check_manifest(path: str | None, inputs: list[str], outputs: Iterable[str | None]) -> None:
    """Refuse, before the work, a manifest that cannot be written or is another file of the run. Raises UsageError."""
    if path is None:
        return
    output_.check_output(path, inputs, option="--manifest")
    if any(name is not None and os.path.realpath(name) == os.path.realpath(path) for name in outputs):
        raise UsageError(f"--manifest {path}: this file is written twice", fix="name another file")


def write_manifest(
    path: str | None,
    command: str,
    report: Report,
    *,
    options: dict[str, str],
    inputs: Iterable[tuple[str, str]],
    outputs: Iterable[tuple[str, str | None]],
) -> None:
    """Write the manifest of a run, if one was asked for; inputs and outputs are roles with paths.

    Of captures the digest counts that was taken while they were read.
    """
    if path is None:
        return
    from pathlib import Path

    from auditor import _native, manifest

    folder = Path(path).parent
    read = {capture.path: capture.sha256 for capture in report.captures} if command == "audit" else {}
    made = manifest.Manifest(
        version=_native.__version__,
        command=command,
        options=dict(sorted(options.items())),
        rules="" if report.rule_pack is None else report.rule_pack.sha256,
        inputs=tuple(
            manifest.entry(role, name, folder, sha256=read.get(path_text(name)) if role == "capture" else None)
            for role, name in inputs
        ),
        outputs=tuple(manifest.entry(role, name, folder) for role, name in outputs if name is not None),
    )
    output_.write(manifest.render_manifest(made), path, text=False)


def files_of_policy(path: str | None) -> list[tuple[str, str]]:
    """Return a policy with the files that it names, each with its role."""
    if path is None:
        return []
    from auditor.policy.load import load_policy

    policy = load_policy(path)
    named = [("services file", name) for name in policy.services_files]
    return [("policy", path), *named, *(("waivers", name) for name in policy.waiver_files)]
