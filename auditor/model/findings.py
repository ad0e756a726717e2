"""Findings and what proves them."""

from __future__ import annotations

import enum

from auditor.model.waivers import WaiverReference
from auditor.records import record


class Severity(enum.IntEnum):
    """How much a finding matters; ordered. INFO never makes a report non-conforming."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def word(self) -> str:
        """The word that reports and rule files use."""
        return self.name.lower()


@record
class FlowReference:
    """A flow as evidence names it: ``10.0.0.1:40000`` to ``10.0.0.2:10000``."""

    transport: str
    originator: str
    responder: str


@record
class Evidence:
    """Why a finding is believed: one flow and the numbers of its telling packets; ``capture`` has the first of these."""

    flow: FlowReference
    packets: tuple[int, ...]
    capture: str = ""
    note: str = ""


@record
class Finding:
    """One deviation, with its proof, its likely consequence for the backups and its remedy.

    ``key`` is stable between runs over the same traffic: code and subject, no packet numbers. ``flows`` is how many
    flows show it, of which ``evidence`` holds the first. ``undermines``: the capture cannot support a verdict.
    ``term`` is the line of the policy that decided its first flow, ``nearest`` the one that came nearest where none did.
    ``absence``: it rests on something that was not seen; ``inconclusive`` says why the capture may have lost that.
    ``waiver`` is set where ``waived`` is; ``baseline_state`` is ``new``, ``unchanged`` or ``updated`` where the report was
    held against a baseline.
    """

    code: str
    name: str
    severity: Severity
    message: str
    subject: dict[str, str]
    key: str
    consequence: str
    remedy: str
    evidence: tuple[Evidence, ...] = ()
    flows: int = 0
    waived: bool = False
    title: str = ""
    undermines: bool = False
    term: str = ""
    nearest: str = ""
    absence: bool = False
    inconclusive: str = ""
    waiver: WaiverReference | None = None
    baseline_state: str = ""
