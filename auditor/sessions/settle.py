"""Decides which announcement means which connection: each means one, and each connection was announced once in a role.

A transfer has a listener's announcement (LISTEN replies) and one to whoever connects (CONNECT requests, version 2
starts). Ports are used again within seconds, and a SYN may be recorded before the announcement of it, so that the next
connection to a port is not always the one that was meant: what is nearest in time goes together.
"""

from __future__ import annotations

from collections.abc import Iterable

from auditor.records import record

_AS_NEAR = 3
"""A rival is as near up to this factor."""
_RESOLUTION = 1_000_000
"""What is nearer than this (ns) is near: within it the scheduler says which packet comes first."""


Place = tuple[int, int]
"""An announcement: row of its control connection, and its number there."""


@record
class Pair:
    """An announcement and a connection (row) that it can mean, ``distance`` ns apart.

    ``natural`` where the end that the announcement leaves to its NDMP server has the server's address.
    """

    place: Place
    connects: bool
    flow: int
    distance: int
    natural: bool


@record
class Choice:
    """The connection (row) that an announcement means; ``alone`` where no announcement left without one is as near."""

    flow: int
    alone: bool


Settled = dict[Place, Choice]


def settle(pairs: Iterable[Pair]) -> Settled:
    """Give each announcement its connection: natural pairs first, then the nearest; those without one are missing."""
    ordered = sorted(pairs, key=lambda pair: (not pair.natural, pair.distance, pair.place, pair.flow))
    chosen: dict[Place, Pair] = {}
    taken: dict[tuple[int, bool], Pair] = {}
    for pair in ordered:
        if pair.place not in chosen and (pair.flow, pair.connects) not in taken:
            chosen[pair.place] = taken[pair.flow, pair.connects] = pair
    disputed = {
        (pair.flow, pair.connects)
        for pair in ordered
        if pair.place not in chosen and _as_near(pair, taken[pair.flow, pair.connects])
    }
    return {place: Choice(pair.flow, (pair.flow, pair.connects) not in disputed) for place, pair in chosen.items()}


def _as_near(loser: Pair, winner: Pair) -> bool:
    """Whether the loser could as well have been meant."""
    return loser.natural == winner.natural and loser.distance <= max(_AS_NEAR * winner.distance, _RESOLUTION)
