"""Several captures: the same packets give the same report, in however many files, in whatever order and format."""

from __future__ import annotations

import dataclasses
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

import auditor
from auditor.model import Report
from tests.helpers.pcap import Pcap
from tests.support import Case, committed_cases, run_auditor

CASES = [case for case in committed_cases() if case.capture.suffix == ".pcap"]
_PLACES = {"capture", "captures", "file", "packet", "packets", "first_packet", "last_packet", "end_packet"}


def essence(report: Report) -> Any:
    """Return a report without the names of files and the numbers of packets in them."""

    def of(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: of(part) for key, part in value.items() if key not in _PLACES}
        if isinstance(value, list | tuple):
            return [of(part) for part in value]
        if isinstance(value, str):
            return re.sub(r"packets? [\d, ]+( of [^)]*)?(?=\)|$)|packet \d+", "packet", value)
        return value

    # Flows hold the tables of the core, file names included; what is compared here is what is saved.
    return of(dataclasses.asdict(dataclasses.replace(report, flows=None)))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_ten_files_in_any_order_are_one_capture(case: Case, tmp_path: Path) -> None:
    whole = Pcap.read(case.capture)
    size = -(-len(whole.records) // 10)
    parts = []
    for number, first in enumerate(range(0, len(whole.records), size)):
        # Like the rotated files of tcpdump: by name, site.pcap10 comes before site.pcap2.
        part = tmp_path / f"site.pcap{number or ''}"
        part.write_bytes(whole.part(first, first + size))
        parts.append(part)
    expected = essence(auditor.audit([case.capture], policy_path=case.policy).report)
    for order in (parts, parts[::-1], parts[1::2] + parts[::2]):
        report = auditor.audit(order, policy_path=case.policy).report
        assert [capture.path for capture in report.captures] == [str(part) for part in parts]
        assert essence(report) == expected


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_pcap_and_pcapng_give_the_same_report(case: Case, tmp_path: Path) -> None:
    other = tmp_path / "same.pcapng"
    other.write_bytes(Pcap.read(case.capture).as_pcapng())
    reports = [auditor.audit([path], policy_path=case.policy).report for path in (case.capture, other)]
    assert essence(reports[0]) == essence(reports[1])


@pytest.mark.skipif(sys.platform == "darwin", reason="names of files are Unicode there")
def test_names_need_not_be_unicode_and_cannot_reach_the_terminal(tmp_path: Path) -> None:
    (case,) = (case for case in CASES if case.name == "out-of-range")
    name = os.fsencode(tmp_path) + b"/mon\xff\x1b[31m\n.pcap"
    Path(os.fsdecode(name)).write_bytes(case.capture.read_bytes())
    for options in ((), ("--format", "json"), ("-vv",)):
        done = run_auditor("audit", os.fsdecode(name), case.capture, "--policy", str(case.policy), *options)
        assert done.code == 1
        assert done.err == ""
        assert "\x1b" not in done.out
        # Lines are folded at their width: where the name stands in them depends on how long the folder's path is.
        unfolded = "".join(done.out.split())
        assert "mon\\xff" in unfolded if not options else "mon\\" in unfolded
