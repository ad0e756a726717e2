"""What findings of one rule lead to and what to do about them, said once where it differs only in whom it names."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.model import Finding


def advice(texts: Iterable[tuple[Finding, str]], *, every: bool = False) -> tuple[str, ...]:
    """Return the different texts of findings; those that differ only in their subject once, for the first of them.

    ``every`` keeps all that differ in any way.
    """
    said: dict[str, list[str]] = {}
    for finding, text in texts:
        said.setdefault(text if every else _without_subject(text, finding), []).append(text)
    return tuple(
        f"{first} The others likewise." if set(others) - {first} else first for first, *others in said.values() if first
    )


def _without_subject(text: str, finding: Finding) -> str:
    """Return a text with the names and numbers of its subject taken out."""
    for value in sorted(finding.subject.values(), key=len, reverse=True):
        text = text.replace(value, "\0") if value else text
    return text
