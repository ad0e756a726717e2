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


def flow_witness(flows: FlowTable, flow: int, note: str = "") -> Witness:
    """Return a flow as witness, with its first packet, its refusal and its last packet."""
    first, last = int(flows["first_packet"][flow]), int(flows["last_packet"][flow])
    file = int(flows["first_file"][flow])
    packets = {first}
    # Packet numbers count in one file; where a flow crosses files only its first file is named.
    if int(flows["last_file"][flow]) == file:
        packets |= {last, int(flows["refusal_packet"][flow]) or last}
    return Witness(flow, tuple(sorted(packets)), file, note)


def _evidence(witness: Witness, flows: FlowTable) -> Evidence:
    return Evidence(flows.reference(witness.flow), witness.packets, flows.file_text(witness.file), witness.note)
