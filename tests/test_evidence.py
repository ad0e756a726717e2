"""A finding explained, and its packets carved: read back by tshark, and refused where the capture is another."""

from __future__ import annotations

import gzip
import ipaddress
import json
import shutil
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from auditor.errors import CaptureError, UsageError
from auditor.evidence.carve import Carve, carve
from auditor.evidence.filters import comment_filter, flow_filter, packet_filter
from auditor.evidence.find import find_finding, handle
from auditor.evidence.flows import connections_of, read_end
from auditor.model import Evidence, FlowReference, Report
from auditor.pipeline import AuditOptions, audit
from auditor.report.registry import render
from tests.report_samples import HOSTILE, finding, report
from tests.support import CAPTURES, ROOT, run_auditor

FOLDER = CAPTURES / "out-of-range"
CAPTURE = FOLDER / "out-of-range.pcap"
needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


@cache
def audited(capture: Path = CAPTURE, policy: Path = FOLDER / "policy.yaml") -> Report:
    return audit([capture], policy_path=policy, options=AuditOptions(hash_files=True, flows=False))


def tshark(path: Path, display_filter: str, *fields: str) -> list[list[str]]:
    options = [part for field in fields for part in ("-e", field)]
    done = subprocess.run(
        ["tshark", "-r", path, "-Y", display_filter, "-T", "fields", "-E", "separator=|", *options],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return [line.split("|") for line in done.stdout.splitlines()]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    path.write_bytes(render(audited(), "json"))
    return path


def test_a_finding_is_found_by_key_code_number_and_beginning() -> None:
    made = audited()
    keys = [one.key for one in made.findings]
    assert [one.code for one in made.findings][:3] == ["BX301"] * 3
    for place, key in enumerate(keys):
        assert find_finding(made, key) == place
        assert find_finding(made, handle(made, place)) == place
    assert find_finding(made, "bx301+2") == 1
    assert find_finding(made, "BX301 host=10.77.0.23") == 2
    with pytest.raises(UsageError, match=r"3 findings:\n  BX301\+1 (.|\n)*BX301\+3"):
        find_finding(made, "BX301")
    with pytest.raises(UsageError, match="no number 4"):
        find_finding(made, "BX301+4")
    with pytest.raises(UsageError, match="no finding of this report"):
        find_finding(made, "\x1b[2J")


@needs_tshark
def test_the_filters_find_what_the_report_tells() -> None:
    made = audited().findings[0]
    # truth.json has the connection to port 40011; its packets are counted with a filter of our own.
    expected = tshark(CAPTURE, "tcp.port==40011 or tcp.port==35014", "frame.number")
    assert tshark(CAPTURE, flow_filter(one.flow for one in made.evidence), "frame.number") == expected
    numbers = [n for one in made.evidence for n in one.packets]
    found = tshark(CAPTURE, packet_filter(numbers), "frame.number")
    assert sorted(int(one) for (one,) in found) == sorted(numbers)


def test_filters_take_numbers_and_addresses_and_nothing_else() -> None:
    v6 = FlowReference("tcp", "[2001:db8::1]:40000", "[2001:db8::2]:10000")
    assert flow_filter([v6]) == (
        "ipv6.addr == 2001:db8::1 and tcp.port == 40000 and ipv6.addr == 2001:db8::2 and tcp.port == 10000"
    )
    for text in ('1.2.3.4:1 or frame.number matches "("', "1.2.3.4:70000", "fe80::1%eth0", "a:1", "", HOSTILE):
        assert read_end(text) is None
        assert flow_filter([FlowReference("tcp", text, "1.2.3.4:5")]) == ""
    assert flow_filter([FlowReference("tcp;id", "1.2.3.4:5", "1.2.3.5:6")]) == ""
    assert (
        flow_filter([FlowReference("icmp", "1.2.3.4", "1.2.3.5")])
        == "icmp and ip.addr == 1.2.3.4 and ip.addr == 1.2.3.5"
    )
    assert comment_filter(finding(code='BX1" or frame')) == ""
    assert packet_filter([-1, 0]) == ""


def test_why_tells_packets_term_reasons_and_filters(saved: Path) -> None:
    done = run_auditor("why", saved, "BX301+1")
    assert done.code == 0, done.err
    text = " ".join(done.out.split())
    for part in (
        "packets 17, 344 · 10.77.0.10:36576 > 10.77.0.21:40011 tcp",
        "ndmp-data:to-agent:50100-50124, the nearest; it does not match",
        "inside is false",
        "outcome is established or uncertain",
        "raised from medium to high: grade is proved",
        "article 255831",
        "The tie is only possible",
        "frame.number in {16, 17, 344}",
    ):
        assert part in text
    assert run_auditor("why", saved, "BX301").code == 2


def test_why_escapes_what_a_capture_says(tmp_path: Path) -> None:
    path = tmp_path / "hostile.json"
    told = Evidence(FlowReference("tcp", HOSTILE, HOSTILE), (1,), HOSTILE, HOSTILE)
    path.write_bytes(render(report(findings=(finding(message=HOSTILE, key=HOSTILE, evidence=(told,)),)), "json"))
    done = run_auditor("why", path, "BX301")
    assert done.code == 0, done.err
    assert not set(done.out) & set("\x1b\x07\u202e\x9b\u2028\u200b\x00\r")


@needs_tshark
@pytest.mark.parametrize("form", ["pcap", "pcap.gz", "pcapng"])
def test_carved_packets_are_the_evidence_with_its_session(form: str, tmp_path: Path) -> None:
    made, capture = audited(), CAPTURE
    if form == "pcap.gz":
        capture = tmp_path / "c.pcap.gz"
        capture.write_bytes(gzip.compress(CAPTURE.read_bytes()))
    elif form == "pcapng":
        capture = tmp_path / "c.pcapng"
        subprocess.run(["editcap", "-F", "pcapng", CAPTURE, capture], check=True, timeout=60)
    if form != "pcap":
        made = audited(capture)
    out = tmp_path / "out.pcapng"
    told = carve(made, made.findings[0], str(out), Carve())
    fields = ("frame.time_epoch", "ip.src", "ip.dst", "tcp.srcport", "tcp.dstport", "tcp.seq_raw", "frame.len")
    # The session: control connection 35014 > 10000 and its data connection 36576 > 40011, as tshark has them.
    assert tshark(out, "frame", *fields) == tshark(CAPTURE, "tcp.port==35014 or tcp.port==36576", *fields)
    assert (told.packets, told.evidence) == (len(tshark(out, "frame", "frame.number")), 3)
    marked = tshark(out, 'frame.comment contains "BX301 data-port-outside-range"', *fields)
    assert marked == tshark(CAPTURE, "frame.number in {16, 17, 344}", *fields)
    carve(made, made.findings[0], str(out), Carve(session=False))
    assert tshark(out, "frame", *fields) == marked


@needs_tshark
def test_two_captures_go_into_one_file(tmp_path: Path) -> None:
    parts = [tmp_path / "a.pcap", tmp_path / "b.pcap"]
    for path, frames in zip(parts, ("1-300", "301-1252"), strict=True):
        subprocess.run(["editcap", "-r", "-F", "pcap", CAPTURE, path, frames], check=True, timeout=60)
    made = audit(parts, policy_path=FOLDER / "policy.yaml", options=AuditOptions(hash_files=True, flows=False))
    place = find_finding(made, audited().findings[0].key)
    out = tmp_path / "out.pcapng"
    carve(made, made.findings[place], str(out), Carve())
    fields = ("frame.time_epoch", "tcp.srcport", "tcp.seq_raw")
    assert tshark(out, "frame", *fields) == tshark(CAPTURE, "tcp.port==35014 or tcp.port==36576", *fields)
    assert {one for (one,) in tshark(out, "frame", "frame.interface_id")} == {"0", "1"}


def test_another_capture_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    made, out = audited(), tmp_path / "out.pcapng"
    other = CAPTURES / "compliant" / "compliant.pcap"
    with pytest.raises(CaptureError, match="SHA-256"):
        carve(made, made.findings[0], str(out), Carve((str(other),)))
    without = replace(made, captures=tuple(replace(one, sha256=None) for one in made.captures))
    short = tmp_path / "short.pcap"
    short.write_bytes(CAPTURE.read_bytes()[:5000])
    with pytest.raises(CaptureError, match=r"holds . of the 3 packets"):
        carve(without, without.findings[0], str(out), Carve((str(short),)))
    gone = replace(made, captures=tuple(replace(one, path="gone.pcap") for one in made.captures))
    with pytest.raises(UsageError, match="nothing to carve"):
        carve(gone, gone.findings[0], str(out), Carve(session=False))
    assert list(tmp_path.glob("*.pcapng")) == []
    assert list(tmp_path.glob(".auditor*")) == []


def test_a_capture_that_moved_is_named(saved: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved.pcap"
    shutil.copy(CAPTURE, moved)
    document = json.loads(saved.read_text())
    text = saved.read_text().replace(document["captures"][0]["path"], "was/here.pcap")
    saved.write_text(text)
    out = tmp_path / "out.pcapng"
    done = run_auditor("why", saved, "BX301+1", "--pcap", out)
    assert (done.code, out.exists()) == (2, False)
    assert "--capture FILE" in done.err
    assert run_auditor("why", saved, "BX301+1", "--pcap", out, "--capture", moved).code == 0
    assert out.exists()
    assert run_auditor("why", saved, "BX301+1", "--pcap", moved, "--capture", moved).code == 2


def test_connections_have_the_period_of_their_session() -> None:
    made = audited()
    found = connections_of(made, made.findings[0])
    ends = {(str(one.one.address), one.one.port, str(one.other.address), one.other.port) for one in found}
    assert ends == {("10.77.0.10", 35014, "10.77.0.21", 10000), ("10.77.0.10", 36576, "10.77.0.21", 40011)}
    # tshark: packets 3 and 990 of the capture, in ns.
    control = next(one for one in found if one.other.port == 10000)
    assert (control.first, control.last) == (1795362135512389000, 1795362136622433000)
    assert all(isinstance(one.one.address, ipaddress.IPv4Address) for one in found)


@needs_tshark
def test_dissect_shows_wireshark_s_view(saved: Path) -> None:
    pytest.importorskip("pyshark")
    done = run_auditor("why", saved, "BX301+1", "--dissect")
    assert done.code == 0, done.err
    assert [line for line in done.out.splitlines() if line.startswith("Packet ")] == [
        f"Packet {number}, as Wireshark reads it:" for number in (16, 17, 344)
    ]
    assert "Message: DATA_LISTEN" in done.out
    assert "Destination Port: 40011" in done.out
    assert "\x1b" not in done.out
    # The capture has every segment, and tshark says of the whole of it that none is missing: nor may it here.
    whole = subprocess.run(
        ["tshark", "-r", FOLDER / "out-of-range.pcap", "-Y", "tcp.analysis.ack_lost_segment"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert whole.stdout == ""
    assert "wasn't captured" not in done.out


def test_the_page_shows_what_the_command_prints(tmp_path: Path) -> None:
    path, where = tmp_path / "site.json", FOLDER.relative_to(ROOT)
    run_auditor(
        "audit", where / CAPTURE.name, "--policy", where / "policy.yaml", "--exit-zero", "-f", "json", "-o", path
    )
    shown = (ROOT / "docs" / "evidence.md").read_text(encoding="utf-8").partition("```text\n")[2].partition("```")[0]
    assert run_auditor("why", path, "BX301+1").out == shown
