"""The packets behind a finding, out of the captures that a report names, as a pcapng file with comments."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from auditor import _native
from auditor.errors import CaptureError, UsageError
from auditor.evidence.flows import PROTOCOLS, connections_of
from auditor.model import CaptureSummary, Finding, Report
from auditor.records import record
from auditor.report.packet_places import Places
from auditor.text import counted, escape, path_text

MOST_COMMENT = 1000
"""Characters of a comment."""


@record
class Carving:
    """What was carved: packets in all and those that prove the finding; ``notes`` are sentences about what is not sure."""

    packets: int
    evidence: int
    notes: tuple[str, ...] = ()


@record
class Carve:
    """How to carve. ``captures`` are files to take instead of those that the report names; ``session``: the connections
    of the finding as well. With ``key`` (32 bytes) addresses are replaced and payload is left out; ``comment`` then is
    the finding as it may be shown.
    """

    captures: tuple[str, ...] = ()
    session: bool = True
    key: bytes | None = None
    comment: str = ""
    progress: Callable[[int, int], object] | None = None


def comment_of(finding: Finding) -> str:
    """Return what is written at each packet that proves a finding."""
    return escape(f"{finding.code} {finding.name}: {finding.message}", limit=MOST_COMMENT)


def carve(report: Report, finding: Finding, output: str, how: Carve) -> Carving:
    """Write the packets behind a finding to ``output``, whole or not at all.

    Raises
    ------
    UsageError
        A capture is not where it was, it cannot be told which file is which, or the output cannot be written.
    CaptureError
        A capture is not the one that was audited: another SHA-256, or no such packets; or it cannot be read.
    """
    wanted = _wanted(report, finding, session=how.session)
    if not wanted:
        raise UsageError("this finding has no packets in a capture: there is nothing to carve")
    files = _located(wanted, how.captures)
    comment = how.comment or comment_of(finding)
    packets = packets_in_files(report, finding)
    asked = [(files[one.path], [(number, comment) for number in packets.get(one.path, ())]) for one in wanted]
    connections = [
        (PROTOCOLS[one.transport], (str(one.one.address), one.one.port), (str(one.other.address), one.other.port),
         one.first, one.last)
        for one in (connections_of(report, finding) if how.session else ())
    ]  # fmt: skip
    check = any(capture.sha256 for capture in wanted)
    target = Path(output).resolve()
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".auditor-") as folder:
            made = Path(folder) / "carved.pcapng"
            told = _native.carve(
                asked, connections, made, hash_files=check, key=how.key, progress=how.progress or _no_progress
            )
            notes = _checked(wanted, [path for path, _ in asked], packets, told)
            os.replace(made, target)  # noqa: PTH105 - Path.replace does the same and reads worse here
    except OSError as error:
        raise UsageError(f"cannot write to {path_text(output)}: {error.strerror or error}") from None
    return Carving(sum(one[0] for one in told), sum(one[1] for one in told), notes)


def _wanted(report: Report, finding: Finding, *, session: bool) -> list[CaptureSummary]:
    """Return the captures to read: those with evidence; with sessions all that can hold a part of them."""
    cited = set(packets_in_files(report, finding))
    if session and finding.evidence:
        times = [(one.first, one.last) for one in connections_of(report, finding)]
        cited |= {one.path for one in report.captures if _overlaps(one, times)}
    return [one for one in report.captures if one.path in cited and one.status != "unreadable"]


def _overlaps(capture: CaptureSummary, times: Sequence[tuple[int, int]]) -> bool:
    from auditor.evidence.flows import nanoseconds

    first, last = nanoseconds(capture.first or ""), nanoseconds(capture.last or "")
    return first is not None and last is not None and any(begin <= last and end >= first for begin, end in times)


def packets_in_files(report: Report, finding: Finding) -> dict[str, list[int]]:
    """Return the packets that prove a finding, by path of the capture, with the numbers that they have in the file."""
    return Places(report).in_files(finding.evidence)


def _located(wanted: list[CaptureSummary], given: tuple[str, ...]) -> dict[str, str]:
    """Return where each capture is. Raises UsageError where one is missing."""
    if not given:
        for capture in wanted:
            if not Path(capture.path).is_file():
                raise UsageError(
                    f"the capture {path_text(capture.path)} is not there, or no file",
                    fix="name it where it is now: --capture FILE",
                )
        return {capture.path: capture.path for capture in wanted}
    for path in given:
        if not Path(path).is_file():
            raise UsageError(f"--capture {path_text(path)}: there is no such file")
    if len(wanted) == 1 and len(given) == 1:
        return {wanted[0].path: given[0]}
    by_name: dict[str, list[str]] = {}
    for path in given:
        by_name.setdefault(Path(path).name, []).append(path)
    found = {capture.path: by_name.get(Path(capture.path).name, []) for capture in wanted}
    unclear = [path for path, files in found.items() if len(files) != 1]
    if unclear:
        raise UsageError(
            f"which file is {path_text(unclear[0])}? None of --capture has its name alone",
            fix="give every capture of the finding with --capture, each under the file name that the report has",
        )
    return {path: files[0] for path, files in found.items()}


def _checked(
    wanted: list[CaptureSummary],
    files: list[str],
    packets: dict[str, list[int]],
    told: list[tuple[int, int, str | None, str | None]],
) -> tuple[str, ...]:
    """Return what cannot be sure. Raises CaptureError where a file is not the capture that was audited."""
    notes = []
    for capture, file, (_, by_number, digest, error) in zip(wanted, files, told, strict=True):
        name = path_text(file)
        if capture.sha256 and digest and digest != capture.sha256:
            raise CaptureError(
                f"{name} is not the capture that was audited: its SHA-256 is {digest}, the report has {capture.sha256}",
                fix="name the right file: --capture FILE",
            )
        named = packets.get(capture.path, ())
        if by_number < len(named):
            why = f" ({escape(error)})" if error else ""
            raise CaptureError(
                f"{name} holds {by_number} of the {counted(len(named), 'packet')} that prove the "
                f"finding{why}: is it the capture that was audited?",
                fix="name the right file: --capture FILE",
            )
        if error:
            notes.append(f"{name} could not be read to its end: {escape(error)}")
        if not capture.sha256:
            notes.append(
                f"{name} was taken by its name: the report has no SHA-256 of it (audit with --hash to have one)"
            )
    return tuple(notes)


def _no_progress(done: int, total: int) -> None:
    """Be called, and let Python see to its signals."""
