"""Columns of table ``flows`` that hold NDMP ports: the declared one of each responder, and what was tried beside it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np

from auditor import _native
from auditor.blocks import look_up, occurring
from auditor.distinct import among, distinct
from auditor.flows import TCP
from auditor.rule_table import Array, ColumnData, Mask
from auditor.tables.source import ESTABLISHED, Source


def ndmp_port_columns(source: Source) -> dict[str, Callable[[], ColumnData]]:
    """Return what makes each of the columns."""
    ports = _NdmpPorts(source)
    return {
        "on_ndmp_port": lambda: ColumnData(ports.to_declared),
        "ndmp_port": lambda: ColumnData(ports.declared),
        "ndmp_elsewhere": lambda: ColumnData(ports.elsewhere()),
        "ndmp_port_of_others": lambda: ColumnData(ports.of_others()),
        "called_on_own_port": lambda: ColumnData(ports.on_own()),
        "ndmp_hosts_tried": lambda: ColumnData(ports.hosts_tried()),
        "ndmp_port_dead": lambda: ColumnData(ports.dead()),
    }


class _NdmpPorts:
    """Makes the columns; what several of them need is made once."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._flows = source.flows
        self._hosts = len(source.flows.addresses)

    @cached_property
    def declared(self) -> Array:
        """The port that is declared for the responder, 0 for none."""
        return look_up(self._source.ndmp_ports, self._flows["resp_addr"])

    @cached_property
    def to_declared(self) -> Mask:
        """TCP flows to the port that is declared for their responder."""
        found: Mask = (self._flows["resp_port"] == self.declared) & self._beside
        return found

    @cached_property
    def _beside(self) -> Mask:
        """TCP flows to hosts for which a port is declared."""
        beside: Mask = (self.declared != 0) & (self._flows["transport"] == TCP)
        return beside

    @cached_property
    def _greets(self) -> Mask:
        greets: Mask = (self._flows["app"] == _native.APPS.index("ndmp")) & self._source.sessions.control
        return greets

    def elsewhere(self) -> Mask:
        """Return the flows whose responder speaks NDMP on another port than the declared one."""
        return self._to_hosts(np.flatnonzero(self._greets & ~self.to_declared & (self.declared != 0)))

    def dead(self) -> Mask:
        """Return the flows to whose responder connections on the declared port failed, and none was established."""
        rows = np.flatnonzero(self.to_declared)
        refused = occurring(self._flows["resp_addr"][rows[self._source.blocked[rows]]], self._hosts)
        established = self._source.verdicts.outcome[rows] == ESTABLISHED
        refused &= ~occurring(self._flows["resp_addr"][rows[established]], self._hosts)
        return look_up(refused, self._flows["resp_addr"])

    def of_others(self) -> Mask:
        """Return the flows to a port that is the NDMP port of other hosts, and not their responder's."""
        of_hosts = self._source.ndmp_ports[occurring(self._flows["resp_addr"], self._hosts)]
        ports = distinct(np.concatenate([of_hosts[of_hosts != 0], self._flows["resp_port"][self._greets]]))
        found: Mask = self._beside & ~self.to_declared & among(self._flows["resp_port"], ports)
        return found

    def on_own(self) -> Mask:
        """Return the flows to the port that is declared for their originator, and not for their responder."""
        own = look_up(self._source.ndmp_ports, self._flows["orig_addr"])
        found: Mask = self._beside & ~self.to_declared & (own != 0) & (self._flows["resp_port"] == own)
        return found

    def hosts_tried(self) -> Array:
        """Return for each flow how many hosts its originator tried on their NDMP port and did not log in to."""
        flows, tried = self._flows, np.zeros(len(self._flows), np.uint32)
        rows = np.flatnonzero(self.to_declared)
        logged_in = [session.control for session in self._source.sessions.sessions if session.authentications]
        fruitless = rows[~among(rows, logged_in)]
        # Both ends in one number: pairs would be compared byte by byte.
        pairs = distinct(flows["orig_addr"][fruitless].astype(np.int64) << 32 | flows["resp_addr"][fruitless])
        tried[rows] = np.bincount(pairs >> 32, minlength=self._hosts)[flows["orig_addr"][rows]]
        return tried

    def _to_hosts(self, rows: Array) -> Mask:
        """Return the flows to the responders of some."""
        return look_up(occurring(self._flows["resp_addr"][rows], self._hosts), self._flows["resp_addr"])
