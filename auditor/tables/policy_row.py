"""Table ``policy``: one row about the whole audit, for findings that are about no flow at all."""

from __future__ import annotations

import numpy as np

from auditor.blocks import look_up
from auditor.packs.words import VERDICTS
from auditor.rule_table import NO_FLOW, ColumnData, RuleTable, no_witnesses, words_column
from auditor.tables.source import Source


def policy_table(source: Source) -> RuleTable:
    """Return the table ``policy``."""
    verdicts = source.verdicts
    platform = np.array([service is not None and service.platform for service in verdicts.services], np.bool_)
    in_scope = (verdicts.verdict != VERDICTS.index("out-of-scope")) & ~look_up(platform, verdicts.service)
    columns = {
        "inferred": ColumnData(np.array([source.policy.inferred])),
        "generation": words_column([source.policy.generation]),
        "flows": ColumnData(np.array([len(source.flows)])),
        "ranges": ColumnData(np.array([_ranges(source)])),
        "in_scope": ColumnData(np.array([np.count_nonzero(in_scope)])),
    }
    return RuleTable("policy", columns, np.full(1, NO_FLOW), no_witnesses)


def _ranges(source: Source) -> int:
    """Return how many zones and hosts declare a dynamic range."""
    policy = source.policy
    zones = sum(zone.dynamic_ports is not None for zone in policy.zones)
    return zones + sum(host.dynamic_ports is not None for host in policy.hosts.values())
