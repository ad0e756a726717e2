"""What findings stand for, part by part: whoever accepts a finding about many hosts accepts each of them or none."""

from __future__ import annotations

from collections.abc import Mapping

from auditor.records import field, record

MOST_PARTS = 10_000
"""Parts of one finding that are told apart; what stands for more is accepted only as a whole."""


@record
class Part:
    """One subject of a finding as it would be named alone, and the line of the policy that decided; empty where none did."""

    subject: Mapping[str, str]
    term: str = ""


@record
class PartList:
    """The parts of findings with one of ``codes``, by their keys; None where there are more than ``MOST_PARTS``."""

    codes: frozenset[str]
    parts: dict[str, tuple[Part, ...] | None] = field(default_factory=dict)
