"""A capture made to attack, through every format: nothing fires, and what was said is shown as text.

Each file is read by someone else's reader of its format; that reader finding an element, a formula, a command or a row
more than there should be is what failing means.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import html5lib
import pytest

import auditor
from auditor.model import Report
from auditor.report.interface import RenderOptions
from auditor.report.registry import FORMATS, render
from tests.helpers.attack import FORMULA, LONG, SCRIPT, attacked_site
from tests.support import run_auditor

HARMFUL = frozenset({*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), *"\u202e\u200f\u2028\u2029\u200b\ufeff"})
LINES = {"csv": "\r\n", "csv-flows": "\r\n", "zeek-conn": "\n\t", "zeek-notice": "\n\t"}
TEXTS = sorted(name for name, form in FORMATS.items() if not form.binary)
JSONS = ["json", "jsonl", "jsonl-flows", "json-flows", "sarif", "ocsf", "ocsf-compliance", "oscal"]
FORMULA_SIGNS = set("=+-@\t\r\n＝＋－＠")


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Report:
    capture, policy = attacked_site(tmp_path_factory.mktemp("site"))
    result = auditor.audit([capture], policy_path=policy)
    assert result.findings
    return result.report


def strings(value: Any) -> Iterator[str]:
    """Yield every text of a document, names of members included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, member in value.items():
            yield name
            yield from strings(member)
    elif isinstance(value, list):
        for member in value:
            yield from strings(member)


def test_the_attack_reached_the_report(attacked: Report) -> None:
    """Without this, the tests below could pass because nothing hostile was read."""
    jobs = {text for session in attacked.sessions for job in session.jobs for text in (job.name, job.file_system)}
    assert {SCRIPT, FORMULA} <= jobs
    assert any("\x1b[2J" in text for text in jobs)
    assert any("\u202e" in text for text in jobs)
    assert any("\r\n" in text for text in jobs)
    assert any(text.startswith("caf") for text in jobs)
    assert any(text and set(text) == {"A"} for text in jobs)
    names = {told.name for host in attacked.hosts for told in host.names}
    assert any("<script>" in name for name in names)
    assert "\x1b" in attacked.captures[0].path


def test_a_string_of_64_kb_is_kept_short(attacked: Report) -> None:
    texts = list(strings(json.loads(render(attacked, "json"))))
    assert max(map(len, texts)) < 1_000 < len(LONG)


@pytest.mark.parametrize("name", TEXTS)
def test_no_text_format_holds_what_a_terminal_obeys_or_hides(name: str, attacked: Report) -> None:
    text = render(attacked, name, RenderOptions(verbosity=2)).decode("utf-8")
    assert not (set(text) & HARMFUL) - set(LINES.get(name, "\n"))


@pytest.mark.parametrize("name", ["text", "html", "json"])
def test_what_was_said_is_shown_escaped(name: str, attacked: Report) -> None:
    text = render(attacked, name, RenderOptions(verbosity=2, width=400)).decode("utf-8")
    shown = "".join(html5lib.parse(text).itertext()) if name == "html" else text
    assert "<script>alert(1)" in shown
    assert "=HYPERLINK(" in shown
    if name == "json":
        assert SCRIPT in set(strings(json.loads(text)))
    else:
        assert "\\x1b[2J" in shown
        assert "\\u202egpj.exe" in shown
        assert "one\\x0d\\x0atwo\\u2028::error::" in shown


def test_the_page_gains_no_element_and_no_attribute(attacked: Report) -> None:
    text = render(attacked, "html").decode()
    root = html5lib.HTMLParser(html5lib.getTreeBuilder("etree"), strict=True).parse(text)
    tags = {element.tag.rpartition("}")[2] for element in root.iter() if isinstance(element.tag, str)}
    assert not tags & {"script", "img", "iframe", "object", "embed", "form", "base", "b><"}
    for element in root.iter():
        assert not [name for name in element.attrib if name.lower().startswith("on") or name in ("src", "style")]
    policies = [e for e in root.iter() if e.get("http-equiv") == "Content-Security-Policy"]
    assert [(policy.get("content") or "").split(";")[0] for policy in policies] == ["default-src 'none'"]


@pytest.mark.parametrize("name", JSONS)
def test_json_is_json_in_every_line(name: str, attacked: Report) -> None:
    data = render(attacked, name)
    documents = data.decode().splitlines() if name.startswith("jsonl") else [data.decode()]
    assert all(isinstance(json.loads(document), dict | list) for document in documents)
    if name == "jsonl":
        assert sum(json.loads(line)["type"] == "finding" for line in documents) == len(attacked.findings)


def test_junit_is_xml_without_elements_of_the_attacker(attacked: Report) -> None:
    root = ET.fromstring(render(attacked, "junit"))  # noqa: S314 - what is parsed is what is tested
    known = {
        "testsuites",
        "testsuite",
        "testcase",
        "failure",
        "error",
        "skipped",
        "system-out",
        "properties",
        "property",
    }
    assert {element.tag for element in root.iter()} <= known


def test_github_gets_one_command_for_each_finding_and_no_other(attacked: Report) -> None:
    lines = render(attacked, "github").decode().splitlines()
    commands = [line for line in lines if line.startswith("::")]
    assert len(commands) - len(attacked.findings) in (0, 1), "the findings, and what was concluded"
    assert not [line for line in lines if line.startswith("::error::three")]


@pytest.mark.parametrize("name", ["zeek-conn", "zeek-notice"])
def test_zeek_has_as_many_columns_in_every_row(name: str, attacked: Report) -> None:
    lines = render(attacked, name).decode().split("\n")
    (fields,) = [line for line in lines if line.startswith("#fields\t")]
    rows = [line for line in lines if line and not line.startswith("#")]
    assert rows
    assert {row.count("\t") + 1 for row in rows} == {fields.count("\t")}


@pytest.mark.parametrize("name", ["csv", "csv-flows", "csv-zip"])
def test_no_cell_of_a_table_begins_like_a_formula(name: str, attacked: Report) -> None:
    data = render(attacked, name)
    tables = [data]
    if name == "csv-zip":
        archive = zipfile.ZipFile(io.BytesIO(data))
        tables = [archive.read(member) for member in archive.namelist()]
    for table in tables:
        rows = list(csv.reader(io.StringIO(table.decode(), newline=""), strict=True))
        assert {len(row) for row in rows} == {len(rows[0])}
        assert not [cell for row in rows for cell in row if cell[:1] in FORMULA_SIGNS]


def test_no_cell_of_the_workbook_is_a_formula_or_a_link(attacked: Report) -> None:
    book = pytest.importorskip("openpyxl").load_workbook(io.BytesIO(render(attacked, "xlsx")))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell.coordinate for cell in cells if cell.data_type == "f" or cell.hyperlink]
    assert FORMULA in {cell.value for cell in cells}


def test_parquet_is_read_to_its_end(attacked: Report) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    assert attacked.flows is not None
    table = parquet.read_table(io.BytesIO(render(attacked, "parquet")))
    assert table.num_rows == len(attacked.flows)


def test_the_command_shows_nothing_harmful(tmp_path: Path) -> None:
    capture, policy = attacked_site(tmp_path)
    for command in (["audit", "--policy", policy, "--exit-zero", "-vv"], ["sessions", "--policy", policy]):
        done = run_auditor(*command, capture)
        assert done.code == 0
        assert not (set(done.out + done.err) & HARMFUL) - {"\n"}
