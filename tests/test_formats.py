"""All formats of one report tell the same, whatever an attacker wrote into it, and each file is what it is called."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from auditor.errors import UsageError
from auditor.model import Report
from auditor.pipeline import audit
from auditor.report import xlsx
from auditor.report.csv_ import cell, table_pieces
from auditor.report.registry import FORMATS, format_of, render, split_target
from auditor.report.tables import NUMBER, TEXT, Table
from tests.helpers.read_back import anchor_of, page_findings, paper_findings, squeezed
from tests.report_samples import HOSTILE, finding, hostile_report, report
from tests.support import CAPTURES, committed_cases, run_auditor

CASES = {case.name: case for case in committed_cases()}
FORMULA = '=HYPERLINK("http://x","y")'
FLOWS_ONLY = {name for name, form in FORMATS.items() if form.needs_flows}


@cache
def audited(name: str) -> Report:
    return audit([CASES[name].capture], policy_path=CASES[name].policy)


def rows_of(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def book_of(made: Report) -> Any:
    return pytest.importorskip("openpyxl").load_workbook(io.BytesIO(render(made, "xlsx")))


def sheet_rows(sheet: Any) -> list[dict[str, Any]]:
    head, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rows]


def zeek_rows(data: bytes, tmp_path: Path) -> list[Any]:
    reader = pytest.importorskip("parsezeeklogs")
    path = tmp_path / "zeek.log"
    path.write_bytes(data)
    return list(reader.read_zeek(path))


def findings_told(made: Report, tmp_path: Path) -> dict[str, Counter[tuple[str, ...]]]:
    """Return what each format tells of the findings, read back: code and key, or the code where a format has no key."""
    sarif = json.loads(render(made, "sarif"))["runs"][0]["results"]
    junit = pytest.importorskip("junitparser").JUnitXml.fromstring(render(made, "junit"))
    texts = [
        *(result.text or "" for suite in junit if suite.name == "rules" for case in suite for result in case.result),
        *(case.system_out or "" for suite in junit if suite.name == "rules" for case in suite),
    ]
    keys = [line.removeprefix("  key ") for text in texts for line in text.split("\n") if line.startswith("  key ")]
    lines = [json.loads(line) for line in render(made, "jsonl").decode().splitlines()]
    observed = json.loads(render(made, "oscal"))["assessment-results"]["results"][0].get("observations", [])
    props = [{one["name"]: one["value"] for one in observation["props"]} for observation in observed]
    github = render(made, "github").decode().splitlines()[:-1]
    archive = zipfile.ZipFile(io.BytesIO(render(made, "csv-zip")))
    return {
        "json": Counter((one["code"], one["key"]) for one in json.loads(render(made, "json"))["findings"]),
        "jsonl": Counter((one["code"], one["key"]) for one in lines if one["type"] == "finding"),
        "csv": Counter((one["code"], one["key"]) for one in rows_of(render(made, "csv"))),
        "csv-zip": Counter((one["code"], one["key"]) for one in rows_of(archive.read("findings.csv"))),
        "xlsx": Counter((one["code"], one["key"]) for one in sheet_rows(book_of(made)["findings"])),
        "sarif": Counter((one["ruleId"], one["properties"]["key"]) for one in sarif),
        "junit": Counter((key.split(" ")[0], key) for key in keys),
        "ocsf": Counter((e["metadata"]["event_code"], e["unmapped"]["key"]) for e in json.loads(render(made, "ocsf"))),
        "ocsf-compliance": Counter(
            (one["metadata"]["event_code"], one["unmapped"]["key"])
            for one in json.loads(render(made, "ocsf-compliance"))
        ),
        "oscal": Counter((one["rule"], one["key"]) for one in props),
        "zeek-notice": Counter(
            (one["note"].removeprefix("Auditor::").split("_")[0], one["auditor_key"])
            for one in zeek_rows(render(made, "zeek-notice"), tmp_path)
        ),
        "github": Counter((line.partition("title=")[2].split(" ")[0],) for line in github),
    }


@pytest.mark.parametrize("name", ["out-of-range", "blocked", "notification-ipv6", "compliant"])
def test_every_format_tells_the_same_findings(name: str, tmp_path: Path) -> None:
    made = audited(name)
    expected = Counter((one.code, one.key) for one in made.findings)
    told = findings_told(made, tmp_path)
    assert told.pop("github") == Counter((code,) for code, _ in expected.elements())
    # The page names a finding by its anchor, paper breaks keys at spaces.
    assert page_findings(render(made, "html")) == Counter((code, anchor_of(key)) for code, key in expected.elements())
    pytest.importorskip("typst")
    assert paper_findings(render(made, "pdf")) == paper_findings(render(made, "pdf-a")) == squeezed(expected)
    assert {form: counts for form, counts in told.items() if counts != expected} == {}


@pytest.mark.parametrize("name", ["out-of-range", "notification-ipv6"])
def test_every_format_tells_the_same_flows(name: str, tmp_path: Path) -> None:
    made = audited(name)
    assert made.flows is not None
    names = ("community_id", "orig_addr", "resp_addr", "resp_port", "orig_packets", "resp_packets", "verdict")
    expected = Counter(tuple(str(value) for value in row) for row in made.flows.rows(names))

    def counted(rows: Any) -> Counter[tuple[str, ...]]:
        return Counter(tuple("" if row[name] is None else str(row[name]) for name in names) for row in rows)

    archive = zipfile.ZipFile(io.BytesIO(render(made, "csv-zip")))
    assert counted(rows_of(render(made, "csv-flows"))) == expected
    assert counted(rows_of(archive.read("flows.csv"))) == expected
    assert counted(json.loads(line) for line in render(made, "jsonl-flows").splitlines()) == expected
    sheet = [{key.replace(" ", "_"): value for key, value in row.items()} for row in sheet_rows(book_of(made)["flows"])]
    assert counted(sheet) == expected
    conn = zeek_rows(render(made, "zeek-conn"), tmp_path)
    renamed = {
        "orig_addr": "id.orig_h", "resp_addr": "id.resp_h", "resp_port": "id.resp_p", "orig_packets": "orig_pkts",
        "resp_packets": "resp_pkts", "verdict": "auditor_verdict",
    }  # fmt: skip
    assert counted({name: one.get(renamed.get(name, name)) for name in names} for one in conn) == expected


def test_parquet_is_read_by_another_hand(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    pytest.importorskip("pyarrow")
    made = audited("notification-ipv6")
    assert made.flows is not None
    path = tmp_path / "flows.parquet"
    path.write_bytes(render(made, "parquet"))
    names = ("community_id", "orig_addr", "resp_port", "verdict", "control", "session", "history", "first_file")
    told = duckdb.sql(f"select {', '.join(names)} from '{path}'").fetchall()  # noqa: S608 - our own file
    assert told == list(made.flows.rows(names))
    times = duckdb.sql(f"select epoch_ns(first_time) from '{path}'").fetchall()  # noqa: S608 - our own file
    assert times == list(made.flows.rows(["first_time"]))


def test_times_and_numbers_of_a_workbook_are_such(tmp_path: Path) -> None:
    made = audited("out-of-range")
    assert made.flows is not None
    book = book_of(made)
    assert all(sheet.freeze_panes == "A2" and sheet.auto_filter.ref for sheet in book)
    told = sheet_rows(book["flows"])[0]
    (first,) = next(iter(made.flows.rows(["first_time"])))
    moment = told["first time (UTC)"].replace(tzinfo=UTC)
    assert abs(moment - datetime.fromtimestamp(first / 1e9, UTC)).total_seconds() < 0.001
    assert told["orig packets"] == 24  # tshark -q -z conv,tcp on this capture
    assert {"summary", "findings", "sessions", "flows", "terms", "controls"} <= set(book.sheetnames)


def test_a_long_table_goes_on_in_a_further_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "MOST_ROWS", 3)
    made = report(findings=tuple(finding(40000 + number) for number in range(7)))
    book = book_of(made)
    sizes = [book[name].max_row - 1 for name in ("findings", "findings 2", "findings 3")]
    assert sizes == [3, 3, 1]
    assert "findings 4" not in book.sheetnames


@pytest.mark.parametrize("name", sorted(set(FORMATS) - FLOWS_ONLY))
def test_hostile_text_does_nothing_in_any_format(name: str) -> None:
    made = hostile_report()
    data = render(made, name)
    assert data == render(made, name)
    if FORMATS[name].binary:
        return
    text = data.decode()
    allowed = "\n\t" if name.startswith("zeek") else "\r\n" if name.startswith("csv") else "\n"
    assert not {c for c in text if (ord(c) < 0x20 and c not in allowed) or c in "\x7f\x9b\u202e\u2028\u200b"}


@pytest.mark.parametrize("name", sorted(FLOWS_ONLY | {"csv-zip", "xlsx"}))
def test_formats_of_flows_are_the_same_twice(name: str) -> None:
    assert render(audited("out-of-range"), name) == render(audited("out-of-range"), name)


def hostile_formula() -> Report:
    odd = [FORMULA, "+1+1", "-2+3", "@SUM(1)", "\t=1", "\r=1", "＝1", "'x", HOSTILE]
    return report(findings=tuple(finding(message=text, key=text, subject={"host": text}) for text in odd))


def test_no_cell_of_a_workbook_is_a_formula() -> None:
    book = book_of(hostile_formula())
    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert kinds <= {"s", "n", "d", "b"}
    assert not any(cell.hyperlink for sheet in book for row in sheet.iter_rows() for cell in row)
    assert sheet_rows(book["findings"])[0]["message"] == FORMULA


def test_no_cell_of_a_csv_begins_like_a_formula() -> None:
    archive = zipfile.ZipFile(io.BytesIO(render(hostile_formula(), "csv-zip")))
    for name in archive.namelist():
        for row in csv.reader(io.StringIO(archive.read(name).decode(), newline="")):
            assert not [one for one in row if one[:1] in set("=+-@\t\r\n＝＋－＠")]
    assert rows_of(archive.read("findings.csv"))[0]["message"] == f"'{FORMULA}"


def test_cells_keep_what_is_harmless() -> None:
    assert cell("a=b", TEXT) == "a=b"
    assert cell(-5, NUMBER) == "-5"
    assert b"".join(table_pieces(Table("t", (("a", TEXT),), [('x"y\n',)]))) == b'a\r\n"x""y\\x0a"\r\n'


def test_the_work_for_junit_grows_with_the_findings_and_not_with_their_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Findings are never held against each other: of ten thousand that would be a hundred million times."""
    made = report(findings=tuple(finding(40000 + number) for number in range(300)))
    compared: list[int] = []
    monkeypatch.setattr(type(made.findings[0]), "__eq__", lambda one, other: compared.append(1) or one is other)
    render(made, "junit")
    assert len(compared) == 0


def test_what_xml_forbids_is_not_written() -> None:
    # Control characters have no place in XML 1.0, not even as references.
    ET.fromstring(render(hostile_report(), "junit"))  # noqa: S314 - made here


def test_an_annotation_is_one_command_whatever_its_text_says() -> None:
    made = report(findings=(finding(message="a%0A::stop-commands::x\n::error::y", title="t,line=1::z%"),))
    lines = render(made, "github").decode().splitlines()
    assert len(lines) == 2
    head, _, message = lines[0].removeprefix("::warning ").partition("::")
    # Rules of the runner: % first, then breaks; in properties colons and commas as well.
    assert "title=BX301 t%2Cline=1%3A%3Az%25" in head
    assert message.startswith("a%250A::stop-commands::x\\x0a::error::y%0A")


def test_a_sarif_message_holds_no_link_and_no_placeholder() -> None:
    made = report(findings=(finding(message="[click](http://x) {0}"),))
    text = json.loads(render(made, "sarif"))["runs"][0]["results"][0]["message"]["text"]
    assert text.startswith("[click] (http://x) {{0}}")


def test_zeek_reads_back_what_was_written(tmp_path: Path) -> None:
    odd = ["-", "(empty)", "", "a\tb", "#x", "a\\x2db"]
    made = report(findings=tuple(finding(message=text) for text in odd))
    lines = [line for line in render(made, "zeek-notice").decode().splitlines() if not line.startswith("#")]
    assert [line.split("\t")[11] for line in lines] == [
        "\\x2d",
        "\\x28empty)",
        "(empty)",
        "a\\x09b",
        "\\x23x",
        "a\\x5cx2db",
    ]
    assert len(zeek_rows(render(made, "zeek-notice"), tmp_path)) == len(odd)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.csv", "csv"), ("a.csv.zip", "csv-zip"), ("a.flows.csv", "csv-flows"), ("a.flows.jsonl", "jsonl-flows"), ("a.flows.json", "json-flows"),
        ("a.sarif.json", "sarif"), ("a.ocsf.json", "ocsf"), ("a.ocsf-compliance.json", "ocsf-compliance"),
        ("a.oscal.json", "oscal"), ("zeek/conn.log", "zeek-conn"), ("notice.log", "zeek-notice"), ("a.junit.xml", "junit"),
        ("A.XLSX", "xlsx"), ("a.parquet", "parquet"), ("a.json", "json"),
    ],
)  # fmt: skip
def test_the_longest_suffix_names_the_format(name: str, expected: str) -> None:
    assert format_of(name) == expected


def test_a_format_may_be_named() -> None:
    assert split_target("sarif=out.json") == ("sarif", "out.json")
    assert split_target("what=ever.json") == ("json", "what=ever.json")
    with pytest.raises(UsageError):
        split_target("what=ever")


def test_several_formats_in_one_run(tmp_path: Path) -> None:
    folder = CAPTURES / "out-of-range"
    targets = [tmp_path / name for name in ("a.sarif", "conn.log", "a.xml", "a.csv.zip")]
    words = [word for target in targets for word in ("--report", target)]
    done = run_auditor(
        "audit", folder / "out-of-range.pcap", "--policy", folder / "policy.yaml", *words, "--report",
        f"ocsf={tmp_path / 'events'}",
    )  # fmt: skip
    assert (done.code, done.err) == (1, "")
    assert len(json.loads((tmp_path / "events").read_text())) == len(audited("out-of-range").findings)
    assert all(target.stat().st_size for target in targets)
    assert len(targets[1].read_text().splitlines()) == 7 + audited("out-of-range").totals["flows"]


@pytest.mark.parametrize("target", ["conn.log", "a.parquet", "a.flows.csv"])
def test_a_saved_report_has_no_flows_and_says_so(target: str, tmp_path: Path) -> None:
    saved = tmp_path / "saved.json"
    saved.write_bytes(render(report(), "json"))
    done = run_auditor("report", saved, "--report", tmp_path / target)
    assert (done.code, done.out, (tmp_path / target).exists()) == (2, "", False)
    assert "a saved report holds none" in done.err
    assert "help: " in done.err


def test_a_missing_package_is_named_before_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    from auditor.cli.output import check_reports
    from auditor.errors import MissingExtra

    monkeypatch.setitem(FORMATS, "xlsx", replace(FORMATS["xlsx"], package="no_such_package"))
    with pytest.raises(MissingExtra) as refused:
        check_reports(("a.xlsx",), [], flows=True)
    assert 'pip install "auditor[xlsx]"' in refused.value.fix


def test_binary_formats_are_kept_from_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    from auditor.cli.output import check_format

    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    with pytest.raises(UsageError) as refused:
        check_format("csv-zip", None, flows=True)
    assert "--report FILE.csv.zip" in refused.value.fix
    check_format("csv", None, flows=True)
    check_format("csv-zip", "out.zip", flows=True)


def test_the_documentation_tells_every_format_and_every_column() -> None:
    from auditor.flow_export import FIELDS

    text = (CAPTURES.parent / "docs" / "formats.md").read_text(encoding="utf-8")
    for name, form in FORMATS.items():
        assert f"| `{name}` | {', '.join(f'`{suffix}`' for suffix in form.suffixes)} |" in text
    table = [line for line in text.splitlines() if line.startswith("| `") and line.count("|") == 5]
    columns = [line for line in table if not any(line.startswith(f"| `{name}` |") for name in FORMATS)]
    expected = [f"| `{field.name}` | {field.kind} | {field.unit} | {field.meaning} |" for field in FIELDS]
    assert columns == expected
