"""Journals of tests, closed when the test ends: from 3.13 on Python complains of one that is forgotten open."""

from __future__ import annotations

from auditor.watch.journal import Journal

_OPENED: list[Journal] = []


def opened(path: str) -> Journal:
    """Return an open journal."""
    journal = Journal(path)
    _OPENED.append(journal)
    return journal


def close_all() -> None:
    """Close the journals that were opened; one that is closed stays so."""
    while _OPENED:
        _OPENED.pop().close(clean=False)
