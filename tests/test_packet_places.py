"""Packets of several captures: found again in their files by the numbers that the report gives them over all."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

import auditor
from auditor import _native
from auditor.evidence.carve import Carve, carve
from auditor.model import Evidence, FlowReference, PacketRun, Report
from auditor.report import csv_, json_
from auditor.report.interface import RenderOptions
from auditor.report.ocsf import detection
from auditor.report.packet_places import Places, numbered_text
from tests.helpers.pcap import Pcap
from tests.support import CAPTURES, run_auditor

FOLDER = CAPTURES / "out-of-range"
CAPTURE, POLICY = FOLDER / "out-of-range.pcap", FOLDER / "policy.yaml"
WHOLE = Pcap.read(CAPTURE)


def taken_in_turns(folder: Path, records: tuple[bytes, ...] = WHOLE.records) -> list[Path]:
    """Write packets that go by threes to one file and by one to the other."""
    paths = [folder / "inside.pcap", folder / "outside.pcap"]
    for path, mine in zip(paths, ((0, 1, 2), (3,)), strict=True):
        path.write_bytes(WHOLE.header + b"".join(r for n, r in enumerate(records) if n % 4 in mine))
    return paths


def one_after_another(folder: Path) -> list[Path]:
    paths = [folder / f"ring{number}.pcap" for number in range(10)]
    for number, path in enumerate(paths):
        path.write_bytes(WHOLE.part(number * 126, number * 126 + 126))
    return paths


BOTH = pytest.mark.parametrize("spread", [taken_in_turns, one_after_another])


def record_of(place: tuple[str, int]) -> bytes:
    """Return the packet that a person finds at a place: by its number in its file."""
    return Pcap.read(Path(place[0])).records[place[1] - 1]


def audited(paths: list[Path]) -> Report:
    return auditor.audit(paths, policy_path=POLICY).report


@BOTH
def test_every_packet_that_is_named_is_found_in_its_file(spread: object, tmp_path: Path) -> None:
    report = json_.load(json_.render(audited(spread(tmp_path)), RenderOptions()))  # type: ignore[operator]
    places, tried = Places(report), set()
    named = [number for one in report.findings for proof in one.evidence for number in proof.packets]
    named += [number for one in report.sessions for number in (one.control.first_packet, one.control.last_packet)]
    named += [number for one in report.sessions for job in one.jobs for number in (job.first_packet, job.end_packet)]
    named += [name.packet for host in report.hosts for name in host.names if name.packet]
    for number in named:
        place = places.find(number)
        assert place is not None
        assert record_of(place) == WHOLE.records[number - 1]
        tried.add(number)
    assert len(tried) > 20
    for host in report.hosts:
        assert all(", which is packet " in places.told(reason) for reason in host.because)


@BOTH
def test_the_core_knows_the_place_of_every_packet(spread: object, tmp_path: Path) -> None:
    paths = spread(tmp_path)  # type: ignore[operator]
    reading = _native.read_flows(paths)
    files = [Pcap.read(Path(facts.path)).records for facts in reading.files]
    for number, record in enumerate(WHOLE.records, 1):
        file, number_in_file = reading.place(number)
        assert files[file][number_in_file - 1] == record
    for number in (0, len(WHOLE.records) + 1):
        with pytest.raises(IndexError):
            reading.place(number)


@BOTH
def test_why_filters_and_carving_find_the_packets_of_one_capture(spread: object, tmp_path: Path) -> None:
    paths = spread(tmp_path)  # type: ignore[operator]
    saved = tmp_path / "saved.json"
    report = audited(paths)
    saved.write_bytes(json_.render(report, RenderOptions()))
    carved = tmp_path / "carved.pcapng"
    done = run_auditor("why", saved, "BX301+2", "--pcap", carved, "--no-session")
    assert (done.code, done.err.count("was taken by its name")) == (0, len(carve_paths(report)))
    # README: these are the packets of the whole capture.
    wanted = {WHOLE.records[number - 1][16:] for number in (1039, 1040, 1234)}
    data = carved.read_bytes()
    assert all(packet in data for packet in wanted)
    assert done.out.count("frame.number in ") == len(carve_paths(report))
    alone = tmp_path / "alone.pcapng"
    whole = auditor.audit([CAPTURE], policy_path=POLICY).report
    assert carve(whole, whole.findings[1], str(alone), Carve(session=False)).evidence == len(wanted)


def carve_paths(report: Report) -> set[str]:
    return set(Places(report).in_files(report.findings[1].evidence))


@pytest.mark.skipif(shutil.which("mergecap") is None, reason="mergecap is not installed")
def test_numbers_are_those_of_mergecap(tmp_path: Path) -> None:
    # Packets of one time have no order between files, so that each gets a time of its own.
    apart = tuple(struct.pack("<II", 1_000_000, 10 * n) + record[8:] for n, record in enumerate(WHOLE.records))
    paths, merged = taken_in_turns(tmp_path, apart), tmp_path / "merged.pcap"
    subprocess.run(["mergecap", "-F", "pcap", "-w", merged, *paths], check=True)
    mine, theirs = (json.loads(json_.render(audited(files), RenderOptions())) for files in (paths, [merged]))
    for part in ("findings", "sessions", "hosts"):
        numbers = [json.dumps(report[part]).replace(str(tmp_path), "") for report in (mine, theirs)]
        for name in ("/inside.pcap", "/outside.pcap", "/merged.pcap"):
            numbers = [text.replace(name, "FILE") for text in numbers]
        assert numbers[0] == numbers[1]


def test_reports_without_runs_keep_their_meaning(tmp_path: Path) -> None:
    """An older report of several captures counts in each file, and says which."""
    report = audited(one_after_another(tmp_path))
    old = replace(report, captures=tuple(replace(capture, runs=()) for capture in report.captures))
    proof = Evidence(FlowReference("tcp", "10.0.0.1:1", "10.0.0.2:2"), (3, 5), str(tmp_path / "ring4.pcap"))
    assert Places(old).in_files([proof]) == {proof.capture: [3, 5]}
    assert Places(old).text(proof) == proof.capture


def test_a_capture_says_which_numbers_are_its_own(tmp_path: Path) -> None:
    one, *_, last = audited(one_after_another(tmp_path)).captures
    assert (numbered_text(one), numbered_text(last)) == ("numbered 1–126", "numbered 1\u202f135–1\u202f252")
    assert last.runs == (PacketRun(1135, 1, 118),)
    turns = audited(taken_in_turns(tmp_path)).captures
    assert all(numbered_text(capture).startswith("numbered in turns with others") for capture in turns)
    assert [numbered_text(capture) for capture in auditor.audit([CAPTURE]).report.captures] == [""]


@BOTH
def test_a_spreadsheet_and_a_siem_are_told_the_packets_of_each_file(spread: object, tmp_path: Path) -> None:
    report = audited(spread(tmp_path))  # type: ignore[operator]
    rows = list(csv.DictReader(io.StringIO(csv_.render(report, RenderOptions()).decode(), newline="")))
    events = json.loads(detection.render(report, RenderOptions()))
    assert len(rows) == len(events) == len(report.findings)
    tried = 0
    for finding, row, event in zip(report.findings, rows, events, strict=True):
        for proof, told in zip(finding.evidence, event.get("evidences", []), strict=True):
            records = {
                record_of((path, number))
                for path, numbers in told["data"].get("in_files", {}).items()
                for number in numbers
            }
            assert records == {WHOLE.records[number - 1] for number in proof.packets}
        if finding.evidence:
            files = re.findall(r"packets? ([\d, –]+) of (\S+)", row["in_files"])
            cells = {record_of((path, int(n))) for numbers, path in files for n in re.findall(r"\d+", numbers)}
            assert cells == {WHOLE.records[number - 1] for number in finding.evidence[0].packets}
            tried += len(cells)
    assert tried >= 8


def test_of_a_single_capture_there_is_nothing_to_tell() -> None:
    report = audited([CAPTURE])
    rows = csv.DictReader(io.StringIO(csv_.render(report, RenderOptions()).decode(), newline=""))
    assert {row["in_files"] for row in rows} == {""}
    assert b"in_files" not in detection.render(report, RenderOptions())
