"""Table ``capacity``: what each host had in use at once, against its range; ``auditor.capacity`` measures it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from auditor.capacity import Load
from auditor.packs.words import ROLES
from auditor.rule_table import NO_FLOW, ColumnData, RuleTable, Witness, words_column
from auditor.tables.source import Source
from auditor.tables.witness import flow_witness

_NUMBERS: dict[str, Callable[[Load], int]] = {
    "limit": lambda load: load.facts.limit,
    "operations": lambda load: load.facts.operations,
    "peak_operations": lambda load: load.facts.peak_operations,
    "peak_open": lambda load: load.facts.peak_open,
    "peak_held": lambda load: load.facts.peak_held,
    "waiting": lambda load: load.facts.waiting_at_peak,
    "time_wait": lambda load: load.facts.time_wait_seconds,
    "ports_per_operation": lambda load: load.facts.ports_per_operation,
    "enough": lambda load: load.facts.enough,
    "missing": lambda load: max(0, load.facts.enough - load.facts.limit) if load.facts.declared else 0,
    "blocked": lambda load: load.facts.blocked,
    "delayed": lambda load: load.facts.delayed,
    "strained": lambda load: load.facts.strained,
}


def capacity_table(source: Source) -> RuleTable:
    """Return the table ``capacity``. A host's flow is the data connection that began when most ports were held."""
    loads = source.capacity
    columns = {
        "host": ColumnData(np.array([load.code for load in loads], np.int64), source.addresses),
        "zone": words_column([load.facts.zone for load in loads]),
        "role": ColumnData(np.array([ROLES.index(load.facts.role) for load in loads], np.int64), ROLES),
        "declared": ColumnData(np.array([bool(load.facts.declared) for load in loads], np.bool_)),
        "declared_range": words_column([load.facts.declared or "none" for load in loads]),
        "arithmetic": words_column([load.facts.arithmetic for load in loads]),
        "full": ColumnData(np.array([load.facts.full_at is not None for load in loads], np.bool_)),
        "full_at": words_column([load.facts.full_at or "never" for load in loads]),
    }
    columns |= {name: ColumnData(np.array([of(load) for load in loads], np.int64)) for name, of in _NUMBERS.items()}

    def witnesses(row: int) -> tuple[Witness, ...]:
        load = loads[row]
        if load.peak_flow < 0:
            return ()
        return (flow_witness(source.flows, load.peak_flow, f"{load.facts.peak_held} ports held at once"),)

    flows = np.array([load.peak_flow if load.peak_flow >= 0 else NO_FLOW for load in loads], np.int64)
    return RuleTable("capacity", columns, flows, witnesses)
