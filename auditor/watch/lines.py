"""News as lines: plain text for people and logs, JSON Lines for machines (``schemas/watch-1.schema.json``)."""

from __future__ import annotations

import re

from auditor.report.json_ import json_bytes
from auditor.text import escape, plain_text
from auditor.watch.news import KINDS, SCHEMA, News

_LONGEST = 1000
"""Characters of a line; what a capture supplies must not fill a disk by itself."""
_TEXT_NUMBER = re.compile(rb"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z #(\d+) ")
_JSON_NUMBER = re.compile(rb'^\{"schema": "auditor\.watch/1", "number": (\d+), ')


def line_of(news: News, *, plain: bool = False) -> bytes:
    """Return news as one line of UTF-8: time, ``#`` and number, what happened, severity, the sentence; all of it escaped."""
    words = [f"{news.time[:23]}Z #{news.number}", f"{KINDS.get(news.kind, news.kind)}:"]
    words += [f"[{news.severity}]"] if news.severity else []
    words.append(escape(news.text, limit=_LONGEST))
    words += ["(told again after an interruption)"] if news.again else []
    text = " ".join(words)
    return f"{plain_text(text) if plain else text}\n".encode("utf-8", "backslashreplace")


def json_line_of(news: News) -> bytes:
    """Return news as one line of JSON, schema and number first."""
    return json_bytes(
        {
            "schema": SCHEMA,
            "number": news.number,
            "time": news.time,
            "kind": news.kind,
            "key": news.key,
            "severity": news.severity,
            "again": news.again,
            "text": news.text,
            "facts": news.facts,
        }
    )


def number_of(line: bytes) -> int | None:
    """Return the number that a line was written with; None for a line that is none of ours."""
    found = _TEXT_NUMBER.match(line) or _JSON_NUMBER.match(line)
    return int(found[1]) if found else None
