"""Evidence for findings: few flows, each with the packets that tell."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.flows import FlowTable
from auditor.model import Evidence
from auditor.rule_table import Rows, RuleTable, Witness

MOST_EVIDENCE = 5
"""Pieces of evidence for one finding; ``Finding.flows`` says how many flows are behind it."""


def collect_evidence(table: RuleTable, order: Iterable[Rows], flows: FlowTable) -> tuple[Evidence, ...]:
    """Return evidence for rows of a table, those first that come first in ``order``; each witness once."""
    chosen: dict[Witness, Evidence] = {}
    for rows in order:
        for row in rows[:MOST_EVIDENCE]:
            for witness in table.witnesses(int(row)):
                if len(chosen) < MOST_EVIDENCE:
                    chosen.setdefault(witness, _evidence(witness, flows))
    return tuple(chosen.values())


def _evidence(witness: Witness, flows: FlowTable) -> Evidence:
    file = flows.file_of(witness.flow, witness.packets)
    return Evidence(flows.reference(witness.flow), witness.packets, flows.file_text(file), witness.note)
