"""The tables that rules ask about, made of flows, verdicts, sessions, policy and capture facts."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.flows import FlowTable
from auditor.policy.match import Verdicts
from auditor.policy.model import Policy
from auditor.rule_table import RuleTable
from auditor.sessions import SessionSet
from auditor.tables.captures import CaptureFacts, captures_table
from auditor.tables.data_ends import DataEnds, data_table
from auditor.tables.flow_rows import flows_table
from auditor.tables.hosts import hosts_table
from auditor.tables.policy_row import policy_table
from auditor.tables.session_rows import sessions_table
from auditor.tables.source import Source
from auditor.tables.waivers import WaiverFacts, waivers_table

__all__ = ["CaptureFacts", "Source", "WaiverFacts", "build_tables", "waivers_table"]


def build_tables(
    flows: FlowTable,
    sessions: SessionSet,
    verdicts: Verdicts,
    policy: Policy,
    captures: Sequence[CaptureFacts],
    waivers: Sequence[WaiverFacts] = (),
) -> dict[str, RuleTable]:
    """Return every table of ``packs.columns.TABLES`` by name. Verdicts are row by row those of the flows."""
    source = Source(flows, sessions, verdicts, policy)
    ends = DataEnds.of(source)
    tables = (
        flows_table(source, ends),
        data_table(source, ends),
        sessions_table(source),
        captures_table(source, captures),
        policy_table(source),
        hosts_table(source, ends),
        waivers_table(waivers),
    )
    return {table.name: table for table in tables}
