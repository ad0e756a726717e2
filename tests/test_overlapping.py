"""Captures that overlap in time, and the number of threads: the report of one capture read by one thread."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from auditor import _native
from tests.support import CAPTURES, run_auditor


def _records(capture: Path) -> tuple[bytes, list[bytes]]:
    """Return the file header and the records of a classic little-endian pcap."""
    data = capture.read_bytes()
    records, at = [], 24
    while at < len(data):
        end = at + 16 + struct.unpack_from("<I", data, at + 8)[0]
        records.append(data[at:end])
        at = end
    return data[:24], records


def _report(*captures: Path, policy: Path) -> dict[str, object]:
    result = run_auditor("audit", *map(str, captures), "--policy", str(policy), "--format", "json")
    assert result.code in {0, 1}, result.err
    report: dict[str, object] = json.loads(result.out)
    return report


def _essence(report: dict[str, object]) -> object:
    """Return what a report says apart from its captures' names and packet numbers: findings, and hosts with their roles."""
    findings, hosts = report["findings"], report["hosts"]
    assert isinstance(findings, list)
    assert isinstance(hosts, list)
    keys = ("address", "zone", "process_roles", "operations", "peak_operations", "ports_per_operation")
    return (
        [(finding["code"], finding["severity"], finding["title"]) for finding in findings],
        [([host[key] for key in keys], [name["name"] for name in host["names"]]) for host in hosts],
    )


@pytest.mark.parametrize("name", ["compliant", "blocked", "mover-listen"])
def test_odd_and_even_packets_in_two_files_are_audited_as_one_capture(name: str, tmp_path: Path) -> None:
    folder = CAPTURES / name
    header, records = _records(folder / f"{name}.pcap")
    sides = []
    for number, side in enumerate(("outside", "inside")):
        sides.append(tmp_path / f"{side}.pcap")
        sides[-1].write_bytes(header + b"".join(records[number::2]))
    whole = _report(folder / f"{name}.pcap", policy=folder / "policy.yaml")
    forwards = _report(*sides, policy=folder / "policy.yaml")
    backwards = _report(*reversed(sides), policy=folder / "policy.yaml")
    assert forwards == backwards
    assert _essence(forwards) == _essence(whole)


def test_two_threads_give_the_columns_of_one() -> None:
    captures = sorted(map(str, CAPTURES.glob("*/*.pcap")))
    one, two = (_native.read_flows(captures, threads=count) for count in (1, 2))
    assert len(one) > 100
    for columns in ("flow_columns", "ndmp_messages", "ndmp_fields", "ndmp_streams", "control_beats", "names"):
        first, second = (getattr(reading, columns)() for reading in (one, two))
        assert list(first) == list(second)
        assert all(np.array_equal(first[name], second[name]) for name in first), columns


def test_a_reading_by_two_threads_can_be_stopped(tmp_path: Path) -> None:
    header, records = _records(CAPTURES / "compliant" / "compliant.pcap")
    capture = tmp_path / "long.pcap"
    body = b"".join(records)
    capture.write_bytes(header + body * (36_000_000 // len(body) + 1))

    def stop(_read: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _native.read_flows([str(capture)], threads=2, progress=stop)


def test_a_number_of_threads_that_makes_no_sense_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDITOR_THREADS", "many")
    result = run_auditor("audit", str(CAPTURES / "compliant" / "compliant.pcap"))
    assert result.code == 2
    assert "AUDITOR_THREADS is 'many'" in result.err
