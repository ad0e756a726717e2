"""What a watch may be told about telling."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Times in seconds, of the clock of what is watched.

    ``interval`` between two audits, at least; each waits four times as long as the one before took, so that audits never
    take more than a fifth of a core. ``hold``: a finding has to stand so long before it is told, since between two packets
    of one handshake much looks wrong. ``settle``: the same for what rests on an answer that was not seen. ``observe``: for
    what rests on nothing having been seen at all. ``repeat_every``: a finding that goes on is told again so often at most.
    ``close_after``: a finding that nothing has shown anew for so long is closed. ``most``: pieces of news at one time; the
    rest waits for the next.
    """

    interval: float = 1.0
    hold: float = 2.0
    settle: float = 60.0
    observe: float = 86_400.0
    repeat_every: float = 300.0
    close_after: float = 3600.0
    most: int = 500
