"""Findings read back from formats for people: what a reader of the page and of the paper sees, not what was put in."""

from __future__ import annotations

import hashlib
import io
import re
from collections import Counter
from html.parser import HTMLParser
from typing import Any

import pytest

_KEY_POINTS = 6.9
"""Size of the keys on paper, and of nothing else in that font: 7.5 points, times 0.92 for type without serifs."""


def anchor_of(key: str) -> str:
    """Return where the finding with this key stands on the page, as docs/reports.md says: eight digits of its SHA-256."""
    return f"f-{hashlib.sha256(key.encode()).hexdigest()[:8]}"


class _Page(HTMLParser):
    """Collects the code of each group of findings, and the anchors of the findings below it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[tuple[str, ...]] = Counter()
        self._code, self._within_heading, self._reading = "", False, False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        of = dict(attributes)
        if tag == "h3":
            self._within_heading = True
        self._reading = self._within_heading and of.get("class") == "code"
        if tag == "li" and (of.get("id") or "").startswith("f-"):
            self.found[self._code, str(of["id"])] += 1

    def handle_endtag(self, tag: str) -> None:
        self._reading = False
        if tag == "h3":
            self._within_heading = False

    def handle_data(self, data: str) -> None:
        if self._reading:
            self._code = data


def page_findings(page: bytes) -> Counter[tuple[str, ...]]:
    """Return code and anchor of each finding of a page."""
    reader = _Page()
    reader.feed(page.decode())
    return reader.found


def paper_findings(pdf: bytes) -> Counter[tuple[str, ...]]:
    """Return code and key of each finding of a PDF, without the spaces of the key: a line may have ended at any of them."""
    pypdf = pytest.importorskip("pypdf")
    pieces: list[str] = []

    def visit(text: str, _: Any, __: Any, font: Any, size: float) -> None:
        if font and "DejaVu" in str(font["/BaseFont"]) and abs(size - _KEY_POINTS) < 0.05:
            pieces.append(text)

    for page in pypdf.PdfReader(io.BytesIO(pdf)).pages:
        page.extract_text(visitor_text=visit)
    text = re.sub(r"\s+", "", "".join(pieces).replace("\u200b", ""))
    keys = re.split(r"(?=BX\d{3}[a-z]+=)", text)
    return Counter((key[:5], key) for key in keys if key)


def squeezed(findings: Counter[tuple[str, ...]]) -> Counter[tuple[str, ...]]:
    """Return codes and keys without the spaces of the keys."""
    return Counter({(code, key.replace(" ", "")): count for (code, key), count in findings.items()})
