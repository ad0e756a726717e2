"""The PDF read back by others: what it tells is what the JSON report tells, and hostile text is only text."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from auditor.errors import MissingExtra
from auditor.model import Report, Severity
from auditor.pipeline import AuditOptions, audit
from auditor.report.pdf import moment
from auditor.report.pdf.blocks import clean
from auditor.report.registry import render
from tests.report_samples import HOSTILE, finding, hostile_report, report
from tests.support import CAPTURES

pytest.importorskip("typst")
pypdf = pytest.importorskip("pypdf")

TYPST = '#panic("x") $x$ *b* _i_ @ref <label> `raw` \\ = #eval("1") // [ ] "'
"""Everything that markup of typst is made of."""


@cache
def audited(name: str = "out-of-range") -> Report:
    return audit(
        [CAPTURES / name / f"{name}.pcap"],
        policy_path=CAPTURES / name / "policy.yaml",
        options=AuditOptions(hash_files=True, flows=False),
    )


def reader(data: bytes) -> Any:
    return pypdf.PdfReader(io.BytesIO(data))


def text_of(data: bytes) -> str:
    """Return the words of all pages, without regard to lines and to places where a line may break."""
    pages = " ".join(page.extract_text() for page in reader(data).pages)
    return re.sub(r"\s+", " ", pages.replace("\u200b", "").replace("\u00a0", " "))


def squeezed(text: str) -> str:
    """Return a text without spaces: a line may end anywhere."""
    return re.sub(r"\s+", "", text)


def test_it_tells_what_the_json_report_tells() -> None:
    made = audited()
    document, text = json.loads(render(made, "json")), text_of(render(made, "pdf"))
    packed = squeezed(text)
    for one in document["findings"]:
        assert squeezed(one["key"]) in packed
        assert squeezed(one["message"]) in packed
    for severity in Severity:
        count = sum(one["severity"] == severity.word for one in document["findings"])
        assert f"{count} {severity.word}" in text
    for part in (
        document["captures"][0]["sha256"], document["policy"]["sha256"], document["sessions"][0]["control"]["originator"],
        "1 252 packets", "Audited by: name, date, signature", "Violations",
        *(term["text"] for term in document["terms"]), *(one["id"] for one in document["controls"]),
        *(one["arithmetic"] for one in document["capacity"] if one["peak_held"]),
    ):  # fmt: skip
        assert squeezed(part) in packed


def test_it_is_tagged_numbered_and_has_contents() -> None:
    pdf = reader(render(audited(), "pdf"))
    catalogue = pdf.trailer["/Root"]
    assert catalogue["/MarkInfo"]["/Marked"]
    assert catalogue["/Lang"].startswith("en")
    assert "/StructTreeRoot" in catalogue
    assert pdf.metadata.title.startswith("Violations: audit of ")
    titles = [one.title for one in pdf.outline if not isinstance(one, list)]
    order = ["Data ports against the declared range", "Control connections and their data", "Who talks to whom", "Capacity",
             "Findings", "Sessions", "Services and terms", "Controls", "Method and limits", "Glossary",
             "Signatures"]  # fmt: skip
    assert [title for one in titles for title in order if title in one] == order
    for number, page in enumerate(pdf.pages, 1):
        assert f"Page {number} of {len(pdf.pages)}" in re.sub(r"\s+", " ", page.extract_text())


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler is not installed")
def test_the_map_and_the_peaks_are_pictures_on_paper(tmp_path: Path) -> None:
    path = tmp_path / "r.pdf"
    path.write_bytes(render(audited(), "pdf"))
    done = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True, timeout=60)
    body = done.stdout.rpartition("Control connections and their data")[2]
    talk = body.partition("Who talks to whom")[2].partition("Capacity")[0]
    # tshark -q -z conv,tcp: three flows to the data ports of agents, one to the media server's, four control connections.
    for words in (
        "media-servers",
        "agents",
        "Backup Exec data connection",
        "3 flows",
        "1 flow,",
        "4 flows",
    ):
        assert words in talk
    peaks = body.partition("Capacity")[2].partition("Data ports of each host at once")[0]
    for words in ("10.77.0.21", "10.77.0.10", "2 held at most, of 25 declared", "no range declared"):
        assert words in peaks


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler is not installed")
def test_the_range_picture_names_the_ports_outside(tmp_path: Path) -> None:
    path = tmp_path / "r.pdf"
    path.write_bytes(render(audited(), "pdf"))
    done = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True, timeout=60)
    picture = done.stdout.partition("Pale band")[2].partition("Data ports by host")[0]
    # truth.json: 40011 and 40015 on the agent .21, 33034 on .23; the range that is declared.
    for words in ("40011", "40015", "33034", "50100", "50124", "outside"):
        assert words in picture


def test_pdf_a_says_so_and_is_tagged() -> None:
    pdf = reader(render(audited(), "pdf-a"))
    meta = pdf.trailer["/Root"]["/Metadata"].get_data().decode()
    assert re.search(r"pdfaid:part>2<", meta)
    assert re.search(r"pdfaid:conformance>A<", meta)
    fonts = {name for page in pdf.pages for name in page["/Resources"].get("/Font", {})}
    assert fonts


def test_the_same_report_gives_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    made = report(findings=(finding(),))
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert render(made, "pdf") == render(made, "pdf")
    # 2026-11-22T15:42:23Z, the last packet of the sample, by date(1).
    assert moment(made) == 1795362143
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert reader(render(made, "pdf")).metadata.creation_date.isoformat().startswith("1970-01-02T00:00:00")


@pytest.mark.parametrize("form", ["pdf", "pdf-a"])
def test_hostile_text_is_shown_as_text(form: str) -> None:
    text = text_of(render(hostile_report(), form))
    assert "\\x1b[2J" in text
    assert not set(text) & set(HOSTILE) - set(" a2J]0;owned\\bcdmx3f1e[")


@pytest.mark.parametrize(
    "words", [TYPST, "<script>alert(1)</script> & </text></svg>", "x" * 9000, "漢字 😀 \u0301" * 50]
)
def test_markup_in_a_name_is_only_a_name(words: str) -> None:
    made = report(findings=(finding(message=f"begin {words} end", key=words, title=words, consequence=words),))
    text = squeezed(text_of(render(made, "pdf-a")))
    assert squeezed(clean(f"begin {words} end").replace("\u200b", "")) in text


def test_without_typst_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "typst", None)
    from auditor.report.pdf import pdf

    with pytest.raises(MissingExtra, match="typst"):
        pdf(report(), ["1.7"])
