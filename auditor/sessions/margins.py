"""How far the chosen assignment of connections is from the next best one that lacks a given pair.

Each control connection has one data connection at a time, and each data connection one owner: a rival counts only as far
as it could give up what it has itself. Taking a pair away sets off a chain: its control connection takes another's data
connection, that one a third's, until somebody takes the one that was given away, or one that was free, or none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from auditor.arrays import NDArray
from auditor.sessions.evidence import Pair

MOST_LINKED = 256
"""Chosen pairs whose chains are followed together; of more, each is compared with its direct rivals alone."""

_NEVER = 1_000_000
Costs = NDArray[np.int64]


def assignment_margins(pairs: Sequence[Pair], chosen: Sequence[Pair]) -> dict[Pair, int]:
    """Return for each chosen pair how much the sum of all scores falls if it is not chosen; 0 or less if not at all."""
    margins: dict[Pair, int] = {}
    for some, theirs in _groups(pairs, chosen):
        if len(theirs) > MOST_LINKED:
            margins |= _direct(some, theirs)
            continue
        costs = _costs(some, theirs)
        chains = _shortest(costs)
        for place, pair in enumerate(theirs):
            around = costs[place] + chains[:, place]
            around[place] = _NEVER
            margins[pair] = int(around.min())
    return margins


def _groups(pairs: Sequence[Pair], chosen: Sequence[Pair]) -> list[tuple[list[Pair], list[Pair]]]:
    """Return pairs and chosen ones apart by what is linked through common control connections and connections."""
    parent: dict[tuple[str, int], tuple[str, int]] = {}

    def root(node: tuple[str, int]) -> tuple[str, int]:
        while (above := parent.setdefault(node, node)) != node:
            parent[node] = parent[above]
            node = above
        return node

    for pair in pairs:
        parent[root(("control", pair.control))] = root(("flow", pair.flow))
    groups: dict[tuple[str, int], tuple[list[Pair], list[Pair]]] = {}
    for position, some in enumerate((pairs, chosen)):
        for pair in some:
            groups.setdefault(root(("flow", pair.flow)), ([], []))[position].append(pair)
    return [group for group in groups.values() if group[1]]


def _costs(pairs: Iterable[Pair], chosen: Sequence[Pair]) -> Costs:
    """Return what it costs that the control connection of one chosen pair takes the connection of another.

    The last row and column stand for nobody and nothing: a free control connection, and a free data connection.
    """
    nobody = len(chosen)
    costs = np.full((nobody + 1, nobody + 1), _NEVER, np.int64)
    costs[:nobody, nobody] = [pair.score for pair in chosen]
    costs[nobody, :] = 0
    holder = {(pair.flow, pair.side): place for place, pair in enumerate(chosen)}
    own: dict[int, list[int]] = {}
    for place, pair in enumerate(chosen):
        own.setdefault(pair.control, []).append(place)
    for pair in pairs:
        at = holder.get((pair.flow, pair.side), nobody)
        given_up = [place for place in own.get(pair.control, ()) if chosen[place].overlaps(pair)]
        if at != nobody and chosen[at].control == pair.control:
            continue
        price = sum(chosen[place].score for place in given_up) - pair.score
        for place in given_up or [nobody]:
            costs[place, at] = min(costs[place, at], price)
    return costs


def _shortest(costs: Costs) -> Costs:
    """Return the cheapest chain between any two (Floyd and Warshall); bounded where going round in circles pays."""
    chains = costs.copy()
    np.fill_diagonal(chains, 0)
    for middle in range(len(chains)):
        through = chains[:, middle : middle + 1] + chains[middle : middle + 1, :]
        # Not by ``np.clip``, which takes longer than the rest: it looks up each time what the numbers can be.
        chains = np.maximum(np.minimum(np.minimum(chains, through), _NEVER), -_NEVER)
    return chains


def _direct(pairs: Iterable[Pair], chosen: Iterable[Pair]) -> dict[Pair, int]:
    """Return the distances to the best other owner, and to the best other connection at the same time."""
    owners: dict[tuple[int, int], list[Pair]] = {}
    others: dict[int, list[Pair]] = {}
    for pair in pairs:
        owners.setdefault((pair.flow, pair.side), []).append(pair)
        others.setdefault(pair.control, []).append(pair)
    margins = {}
    for pair in chosen:
        rivals = [other.score for other in owners[pair.flow, pair.side] if other.control != pair.control]
        same = others[pair.control]
        rivals += [other.score for other in same if other.flow != pair.flow and pair.overlaps(other)]
        margins[pair] = pair.score - max([0, *rivals])
    return margins
