"""Data connections that are told as undecided: scenes by hand, and what each output says of them."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from auditor.cli.schema import schema_text
from auditor.flows import COLUMNS, FlowTable
from auditor.notation import parse
from auditor.pipeline import audit
from auditor.report.interface import RenderOptions
from auditor.report.json_ import load, render
from auditor.report.registry import render as to_bytes
from auditor.sessions import SessionSet, find_sessions
from auditor.sessions.doubt import BEFORE, BRIEFLY
from auditor.sessions.evidence import Pair
from auditor.sessions.infer import Candidates
from auditor.sessions.margins import assignment_margins
from auditor.sessions.score import assign
from auditor.sessions.timing import Beats
from tests.helpers.talk import Talk
from tests.support import CAPTURES, run_auditor
from tests.test_session_cuts import frames
from tests.wire import ends_of

STATE = 0x400
OLD = "10.0.1.5:{port} > 10.0.2.9:10000 tcp OTH app=ndmp by=known-port at={at} for={lasts}"
DATA = "10.0.2.9:{port} > 10.0.1.5:{peer} tcp {state} by=guess at={at} for={lasts} bytes=200000/0"
EARLIER = "192.0.2.1:1 > 192.0.2.2:2 udp SF at=0"
"""What makes the capture begin before anything that is looked at."""


def table_of(*lines: str) -> FlowTable:
    return parse("\n".join(lines)).table


def found(table: FlowTable, talk: Talk) -> SessionSet:
    ports = np.full(len(table.addresses), 10000, np.uint16)
    return find_sessions(table, talk.done(), control_ports=ports, service_ports=np.zeros(0, np.uint16))


def joined(lasts: float) -> SessionSet:
    """One control connection and one data connection, both open from before the capture to after it."""
    table = table_of(
        OLD.format(port=40000, at=1, lasts=lasts), DATA.format(port=50101, peer=40001, state="OTH", at=1, lasts=lasts)
    )
    talk = Talk()
    talk.stream(0, began=1)
    talk.say(0, STATE, reply=True, at=1.5)
    return found(table, talk)


def test_hosts_and_a_moment_are_not_enough() -> None:
    sessions = joined(2)
    assert sessions.sessions[0].data == ()
    assert [(one.flow, one.controls, one.reason) for one in sessions.undecided] == [(1, (0,), BRIEFLY)]
    # It is a data connection all the same, and no undocumented traffic.
    assert sessions.data.tolist() == [False, True]


def test_a_minute_in_which_no_other_shows_is() -> None:
    sessions = joined(61)
    assert [link.flow for link in sessions.sessions[0].data] == [1]
    assert sessions.undecided == ()


def concurrent(ends: tuple[float, float], halts: tuple[float, float]) -> list[tuple[int, int, str]]:
    """Give two jobs under way what the scorer finds: control connection, data connection and doubt of each.

    Their data connections close at ``ends``, and their servers say so, unasked, at ``halts`` (seconds).
    """
    table = table_of(
        OLD.format(port=40000, at=5, lasts=40),
        OLD.format(port=40010, at=5, lasts=40),
        *(
            DATA.format(port=50101 + n, peer=40001 + n, state="SF", at=5, lasts=round(end - 5, 3))
            for n, end in enumerate(ends)
        ),
        EARLIER,
    )
    columns = {column.name: table[column.name] for column in COLUMNS}
    # All of it was open when the capture began.
    columns["syn_packets"] = np.zeros(len(table), np.uint32)
    joined_midway = FlowTable.from_columns(columns, table.addresses)
    controls = np.isin(table["resp_port"], [10000])

    def beats(control: int) -> Beats:
        notice = np.array([halts[control] * 1e9], np.int64)
        return Beats(notice, np.array([True]), notice)

    nothing = np.zeros(len(table), np.bool_)
    scored = assign(
        joined_midway, Candidates(joined_midway, controls, np.zeros(0, np.uint16)), [0, 1], nothing, beats=beats
    )
    return [(one.control, one.flow, one.doubt) for one in scored]


def test_a_notice_as_one_connection_ends_and_no_other_ties_it() -> None:
    assert concurrent(ends=(20.0, 30.0), halts=(20.002, 30.002)) == [(0, 2, ""), (1, 3, "")]


def test_two_that_end_within_a_moment_are_not_told_apart() -> None:
    alike = concurrent(ends=(20.0, 20.004), halts=(20.002, 20.006))
    assert [doubt for _, _, doubt in alike] == [BEFORE, BEFORE]


def test_without_a_notice_nothing_decides_between_two() -> None:
    assert {doubt for _, _, doubt in concurrent(ends=(20.0, 30.0), halts=(39.0, 38.0))} == {BEFORE}


def pair(control: int, flow: int, score: int) -> Pair:
    """Return a pair of this score (2 for the hosts, 1 or 4 each for what else is named), open at the same time as all."""
    more = {2: (), 3: ("bulk",), 6: ("mtf",), 7: ("mtf", "bulk")}[score]
    return Pair(control, flow, ("pair", *more), 0, 0, 0, 0, 10, 0, begun=True)


def test_the_margin_is_what_the_whole_assignment_loses() -> None:
    """Sums by hand: 7 + 6 are chosen. Without the first the best is 6 + 3, or 6 alone: 4 less."""
    chosen = [pair(0, 10, 7), pair(1, 11, 6)]
    pairs = [*chosen, pair(1, 10, 6), pair(0, 11, 3)]
    # The direct rival of the first pair has 6, a distance of 1 only; but who takes it gives up as much.
    assert assignment_margins(pairs, chosen) == {chosen[0]: 4, chosen[1]: 4}


def test_a_ring_of_three_that_fits_as_well_leaves_nothing_decided() -> None:
    """Each of three may as well have the next one's: no exchange between two shows it, the ring does."""
    chosen = [pair(n, 10 + n, 6) for n in range(3)]
    pairs = [*chosen, *(pair(n, 10 + (n + 1) % 3, 6) for n in range(3))]
    assert set(assignment_margins(pairs, chosen).values()) == {0}


def test_very_many_are_held_against_their_direct_rivals() -> None:
    """Of 300 linked through one connection that all could have, each is compared with that one alone."""
    chosen = [pair(n, 1000 + n, 7) for n in range(300)]
    pairs = [*chosen, *(pair(n, 5000, 3) for n in range(300))]
    assert set(assignment_margins(pairs, chosen).values()) == {4}


def test_without_a_permitted_control_connection_it_is_no_data_connection() -> None:
    sessions = joined(2)
    assert sessions.without_claims(np.array([True, True])) is sessions
    taken_back = sessions.without_claims(np.array([False, True]))
    assert (taken_back.undecided, taken_back.data.any()) == ((), False)


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return ``begun-before`` without its second half: of three jobs under way none is seen to end."""
    header, records = frames((CAPTURES / "begun-before" / "begun-before.pcap").read_bytes())
    path = tmp_path_factory.mktemp("cut") / "cut.pcap"
    path.write_bytes(header + b"".join(records[:175]))
    return path


def truth() -> set[frozenset[str]]:
    """Return the ends of the data connections under way when the capture began, as their sockets told them."""
    told = json.loads((CAPTURES / "begun-before" / "truth.json").read_text())
    return {frozenset(ends_of(data)) for data in told["data_connections"] if data["begun_before_capture"]}


def test_every_output_says_so(cut: Path) -> None:
    policy = CAPTURES / "begun-before" / "policy.yaml"
    document = json.loads(run_auditor("sessions", cut, "--policy", policy, "--format", "json").out)
    assert {frozenset((one["originator"], one["responder"])) for one in document["undecided"]} == truth()
    assert {one["candidates"] for one in document["undecided"]} == {3}
    text = run_auditor("sessions", cut, "--policy", policy, "-v").out
    assert "Not tied" in text
    assert all(one["originator"] in text for one in document["undecided"])
    result = audit([cut], policy_path=policy)
    assert any(limit.startswith("3 data connections could not be tied") for limit in result.limits)
    assert load(render(result, RenderOptions())).undecided == result.undecided
    assert "3 data connections could not be tied" in " ".join(run_auditor("audit", cut, "--policy", policy).out.split())


def test_every_format_has_a_table_of_them(cut: Path) -> None:
    """What the truth says, read back from each file; a table of none of them is none."""
    made = audit([cut], policy_path=CAPTURES / "begun-before" / "policy.yaml")
    lines = [json.loads(line) for line in to_bytes(made, "jsonl").splitlines()]
    pairs = [[(one["originator"], one["responder"]) for one in lines if one["type"] == "undecided"]]
    book = pytest.importorskip("openpyxl").load_workbook(io.BytesIO(to_bytes(made, "xlsx")))
    head, *rows = book["undecided"].iter_rows(values_only=True)
    assert [head.index(name) for name in ("originator", "responder", "candidates")] == [0, 1, 5]
    assert {row[5] for row in rows} == {3}
    pairs.append([row[:2] for row in rows])
    archive = zipfile.ZipFile(io.BytesIO(to_bytes(made, "csv-zip")))
    table = list(csv.DictReader(io.TextIOWrapper(archive.open("undecided.csv"), "utf-8", newline="")))
    pairs.append([(row["originator"], row["responder"]) for row in table])
    assert {row["control_connections"].count(" > ") for row in table} == {3}
    page = html.unescape(to_bytes(made, "html").decode())
    section = page.partition('<h2 id="undecided">')[2].partition("</section>")[0]
    pairs.append(re.findall(r'class="mono">(\S+)\s→ (\S+)</th>', section))
    assert section.count("of <span") == 9
    pytest.importorskip("typst")
    reader = pytest.importorskip("pypdf").PdfReader(io.BytesIO(to_bytes(made, "pdf")))
    # Where an address may be broken it has a space without width, which some programs give as text.
    paper = " ".join(" ".join(one.extract_text() for one in reader.pages).replace("\u200b", "").split())
    told = paper.rpartition("Data connections not tied")[2].partition("Services and terms")[0]
    pairs.append(re.findall(r"([\d.]+:\d+) → ([\d.]+:\d+) it began", told))
    assert [{frozenset(pair) for pair in of} for of in pairs] == [truth()] * len(pairs)
    assert "Not drawn: 3 data connections tied to no control connection." in paper
    none = audit([CAPTURES / "compliant" / "compliant.pcap"])
    assert b'id="undecided"' not in to_bytes(none, "html")


@pytest.mark.parametrize("name", ["begun-before", "three-way", "starttls", "lossy", "rogue", "notification"])
def test_the_sessions_document_keeps_its_schema(name: str, cut: Path) -> None:
    schema = json.loads(schema_text("sessions"))
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    for capture in (cut, CAPTURES / name / f"{name}.pcap"):
        document = json.loads(run_auditor("sessions", capture, "--format", "json").out)
        assert [error.message for error in validator.iter_errors(document)] == []
    document["sessions"] = None
    assert list(validator.iter_errors(document))


def test_its_parts_mean_what_they_mean_in_a_report() -> None:
    report, sessions = (json.loads(schema_text(name))["$defs"] for name in ("report", "sessions"))
    assert sessions == {name: report[name] for name in sessions}


def test_what_was_skipped_is_told_for_each_control_connection(tmp_path: Path) -> None:
    """Frames cut at 110 bytes keep 44 of payload: a marker and a header, and of most bodies not all."""
    capture = tmp_path / "cut.pcap"
    header, records = frames((CAPTURES / "two-way" / "two-way.pcap").read_bytes())
    kept = [
        struct.pack("<4I", *struct.unpack_from("<2I", one), min(len(one) - 16, 110), *struct.unpack_from("<I", one, 12))
        + one[16:126]
        for one in records
    ]
    capture.write_bytes(header + b"".join(kept))
    sessions = json.loads(run_auditor("sessions", capture, "--format", "json").out)["sessions"]
    assert all(session["bodies_missing"] > 0 for session in sessions)
    assert all(session["messages"] > session["bodies_missing"] for session in sessions)
    assert "message bodies missing" in " ".join(run_auditor("sessions", capture).out.split())
