"""What a report says for and against controls of common catalogues."""

from __future__ import annotations

import enum

from auditor.records import record


class Assessment(enum.StrEnum):
    """What traffic can say of a control."""

    FOR = "evidence for"
    AGAINST = "evidence against"
    NOT_ASSESSABLE = "not assessable from traffic"


@record
class ControlAssessment:
    """One control of a catalogue. ``because`` says why the assessment is so; ``findings`` are the keys that speak against.

    Evidence is no proof of conformity: a capture shows one place for one time.
    """

    framework: str
    id: str
    title: str
    assessment: Assessment
    because: str
    findings: tuple[str, ...] = ()
