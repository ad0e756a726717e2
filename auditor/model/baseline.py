"""How a report differs from an earlier one that it was told to compare itself with."""

from __future__ import annotations

from auditor.model.findings import Severity
from auditor.records import record


@record
class GoneFinding:
    """A finding of the baseline that is no longer found."""

    key: str
    code: str
    severity: Severity
    message: str
    waived: bool = False


@record
class BaselineSummary:
    """The baseline and what became of its findings. ``updated`` counts those that became graver or lost their waiver;
    ``caveats`` says where the two reports are not of the same kind. ``sha256`` is that of the baseline's file."""

    path: str
    sha256: str
    new: int
    unchanged: int
    updated: int
    gone: tuple[GoneFinding, ...]
    caveats: tuple[str, ...] = ()
