"""``--report FILE`` and ``auditor report``: which files come about, in which format, and what is refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from auditor.errors import UsageError
from auditor.report.registry import FORMATS, format_of
from tests.support import CAPTURES, Completed, run_auditor

CAPTURE = CAPTURES / "out-of-range" / "out-of-range.pcap"
POLICY = CAPTURE.parent / "policy.yaml"


def audit(*options: str | Path) -> Completed:
    done = run_auditor("audit", CAPTURE, "--policy", POLICY, *options)
    assert "Traceback" not in done.err + done.out
    return done


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.html", "html"), ("b.HTM", "html"), ("c.json", "json"), ("d.e/f.txt", "text"), ("g.tar.json", "json")],
)
def test_the_suffix_names_the_format(name: str, expected: str) -> None:
    assert format_of(name) == expected


@pytest.mark.parametrize("name", ["report", "report.docx", "html", ".pdfx", "a.html.bak"])
def test_an_unknown_suffix_is_refused_with_the_list(name: str) -> None:
    with pytest.raises(UsageError) as refused:
        format_of(name)
    assert all(suffix in refused.value.fix for form in FORMATS.values() for suffix in form.suffixes)


def test_every_format_has_suffixes_of_its_own() -> None:
    suffixes = [suffix for form in FORMATS.values() for suffix in form.suffixes]
    assert len(suffixes) == len(set(suffixes))
    assert all(form.suffixes for form in FORMATS.values())


def test_several_reports_in_one_run(tmp_path: Path) -> None:
    made = [tmp_path / f"site{suffix}" for suffix in (".html", ".json", ".txt")]
    done = audit(*(word for path in made for word in ("--report", path)))
    assert (done.code, done.err) == (1, "")
    assert done.out.splitlines()[-1].startswith("VIOLATIONS: 3 findings")
    page, document, text = (path.read_text(encoding="utf-8") for path in made)
    assert page.startswith("<!DOCTYPE html>")
    assert text.splitlines()[-1] == done.out.splitlines()[-1]
    assert json.loads(document)["captures"][0]["sha256"] == hashlib.sha256(CAPTURE.read_bytes()).hexdigest()
    for finding in json.loads(document)["findings"]:
        assert finding["message"] in page


def test_a_saved_report_renders_as_the_first_did(tmp_path: Path) -> None:
    saved, first, second = (tmp_path / name for name in ("saved.json", "first.html", "second.html"))
    audit("--report", saved, "--report", first)
    done = run_auditor("report", saved, "--report", second)
    assert (done.code, done.out, done.err) == (0, "", "")
    assert second.read_bytes() == first.read_bytes()
    assert run_auditor("report", saved).out == audit("--hash").out
    assert run_auditor("report", saved, "--format", "json").out == saved.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("site.docx", "its suffix names no report format"),
        ("nowhere/site.html", "there is no directory"),
    ],
)
def test_what_cannot_be_written_is_refused_before_the_work(name: str, words: str, tmp_path: Path) -> None:
    done = audit("--report", tmp_path / name)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
    assert "help: " in done.err


def test_no_file_is_written_twice_or_over_an_input(tmp_path: Path) -> None:
    page = tmp_path / "site.html"
    for options in (["--report", page, "--report", page], ["--output", page, "--report", page]):
        done = audit(*options)
        assert (done.code, page.exists()) == (2, False)
        assert "written twice" in done.err
    saved = tmp_path / "saved.json"
    audit("--report", saved)
    before = saved.read_bytes()
    assert run_auditor("report", saved, "--report", saved).code == 2
    assert saved.read_bytes() == before


@pytest.mark.parametrize("content", ["", "{}", "<!DOCTYPE html>"])
def test_what_is_no_saved_report_gets_one_clear_message(content: str, tmp_path: Path) -> None:
    saved = tmp_path / "saved.json"
    saved.write_text(content, encoding="utf-8")
    done = run_auditor("report", saved, "--report", tmp_path / "page.html")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: {saved}: ")
    assert not (tmp_path / "page.html").exists()
    assert "cannot read" in run_auditor("report", tmp_path / "missing.json").err


def test_a_capture_that_cannot_be_read_still_has_its_page(tmp_path: Path) -> None:
    odd, page = tmp_path / "odd.pcap", tmp_path / "odd.html"
    odd.write_text("hello", encoding="utf-8")
    done = run_auditor("audit", odd, "--report", page)
    assert done.code == 3
    assert "Inconclusive" in page.read_text(encoding="utf-8")
