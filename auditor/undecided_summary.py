"""What the evidence leaves open, made ready for the report: ties of data connections, and verdicts on flows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from auditor import _native
from auditor.flows import FlowTable, time_text
from auditor.model import UndecidedSummary
from auditor.policy.match import VERDICTS, Verdicts
from auditor.sessions import Undecided
from auditor.text import counted, path_text

MOST_NAMED = 8
"""Control connections named of those that could have opened a data connection; the others are counted."""


def summarise_undecided(table: FlowTable, undecided: Sequence[Undecided]) -> tuple[UndecidedSummary, ...]:
    """Return what is undecided, in the order of first packets."""
    ordered = sorted(undecided, key=lambda one: (int(table["first_time"][one.flow]), one.flow))
    return tuple(_summary(table, one) for one in ordered)


def undecided_limit(undecided: Sequence[Undecided]) -> tuple[str, ...]:
    """Return the sentence that says what a report cannot; none where all is decided."""
    if not undecided:
        return ()
    told = f"{counted(len(undecided), 'data connection')} could not be tied to a control connection: the evidence fits"
    return (f"{told} more than one, or is too little.",)


def undetermined_limit(verdicts: Verdicts) -> tuple[str, ...]:
    """Return a sentence for each reason why flows are neither permitted nor denied; none where all are decided."""
    doubts = verdicts.doubt[verdicts.verdict == VERDICTS.index("undetermined")]
    counts = np.bincount(doubts, minlength=len(verdicts.doubts)).tolist()
    return tuple(
        f"{counted(count, 'flow')} could not be judged, each because {doubt}."
        for doubt, count in zip(verdicts.doubts, counts, strict=True)
        if count
    )


def _summary(table: FlowTable, one: Undecided) -> UndecidedSummary:
    row = one.flow
    carried = table.carried(row)
    return UndecidedSummary(
        originator=table.endpoint(row, "orig"),
        responder=table.endpoint(row, "resp"),
        first_packet=int(table["first_packet"][row]),
        last_packet=int(table["last_packet"][row]),
        reason=one.reason,
        candidates=len(one.controls),
        controls=tuple(table.reference(control) for control in one.controls[:MOST_NAMED]),
        capture=path_text(table.file_text(int(table["first_file"][row]))),
        originator_bytes=carried[0],
        responder_bytes=carried[1],
        state=_native.STATES[int(table["state"][row])],
        first=time_text(int(table["first_time"][row])),
        last=time_text(int(table["last_time"][row])),
    )
