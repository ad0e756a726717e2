"""Peak use against capacity: of each host's range how much was open and held at most, and the same over time.

Only geometry; the template draws. A bar is a share of the host's own limit, so that a range of 25 ports and one of
1,000 stand side by side; the curve beside it tells when.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from auditor.model import CapacityPoint, HostCapacity, Report
from auditor.records import record
from auditor.report.html.scale import Pixels, Tick, TimeScale, nanoseconds, px
from auditor.text import counted, number, period

WIDTH = 760
BAR_LEFT, BAR_RIGHT = 0, 330
LEFT, RIGHT = 400, 744
MOST_HOSTS = 12

_TOP, _ROW, _HEAD, _HEIGHT = 6, 58, 16, 30
_MOST_SHARE = 2.0
"""A bar that is longer than twice the range says no more than one that is twice as long."""


@record
class Use:
    """A host: ``open_x`` and ``held_x`` are where its bars end, ``limit_x`` where its range does (None without one)."""

    host: str
    words: str
    full: str
    title: str
    y: Pixels
    bar_y: Pixels
    open_x: Pixels
    held_x: Pixels
    limit_x: Pixels | None
    over: bool
    limit_y: Pixels
    open_path: str
    held_path: str


@record
class Peaks:
    """The whole picture, the fullest hosts first; hosts that are ``left_out`` stand in the table alone."""

    rows: tuple[Use, ...]
    ticks: tuple[Tick, ...]
    height: Pixels
    left_out: int
    description: str


def peaks(report: Report) -> Peaks | None:
    """Return peak use against capacity, None where no host had a data port in use."""
    used = [host for host in report.capacity if host.peak_held > 0]
    if not used:
        return None
    used.sort(key=lambda host: (host.full_at is None, -_share(host), -host.peak_held))
    shown = used[:MOST_HOSTS]
    scale = _scale(report, shown)
    most = min(max([1.0, *(_share(host) for host in shown)]), _MOST_SHARE)
    return Peaks(
        rows=tuple(_row(host, _TOP + position * _ROW, most, scale) for position, host in enumerate(shown)),
        ticks=scale.ticks()[:: 2 if len(scale.ticks()) > 4 else 1] if scale else (),
        height=px(_TOP + len(shown) * _ROW + 16),
        left_out=len(used) - len(shown),
        description=_description(used),
    )


def _scale(report: Report, shown: Sequence[HostCapacity]) -> TimeScale | None:
    """Return the time of all curves, up to the last packet: that ports are freed after it, nobody saw."""
    ends = [end for capture in report.captures if (end := nanoseconds(capture.last)) is not None]
    times = [time for host in shown for point in host.curve if (time := nanoseconds(point.at)) is not None]
    within = [time for time in times if not ends or time <= max(ends)]
    return TimeScale.over([*within, max(ends)] if within and ends else within, LEFT, RIGHT)


def _share(host: HostCapacity) -> float:
    return host.peak_held / host.limit if host.limit > 0 else 0.0


def _description(used: Sequence[HostCapacity]) -> str:
    """Return in words what the picture shows."""
    full = [host for host in used if host.full_at is not None]
    said = f"{counted(len(used), 'host')} with data ports in use"
    if full:
        return f"{said}, {number(len(full))} of them with no port free at some moment."
    limited = [host for host in used if host.limit > 0]
    if not limited:
        return f"{said}, without a declared or advised number of ports."
    fullest = max(limited, key=_share)
    return f"{said}; the fullest, {fullest.host}, held {number(fullest.peak_held)} of {counted(fullest.limit, 'port')}."


def _row(host: HostCapacity, top: float, most: float, scale: TimeScale | None) -> Use:
    unit = (BAR_RIGHT - BAR_LEFT) / most
    # Without a limit a bar would be a share of nothing: the picture of such a host is its curve.
    limit = max(host.limit, 0)
    of = unit / limit if limit else 0.0
    foot = top + _HEAD + _HEIGHT
    high = max(limit, host.peak_held, 1)

    def level(count: int) -> Pixels:
        return px(foot - min(max(count, 0), high) / high * _HEIGHT)

    words = f"{number(host.peak_open)} open, {number(host.peak_held)} held at most"
    what = "declared" if host.declared else "advised"
    words += f", of {number(limit)} {what}" if limit else "; no range declared"
    full = f"full from {period(host.full_at, host.full_at)}" if host.full_at is not None else ""
    return Use(
        host=host.host,
        words=words,
        full=full,
        title=f"{host.host}: {words}{f', {full}' if full else ''}",
        y=px(top + 10),
        bar_y=px(top + _HEAD + 6),
        open_x=px(min(host.peak_open * of, BAR_RIGHT)),
        held_x=px(min(host.peak_held * of, BAR_RIGHT)),
        limit_x=px(unit) if limit else None,
        over=host.full_at is not None,
        limit_y=level(limit),
        open_path=_outline(host.curve, lambda point: point.open, scale, level),
        held_path=_outline(host.curve, lambda point: point.open + point.waiting, scale, level),
    )


def _outline(
    curve: Sequence[CapacityPoint],
    count: Callable[[CapacityPoint], int],
    scale: TimeScale | None,
    level: Callable[[int], Pixels],
) -> str:
    """Return a step line through a curve, closed along its foot; moments that share a pixel show the fullest."""
    fullest: dict[Pixels, int] = {}
    for point in curve:
        time = nanoseconds(point.at)
        if time is not None and scale is not None and time <= scale.last:
            at = round(scale.at(time))
            fullest[at] = max(fullest.get(at, 0), count(point))
    if not fullest:
        return ""
    places = sorted(fullest.items())
    steps = "".join(f"H{at}V{level(value)}" for at, value in places)
    # The last moment of a curve lasts to the edge: nothing after it was fuller.
    return f"M{places[0][0]} {level(0)}{steps}H{RIGHT}V{level(0)}Z"
