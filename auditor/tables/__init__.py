"""The tables that rules ask about, made of flows, verdicts, sessions, policy and capture facts."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.flows import FlowTable
from auditor.listeners import Listing
from auditor.policy.match import Verdicts
from auditor.policy.model import Policy
from auditor.rule_table import RuleTable
from auditor.sessions import SessionSet
from auditor.tables.capacity_rows import capacity_table
from auditor.tables.captures import CaptureFacts, captures_table
from auditor.tables.data_ends import DataEnds, data_table
from auditor.tables.expected import expected_table
from auditor.tables.flow_rows import flows_table
from auditor.tables.hosts import hosts_table
from auditor.tables.hygiene import ranges_table, terms_table
from auditor.tables.listeners import listeners_table
from auditor.tables.policy_row import policy_table
from auditor.tables.session_rows import sessions_table
from auditor.tables.source import Source
from auditor.tables.waivers import WaiverFacts, waivers_table

__all__ = ["CaptureFacts", "Source", "WaiverFacts", "build_tables", "tables_of", "waivers_table"]


def build_tables(
    flows: FlowTable,
    sessions: SessionSet,
    verdicts: Verdicts,
    policy: Policy,
    captures: Sequence[CaptureFacts],
    *,
    listings: Sequence[Listing] = (),
    waivers: Sequence[WaiverFacts] = (),
) -> dict[str, RuleTable]:
    """Return every table of ``packs.columns.TABLES`` by name. Verdicts are row by row those of the flows."""
    return tables_of(Source(flows, sessions, verdicts, policy), captures, listings, waivers)


def tables_of(
    source: Source,
    captures: Sequence[CaptureFacts],
    listings: Sequence[Listing] = (),
    waivers: Sequence[WaiverFacts] = (),
) -> dict[str, RuleTable]:
    """Return every table of ``packs.columns.TABLES`` by name."""
    ends = DataEnds.of(source)
    quality = captures_table(source, captures)
    tables = (
        flows_table(source, ends),
        data_table(source, ends),
        sessions_table(source),
        quality,
        policy_table(source),
        hosts_table(source, ends),
        listeners_table(listings, source.policy),
        capacity_table(source),
        terms_table(source),
        ranges_table(source),
        expected_table(source, captures, quality["one_sided_percent"]),
        waivers_table(waivers),
    )
    return {table.name: table for table in tables}
