"""What befalls the source of a watch: lost packets, a clock that is set, suspend, an interface that goes, another VLAN."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from typing import Any

from auditor.text import counted, joined
from auditor.watch.live import INCIDENTS, LOSSES, Live

Told = tuple[str, str, dict[str, Any]]
"""Kind of news, its text, and facts."""

_NAMED = 5
"""VLANs that one piece of news names."""


class Incidents:
    """Compares what a source counts with what it counted before. ``lost``: packets in all that nobody has seen.

    ``slept`` returns how many seconds this machine has been suspended in all; it is asked where packets have the time of now.
    """

    def __init__(self, name: str, live: Live, *, interface: bool, slept: Callable[[], float] | None = None) -> None:
        self.lost = 0
        self._name, self._live = name, live
        self._counted: dict[str, int] = {}
        self._trouble = ""
        self._slept = (slept or suspended) if interface else (lambda: 0.0)
        self._slept_before = self._slept()
        self._vlans: set[int] = set()

    def news(self) -> Iterator[Told]:
        """Yield what is new since this was asked last."""
        counters = self._live.counters()
        grown = {name: int(counters.get(name, 0)) - self._counted.get(name, 0) for name in (*LOSSES, *INCIDENTS)}
        self._counted = {name: int(counters.get(name, 0)) for name in grown}
        lost = sum(grown[name] for name in LOSSES)
        if lost:
            self.lost += lost
            who = ", ".join(f"{grown[name]} {LOSSES[name]}" for name in LOSSES if grown[name])
            text = f"{counted(lost, 'packet')} lost since the last audit ({who}), {counted(self.lost, 'packet')} in all"
            text += ": what was not seen may have been there"
            yield "loss", text, {"lost": lost, "in_all": self.lost, **{name: grown[name] for name in LOSSES}}
        slept = self._slept() - self._slept_before
        if slept >= 1:
            self._slept_before += slept
            text = f"this machine was suspended for {slept:.0f} s: what passed meanwhile was not seen"
            yield "source", f"{self._name}: {text}", {"suspended_seconds": round(slept)}
        for name, words in INCIDENTS.items():
            # A clock that stands still in suspend looks like one that was set.
            if grown[name] and not (name == "clock_steps" and slept >= 1):
                yield "source", f"{self._name}: {words} ({counted(grown[name], 'time')})", {name: grown[name]}
        if self._live.error != self._trouble:
            self._trouble = self._live.error
            yield "source", f"{self._name}: {self._trouble or 'well again'}", {"error": self._trouble}

    def vlans(self, seen: Collection[int]) -> Iterator[Told]:
        """Yield the VLANs of which nothing was seen before; those that are there at the beginning are no news."""
        fresh = sorted(set(seen) - self._vlans)
        if fresh and self._vlans:
            names = [f"VLAN {vlan}" if vlan else "frames without a VLAN tag" for vlan in fresh[:_NAMED]]
            names += [f"{len(fresh) - _NAMED} other VLANs"] if len(fresh) > _NAMED else []
            text = f"{self._name}: seen here for the first time: {joined(names)}"
            yield "source", text, {"vlans": fresh[:100]}
        self._vlans.update(fresh)


def suspended() -> float:
    """Return the seconds that this machine has been suspended since it started, 0 where the system does not tell."""
    since_start = getattr(time, "CLOCK_BOOTTIME", None)
    if since_start is None:
        return 0.0
    return time.clock_gettime(since_start) - time.clock_gettime(time.CLOCK_MONOTONIC)
