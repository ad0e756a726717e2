"""Who talks to whom: a column for each zone, a row for each service between two of them. Never a tangle of lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from auditor.model import Report, ServiceSummary
from auditor.records import record
from auditor.report.html.scale import Pixels, px
from auditor.text import byte_count, counted, number

WIDTH = 760
LEFT, RIGHT = 204, 668
MOST_ROWS, MOST_ZONES = 24, 7

_LETTER = 6.2
"""Width of a letter of a zone's name, in pixels, in the widest of the fonts."""

_BOX_TOP, _BOX_HEIGHT, _ROW = 4, 34, 30
_WORST = ("deny", "unstated", "permit")
_WORDS = {"deny": "denied", "unstated": "unstated", "permit": "permitted"}
_SERVICE, _PORT = 36, 30
"""Letters of the name of a service and of its ports that fit beside the zones."""


@record
class ZoneBox:
    """A zone: its name in up to two lines, ``small`` where these would touch the edges of the box."""

    x: Pixels
    left: Pixels
    width: Pixels
    lines: tuple[str, ...]
    small: bool
    title: str


@record
class Edge:
    """A service between two zones; ``loop`` where both are the same. ``part`` says how many of its flows have the verdict
    where others have a milder one."""

    y: Pixels
    x1: Pixels
    x2: Pixels
    loop: bool
    verdict: str
    service: str
    port: str
    amount: str
    part: str
    title: str


@record
class Talk:
    """The whole picture; ``left_out`` services between zones stand in the table alone."""

    zones: tuple[ZoneBox, ...]
    edges: tuple[Edge, ...]
    height: Pixels
    left_out: int
    description: str


def talk(report: Report) -> Talk | None:
    """Return who talks to whom, None where nothing in scope was seen or the report does not name the zones."""
    merged = _merged(service for service in report.services if service.originator_zone and service.responder_zone)
    if not merged:
        return None
    weight: dict[str, int] = defaultdict(int)
    for rows in merged:
        for zone in (rows[0].originator_zone, rows[0].responder_zone):
            weight[zone] += sum(row.flows for row in rows)
    kept = set(sorted(weight, key=lambda zone: (-weight[zone], zone))[:MOST_ZONES])
    order = {zone: position for position, zone in enumerate(report.policy.zones)}
    names = sorted(kept, key=lambda zone: (order.get(zone, len(order)), zone))
    pitch = (RIGHT - LEFT) / len(names)
    places = {name: LEFT + (position + 0.5) * pitch for position, name in enumerate(names)}
    possible = [rows for rows in merged if {rows[0].originator_zone, rows[0].responder_zone} <= kept]
    shown = possible[:MOST_ROWS]
    return Talk(
        zones=tuple(_box(name, places[name], pitch) for name in names),
        edges=tuple(_edge(rows, places, position) for position, rows in enumerate(shown)),
        height=px(_BOX_TOP + _BOX_HEIGHT + 8 + len(shown) * _ROW + 6),
        left_out=len(merged) - len(shown),
        description=f"{counted(len(merged), 'service')} between zones, {_not_permitted(merged)}.",
    )


def _merged(services: Iterable[ServiceSummary]) -> list[list[ServiceSummary]]:
    """Return the rows of each pair of zones and service, what is not permitted first, then what carried most."""
    groups: dict[tuple[str, ...], list[ServiceSummary]] = defaultdict(list)
    for row in services:
        groups[row.originator_zone, row.responder_zone, row.service, row.transport].append(row)
    return sorted(groups.values(), key=lambda rows: (_WORST.index(_verdict(rows)), -sum(row.bytes for row in rows)))


def _verdict(rows: Iterable[ServiceSummary]) -> str:
    """Return the verdict that matters most among rows; a word that is none counts as unstated."""
    words = {row.verdict if row.verdict in _WORST else "unstated" for row in rows}
    return next(word for word in _WORST if word in words)


def _not_permitted(merged: list[list[ServiceSummary]]) -> str:
    count = sum(_verdict(rows) != "permit" for rows in merged)
    return f"{number(count)} of them not permitted by the policy" if count else "all permitted by the policy"


def _box(name: str, x: float, pitch: float) -> ZoneBox:
    width = min(pitch - 3, 96)
    lines = _lines(name, max(int(width / 5.7), 6))
    small = max(map(len, lines)) * _LETTER > width - 8
    return ZoneBox(px(x), px(x - width / 2), px(width), lines, small, name)


def _lines(name: str, most: int) -> tuple[str, ...]:
    """Return a name in one or two lines, cut where it is longer still."""
    if len(name) <= most:
        return (name,)
    cut = name.rfind("-", 1, most) + 1 or most
    rest = name[cut:]
    return name[:cut], rest if len(rest) <= most else f"{rest[: most - 1]}…"


def _edge(rows: list[ServiceSummary], places: dict[str, float], position: int) -> Edge:
    first = rows[0]
    flows, size = sum(row.flows for row in rows), sum(row.bytes for row in rows)
    ports = list(dict.fromkeys(row.port for row in rows))
    port = f"{first.transport} {', '.join(ports)}"
    if len(port) > _PORT:
        port = f"{first.transport} {ports[0]}{' …' if len(ports) > 1 else ''}"
    verdict = _verdict(rows)
    of = sum(row.flows for row in rows if _verdict([row]) == verdict)
    amount = f"{counted(flows, 'flow')}, {byte_count(size)}"
    return Edge(
        y=px(_BOX_TOP + _BOX_HEIGHT + 8 + (position + 0.5) * _ROW),
        x1=px(places[first.originator_zone]),
        x2=px(places[first.responder_zone]),
        loop=first.originator_zone == first.responder_zone,
        verdict=verdict,
        service=_short(first.service),
        port=port if len(port) <= _PORT else f"{port[: _PORT - 1]}…",
        amount=amount,
        part=f"{number(of)} of them {_WORDS[verdict]}" if of < flows else "",
        title=f"{first.service}, {port}, from {first.originator_zone} to {first.responder_zone}: {amount}, {verdict}",
    )


def _short(name: str) -> str:
    """Return the name of a service as it fits: without what stands in brackets, or cut."""
    if len(name) <= _SERVICE:
        return name
    bare = name.partition(" (")[0]
    return bare if 0 < len(bare) <= _SERVICE else f"{name[: _SERVICE - 1]}…"
