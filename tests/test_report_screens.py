"""The page as people see it: on a desk, on a phone, in the dark and on paper; and the PDF, page by page.

Every run makes the pictures of the largest capture; set AUDITOR_SCREENS to a folder to keep and look at them.
"""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import pytest

from auditor.model import Report
from auditor.pipeline import audit
from auditor.report.registry import render
from tests.helpers.attack import LONG, attacked_site
from tests.test_report_html_browser import CHROMIUM, browse, largest

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

POPPLER = shutil.which("pdftoppm") is not None and shutil.which("pdftotext") is not None
needs_poppler = pytest.mark.skipif(not POPPLER, reason="poppler is not installed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    kept = os.environ.get("AUDITOR_SCREENS")
    made = Path(kept).resolve() if kept else tmp_path_factory.mktemp("screens")
    made.mkdir(parents=True, exist_ok=True)
    return made


@pytest.fixture(scope="module")
def report(folder: Path) -> Report:
    return largest(folder)


@pytest.fixture(scope="module")
def page(report: Report, folder: Path) -> Path:
    made = folder / "page.html"
    made.write_bytes(render(report, "html"))
    return made


def shot(page: Path, target: Path, scratch: Path, *options: str) -> Path:
    done = browse(page, scratch, f"--screenshot={target}", "--hide-scrollbars", *options)
    assert target.exists(), done.stderr[-2000:]
    return target


def pixels(picture: Path) -> list[bytes]:
    """Return the rows of a PNG of eight bits a channel, three or four bytes a pixel (filters of RFC 2083)."""
    data = picture.read_bytes()
    width, _, depth, colour = struct.unpack_from(">IIBB", data, 16)
    assert (depth, colour) in ((8, 2), (8, 6))
    size, at, packed = (3 if colour == 2 else 4), 8, b""
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        packed += data[at + 8 : at + 8 + length] if data[at + 4 : at + 8] == b"IDAT" else b""
        at += length + 12
    raw = zlib.decompress(packed)
    rows: list[bytes] = []
    before = bytes(width * size)
    for place in range(0, len(raw), width * size + 1):
        before = _unfiltered(raw[place], bytearray(raw[place + 1 : place + 1 + width * size]), before, size)
        rows.append(before)
    return rows


def _unfiltered(kind: int, row: bytearray, above: bytes, size: int) -> bytes:
    for n in range(len(row)):
        left, up, corner = (row[n - size] if n >= size else 0), above[n], (above[n - size] if n >= size else 0)
        guess = left + up - corner
        paeth = min((left, up, corner), key=lambda value: abs(guess - value))
        row[n] = row[n] + (0, left, up, (left + up) // 2, paeth)[kind] & 0xFF
    return bytes(row)


def test_light_and_dark_are_what_they_are_called(page: Path, folder: Path, tmp_path: Path) -> None:
    scheme, long = "--blink-settings=preferredColorScheme=0", "--window-size=1000,4000"
    shot(page, folder / "desktop.png", tmp_path, long)
    shot(page, folder / "dark.png", tmp_path, long, scheme)
    light = pixels(shot(page, tmp_path / "light.png", tmp_path, "--window-size=500,300"))
    dark = pixels(shot(page, tmp_path / "dark.png", tmp_path, "--window-size=500,300", scheme))
    # The paper around the text, and something on it that is not paper.
    assert set(light[2]) == {255}
    assert max(dark[2]) < 64
    assert min(min(row) for row in light) < 64
    assert max(max(row) for row in dark) > 192


def test_a_phone_scrolls_down_and_not_sideways(page: Path, folder: Path, tmp_path: Path) -> None:
    """What is wider than a phone scrolls within its own frame: tables and pictures, and nothing else."""
    shot(page, folder / "phone.png", tmp_path, "--window-size=390,6000")
    script = (
        "<script>addEventListener('load',function(){var d=document.documentElement,o=[d.scrollWidth-d.clientWidth];"
        "document.querySelectorAll('caption').forEach(function(c){var b=c.getBoundingClientRect();o.push(b.right-d.clientWidth)});"
        "d.setAttribute('data-over',o.map(Math.round).join())})</script>"
    )
    copy = tmp_path / "copy.html"
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', script, page.read_text(encoding="utf-8"))
    copy.write_text(text, encoding="utf-8")
    # The bars of a phone lie over the page and take no room.
    done = browse(copy, tmp_path, "--window-size=390,800", "--hide-scrollbars", "--dump-dom")
    told = re.search(r'data-over="([-\d,]+)"', done.stdout)
    assert told is not None
    beyond = [int(number) for number in told[1].split(",")]
    assert len(beyond) > 5
    assert max(beyond) <= 0


def test_a_name_of_64_kb_pushes_nothing_out_of_sight(tmp_path: Path) -> None:
    """On a desk no table of a page full of attacks is wider than the page."""
    capture, policy = attacked_site(tmp_path)
    script = (
        "<script>addEventListener('load',function(){var o=[];document.querySelectorAll('.scroll').forEach(function(s){"
        "o.push(s.scrollWidth-s.clientWidth)});document.documentElement.setAttribute('data-over',o.join())})</script>"
    )
    text = render(audit([capture], policy_path=policy), "html").decode()
    assert LONG[:40] in text
    copy = tmp_path / "copy.html"
    copy.write_text(re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', script, text), encoding="utf-8")
    done = browse(copy, tmp_path, "--window-size=1280,900", "--hide-scrollbars", "--dump-dom")
    told = re.search(r'data-over="([-\d,]+)"', done.stdout)
    assert told is not None
    beyond = [int(number) for number in told[1].split(",")]
    assert len(beyond) > 5
    assert max(beyond) <= 1


@needs_poppler
def test_print_has_every_finding_and_no_piece_cut_off(page: Path, report: Report, folder: Path, tmp_path: Path) -> None:
    target = folder / "print.pdf"
    browse(page, tmp_path, f"--print-to-pdf={target}", "--no-pdf-header-footer")
    text = re.sub(r"\s+", "", _text(target))
    for finding in report.findings:
        assert re.sub(r"\s+", "", finding.message) in text
    # What is folded on the screen is open on paper.
    for term in report.terms:
        assert re.sub(r"\s+", "", term.text) in text
    assert _pages(target, folder / "print")


@needs_poppler
def test_every_page_of_the_pdf_has_something_on_it(report: Report, folder: Path) -> None:
    pytest.importorskip("typst")
    target = folder / "report.pdf"
    target.write_bytes(render(report, "pdf"))
    for made in _pages(target, folder / "pdf"):
        rows = _grey(made)
        # Small print is grey where a page is made this small: black alone would say nothing of the size of a text.
        marked = [number for number, row in enumerate(rows) if min(row) < 192]
        # Not only the foot of the page or the signatures, and nothing up to its very edges.
        assert len(marked) > len(rows) // 10, made.name
        assert len(rows) // 40 < marked[0] < marked[-1] < len(rows) - len(rows) // 40, made.name
        assert all(min(row[:10]) == min(row[-10:]) == 255 for row in rows), made.name


def _text(pdf: Path) -> str:
    return subprocess.run(["pdftotext", pdf, "-"], capture_output=True, text=True, check=True, timeout=60).stdout


def _pages(pdf: Path, stem: Path) -> list[Path]:
    """Make a picture of each page to look at, and return one in greys for the check."""
    for options in (["-r", "72", "-png"], ["-r", "36", "-gray"]):
        subprocess.run(["pdftoppm", *options, pdf, stem], check=True, timeout=100)
    return sorted(stem.parent.glob(f"{stem.name}-*.pgm"))


def _grey(picture: Path) -> list[bytes]:
    """Return the rows of a PGM, a byte a pixel."""
    kind, size, most, data = picture.read_bytes().split(b"\n", 3)
    width, height = map(int, size.split())
    assert (kind, most, len(data)) == (b"P5", b"255", width * height)
    return [data[at : at + width] for at in range(0, len(data), width)]
