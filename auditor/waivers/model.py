"""What a waiver says, once it has been read and found sound. Frozen, and free of NumPy."""

from __future__ import annotations

import datetime as dt

from auditor.documents.yaml_tree import Place
from auditor.policy.model import Network
from auditor.ports import PortSet
from auditor.records import record

WARN_DAYS = 30
"""Days before its end from which on a waiver is reported, where its file does not say otherwise."""


@record
class Waiver:
    """One accepted deviation.

    ``hosts`` are as written, for people; ``networks`` and ``zones`` what they mean. ``anywhere`` is ``hosts: any``.
    ``ports`` None and no ``terms`` restrict nothing. ``expires`` is the last day on which it holds.
    """

    code: str
    name: str
    hosts: tuple[str, ...]
    networks: tuple[Network, ...]
    zones: tuple[str, ...]
    anywhere: bool
    ports: PortSet | None
    terms: tuple[str, ...]
    owner: str
    reason: str
    expires: dt.date
    since: dt.date | None
    ticket: str
    place: Place
    warn_days: int = WARN_DAYS

    @property
    def covers(self) -> str:
        """What it covers, as one line: ``10.0.0.5, ports 40011``."""
        parts = [", ".join(self.hosts)]
        if self.ports is not None:
            parts.append(f"{'port' if self.ports.size == 1 else 'ports'} {self.ports}")
        if self.terms:
            parts.append(f"{'term' if len(self.terms) == 1 else 'terms'} {', '.join(self.terms)}")
        return ", ".join(parts)

    def state(self, on: dt.date | None) -> str:
        """Return whether it holds on a day: ``in-force``, ``expired``, ``pending``; ``undated`` where there is no day."""
        if on is None:
            return "undated"
        if on > self.expires:
            return "expired"
        return "pending" if self.since is not None and on < self.since else "in-force"
