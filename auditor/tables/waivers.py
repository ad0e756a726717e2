"""Table ``waivers``: every waiver and what it did, for findings about waivers that have ended or cover nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from auditor.packs.words import WAIVER_STATES
from auditor.rule_table import NO_FLOW, ColumnData, RuleTable, no_witnesses, words_column


class WaiverFacts(Protocol):
    """What rules ask of a waiver; ``auditor.waivers`` and the lines ``waiver …`` of the notation have it."""

    @property
    def code(self) -> str:
        """Code of the rule that it waives."""

    @property
    def covers(self) -> str:
        """What it covers, as one line."""

    @property
    def owner(self) -> str:
        """Who answers for it."""

    @property
    def expires(self) -> str:
        """Its last day."""

    @property
    def place(self) -> str:
        """File and line."""

    @property
    def state(self) -> str:
        """One of ``WAIVER_STATES``."""

    @property
    def findings(self) -> int:
        """Findings that it covers, or would if it were in force."""

    @property
    def days(self) -> int:
        """Days to its last day, or since."""

    @property
    def soon(self) -> bool:
        """Whether it ends within its days of warning."""


def waivers_table(waivers: Sequence[WaiverFacts]) -> RuleTable:
    """Return the table ``waivers``, one row for each waiver."""
    states = [WAIVER_STATES.index(waiver.state) for waiver in waivers]
    columns = {
        "code": words_column([waiver.code for waiver in waivers]),
        "covers": words_column([waiver.covers for waiver in waivers]),
        "owner": words_column([waiver.owner for waiver in waivers]),
        "expires": words_column([waiver.expires for waiver in waivers]),
        "place": words_column([waiver.place for waiver in waivers]),
        "standing": ColumnData(np.array(states, np.int64), WAIVER_STATES),
        "findings": ColumnData(np.array([waiver.findings for waiver in waivers], np.int64)),
        "days": ColumnData(np.array([waiver.days for waiver in waivers], np.int64)),
        "soon": ColumnData(np.array([waiver.soon for waiver in waivers], np.bool_)),
    }
    return RuleTable("waivers", columns, np.full(len(waivers), NO_FLOW), no_witnesses)
