"""How pages are made: templates in which everything is escaped, and values made visible."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from auditor.report.html.scale import px
from auditor.report.packet_places import numbered_text
from auditor.report.seen_lines import name_lines, tls_lines
from auditor.text import byte_count, duration, escape, number, period

_RUN = 40
"""Letters of a word after which it may be broken."""

_BREAK = Markup("<wbr>")
_WHOLE = Markup('<span class="nb">{}</span>')
_RANGE = re.compile(r"\b\d[\d:]*(?:[-–]\d[\d:]*)+\b")

TEMPLATES = Path(__file__).parent / "templates"
"""Macros, symbols and the style sheet that all pages share."""


def make_environment(*folders: Path) -> jinja2.Environment:
    """Return templates with their rules: everything is escaped, and a name that does not exist is an error.

    ``folders`` are looked into before those of the report's page.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([*folders, TEMPLATES], encoding="utf-8"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    environment.filters.update(
        number=number,
        size=byte_count,
        duration=lambda times: _safely(duration, *times),
        period=lambda times: period(*times),
        sentence=_after_colon,
        whole=_whole,
        broken=_broken,
        tls_lines=tls_lines,
        numbered=numbered_text,
        name_lines=name_lines,
    )
    return environment


def _visible(value: Any) -> Any:
    """Return text with what would be obeyed or hidden made visible, and places on the page without needless digits.

    Markup that templates made stays as it is.
    """
    if isinstance(value, float):
        return px(value)
    return escape(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _after_colon(summary: str) -> str:
    """Return a summary without its verdict, which stands above it as the heading."""
    rest = summary.partition(": ")[2] or summary
    return f"{rest[:1].upper()}{rest[1:]}"


def _whole(text: str) -> Markup:
    """Return text in which no line breaks within a day, a time or a range of ports."""
    shown = escape(text)
    pieces: list[str] = []
    at = 0
    for found in _RANGE.finditer(shown):
        pieces += [shown[at : found.start()], _WHOLE.format(found[0])]
        at = found.end()
    # What is no markup is escaped by joining.
    return Markup("").join([*pieces, shown[at:]])


def _broken(text: str) -> Markup:
    """Return text whose long words may be broken: one of them would push the other columns of a table out of sight."""
    shown = escape(text)
    words = [[word[at : at + _RUN] for at in range(0, len(word), _RUN)] or [""] for word in shown.split(" ")]
    return Markup(" ").join(_BREAK.join(pieces) for pieces in words)


def _safely(told: Any, *times: str | None) -> str:
    try:
        return str(told(*times))
    except ValueError:
        # A saved report is a file: its times need not be those that auditor wrote.
        return ""
