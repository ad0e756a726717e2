"""Table ``hosts``: hosts with data connections, and how many data ports each had in use at once."""

from __future__ import annotations

import numpy as np

from auditor.distinct import distinct, firsts, grouped
from auditor.rule_table import Array, ColumnData, Rows, RuleTable, Witness, words_column
from auditor.tables.data_ends import DataEnds
from auditor.tables.source import Source
from auditor.tables.witness import flow_witness


def hosts_table(source: Source, ends: DataEnds) -> RuleTable:
    """Return the table ``hosts``. A host's flow is the data connection that made its peak. Blocked attempts hold no port."""
    kept = _came_about(source, ends)
    address, _ = (values[kept] for values in ends.of_side(source, "addr"))
    port, _ = (values[kept] for values in ends.of_side(source, "port"))
    flow, listens = ends.flow[kept], ends.listens[kept]
    first, host = grouped(address)
    codes = address[first]
    peak, at_peak = _peaks(source.flows["first_time"][flow], source.flows["last_time"][flow], host, len(codes))
    used = distinct(host.astype(np.int64) << 16 | port) >> 16
    ranges = [source.policy.dynamic_ports_of(source.flows.address(int(code))) for code in codes]
    zone, role = (
        np.where(
            listens, getattr(source.verdicts, f"resp_{what}")[flow], getattr(source.verdicts, f"orig_{what}")[flow]
        )[first]
        for what in ("zone", "role")
    )
    flows_at_peak: Rows = flow[at_peak]
    columns = {
        "host": ColumnData(codes, source.addresses),
        "zone": ColumnData(zone, source.zones),
        "role": ColumnData(role, source.roles),
        "declared": ColumnData(np.array([ports is not None for ports in ranges], np.bool_)),
        "declared_range": words_column([str(ports) if ports else "none" for ports in ranges]),
        "declared_size": ColumnData(np.array([ports.size if ports else 0 for ports in ranges], np.int64)),
        "data_connections": ColumnData(np.bincount(host, minlength=len(codes))),
        "peak": ColumnData(peak),
        "ports_used": ColumnData(np.bincount(used, minlength=len(codes))),
    }

    def witnesses(row: int) -> tuple[Witness, ...]:
        note = f"the connection that made {int(peak[row])} at once"
        return (flow_witness(source.flows, int(flows_at_peak[row]), note),)

    return RuleTable("hosts", columns, flows_at_peak, witnesses)


def _came_about(source: Source, ends: DataEnds) -> Rows:
    """Return the ends of connections that were not blocked, each flow and side once."""
    rows = np.flatnonzero(~source.blocked[ends.flow])
    kept: Rows = rows[firsts(ends.flow[rows] * 2 + ends.listens[rows])]
    return kept


def _peaks(start: Array, end: Array, group: Array, groups: int) -> tuple[Array, Rows]:
    """Return for each group how many of its intervals overlap at most, and the interval whose start makes that number.

    Times in ns; an interval that ends at the instant another starts still holds its port, so that both count.
    """
    number = len(start)
    order = np.lexsort((np.repeat([0, 1], number), np.concatenate([start, end]), np.concatenate([group, group])))
    change = np.where(order < number, 1, -1)
    # Every group's changes sum to zero, so that one running sum over all groups starts each of them at zero.
    height = np.cumsum(change)
    owner = np.concatenate([group, group])[order]
    peak, at_peak = np.zeros(groups, np.int64), np.zeros(groups, np.intp)
    if number:
        bounds = np.searchsorted(owner, np.arange(groups))
        peak = np.maximum.reduceat(height, bounds)
        reached = np.flatnonzero((height == peak[owner]) & (change == 1))
        earliest = reached[firsts(owner[reached])]
        at_peak[owner[earliest]] = order[earliest]
    return peak, at_peak
