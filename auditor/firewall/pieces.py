"""Rules of rules, and how they are put together: the fewest rules that this finds and that say the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import permutations
from typing import Any

from auditor.firewall.model import Rule
from auditor.ports import PortSet
from auditor.records import replace

MOST_TRIED, MOST_COMPARED = 150, 1500
"""Beyond so many pieces one order of joining is tried instead of several, and they are no longer held against each other one by
one: the rules stay right, and may be more."""


def put_together(pieces: Iterable[Rule]) -> list[Rule]:
    """Return as few pieces as this finds for the same flows, in the order of their first ones.

    Rules that another covers go; those that differ in one thing alone (ports, transport, one end) become one. In which
    order things are joined matters, so that several orders are tried; the smallest possible number is not promised.
    """
    given = list(pieces)
    *first, last = _PARTS
    orders = [(*order, last) for order in permutations(first)] if len(given) <= MOST_TRIED else [tuple(_PARTS)]
    return min((_joined(given, order) for order in orders), key=len)


def _joined(pieces: list[Rule], order: Sequence[str]) -> list[Rule]:
    before = len(pieces) + 1
    while len(pieces) < before:
        before = len(pieces)
        for part in order:
            pieces = _joined_by(pieces, part)
        if len(pieces) <= MOST_COMPARED:
            pieces = _uncovered(pieces)
    return pieces


def _joined_by(pieces: list[Rule], part: str) -> list[Rule]:
    """Join pieces that differ in ``part`` alone."""
    found: dict[Any, Rule] = {}
    for piece in pieces:
        key = (piece.kind, *(getattr(piece, name) for name in _PARTS if name != part))
        first = found.get(key)
        found[key] = piece if first is None else _with(first, piece, **{part: _PARTS[part](first, piece)})
    return list(found.values())


_PARTS: dict[str, Callable[[Rule, Rule], Any]] = {
    "ports": lambda one, other: PortSet.of(one.ports.ranges + other.ports.ranges),
    "destination": lambda one, other: one.destination | other.destination,
    "source": lambda one, other: one.source | other.source,
    "transports": lambda one, other: tuple(sorted({*one.transports, *other.transports})),
}


def _uncovered(pieces: list[Rule]) -> list[Rule]:
    """Return the pieces that no other covers; what covers another has its reasons as well."""
    kept: list[Rule] = []
    for piece in pieces:
        place = next((n for n, one in enumerate(kept) if one.kind == piece.kind and one.covers(piece)), None)
        if place is not None:
            kept[place] = _with(kept[place], piece)
            continue
        for one in [one for one in kept if one.kind == piece.kind and piece.covers(one)]:
            kept.remove(one)
            piece = _with(piece, one)  # noqa: PLW2901 - it grows by what it covers
        kept.append(piece)
    return kept


def _with(piece: Rule, other: Rule, **parts: Any) -> Rule:
    """Return a piece that has the words and reasons of another, too."""
    return replace(
        piece,
        source_words=tuple(dict.fromkeys(piece.source_words + other.source_words)),
        destination_words=tuple(dict.fromkeys(piece.destination_words + other.destination_words)),
        reasons=tuple(dict.fromkeys(piece.reasons + other.reasons)),
        answers=piece.answers or other.answers,
        **parts,
    )
