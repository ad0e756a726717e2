"""A flow as a witness for a row of a table."""

from __future__ import annotations

from auditor import _native
from auditor.flows import FlowTable
from auditor.rule_table import Witness


def flow_witness(flows: FlowTable, flow: int, note: str = "", telling: tuple[int, ...] = ()) -> Witness:
    """Return a flow as witness, with its first packet, its refusal, its last packet and those that tell most."""
    tunnel = int(flows["tunnel"][flow])
    if tunnel:
        note = f"{note}; inside {_native.TUNNELS[tunnel]}" if note else f"inside {_native.TUNNELS[tunnel]}"
    first, last = int(flows["first_packet"][flow]), int(flows["last_packet"][flow])
    packets = {first, last, int(flows["refusal_packet"][flow]) or last, *telling}
    return Witness(flow, tuple(sorted(packets)), note)
