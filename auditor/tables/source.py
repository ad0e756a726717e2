"""What all tables are made of, and the few columns that more than one of them needs."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from auditor import _native
from auditor.capacity import Load, measure_capacity
from auditor.distinct import among
from auditor.flows import FlowTable
from auditor.policy.control_ports import declared_ndmp_ports
from auditor.policy.match import VERDICTS, Verdicts
from auditor.policy.model import Policy
from auditor.policy.outcome import OUTCOMES
from auditor.rule_table import AddressNames, Array, ColumnData, Mask, Rows
from auditor.sessions import DataLink, Grade, Session, SessionSet
from auditor.sessions.measure import Measured, measure_sessions
from auditor.text import counted

ESTABLISHED, UNANSWERED, REFUSED, UNCERTAIN = range(4)
NANOSECONDS = 1_000_000_000
_ALL = slice(None)
_EARLIEST, _LATEST = -(1 << 63), (1 << 63) - 1
"""Times, ns, before and after all others."""
_PAUSE = 10 * NANOSECONDS
"""A capture that begins so soon after the end of another goes on with it."""

_REFUSALS = {
    "rst": "refused with RST",
    "icmp-net-unreachable": "answered with ICMP network unreachable",
    "icmp-host-unreachable": "answered with ICMP host unreachable",
    "icmp-protocol-unreachable": "answered with ICMP protocol unreachable",
    "icmp-port-unreachable": "answered with ICMP port unreachable",
    "icmp-admin-prohibited": "answered with ICMP administratively prohibited",
}


class Source:
    """Flows with their sessions and verdicts, under a policy."""

    def __init__(self, flows: FlowTable, sessions: SessionSet, verdicts: Verdicts, policy: Policy) -> None:
        self.flows = flows
        self.sessions = sessions
        self.verdicts = verdicts
        self.policy = policy

    @cached_property
    def addresses(self) -> AddressNames:
        """The addresses of the flow table as names."""
        return AddressNames(self.flows.addresses, self.flows.address_text)

    @cached_property
    def zones(self) -> tuple[str, ...]:
        """Names that zone codes stand for."""
        return tuple(self.verdicts.zones)

    @cached_property
    def roles(self) -> tuple[str, ...]:
        """Names that role codes stand for."""
        return tuple(self.verdicts.roles)

    @cached_property
    def ndmp_ports(self) -> Array:
        """NDMP port declared for each address code, 0 where the address is in no zone; dtype uint16."""
        return declared_ndmp_ports(self.flows, self.policy)

    @cached_property
    def ties(self) -> tuple[tuple[Session, DataLink], ...]:
        """Data connections with their sessions.

        A tie by hosts, time and shape alone counts only where the control connection is permitted: else one unreadable
        connection to the control port would turn all other traffic of an intruder into data connections. What is
        undecided stands with the first control connection that could have opened it: the hosts are theirs all the same.
        """
        permitted = self.verdicts.verdict == VERDICTS.index("permit")
        told = [
            (session, link)
            for session in self.sessions.sessions
            for link in session.data
            if not link.blind or permitted[session.control]
        ]
        by_control = {session.control: session for session in self.sessions.sessions}
        for one in self.sessions.undecided:
            owners = [control for control in one.controls if permitted[control]]
            if owners:
                note = f"data of one of {counted(len(owners), 'control connection')}, tied to none: {one.reason}"
                told.append((by_control[owners[0]], DataLink(one.flow, Grade.POSSIBLE, (note,))))
        return tuple(told)

    @cached_property
    def measured(self) -> tuple[tuple[Measured, ...], ...]:
        """The operations of each session, in the order of the sessions."""
        return measure_sessions(self.flows, self.sessions.sessions)

    @cached_property
    def capacity(self) -> tuple[Load, ...]:
        """Operations and data ports of each host over time."""
        return measure_capacity(
            self.flows, self.sessions.sessions, self.measured, self.ties, self.verdicts, self.policy
        )

    @cached_property
    def capture_ends(self) -> Array:
        """Time up to which the capture of each file goes on, ns: its last packet, or that of a file that continues it."""
        files = max(len(self.flows.files), int(self.flows["last_file"].max(initial=0)) + 1)
        if files == 1:
            return np.array([self.flows["last_time"].max(initial=_EARLIEST)])
        ends: Array = np.full(files, _EARLIEST)
        np.maximum.at(ends, self.flows["last_file"].astype(np.intp), self.flows["last_time"])
        if len(self.flows.stretches) == files:
            stretches = np.array(self.flows.stretches)
            np.maximum.at(ends, stretches, ends.copy())
            joined: Array = ends[stretches]
            return joined
        starts = np.full(files, _LATEST)
        np.minimum.at(starts, self.flows["first_file"].astype(np.intp), self.flows["first_time"])
        # Files are in order of their first packets; those of a ring buffer follow each other without a pause.
        for file in range(files - 2, -1, -1):
            if ends[file] > _EARLIEST and starts[file + 1] <= ends[file] + _PAUSE:
                ends[file] = max(ends[file], ends[file + 1])
        return ends

    @cached_property
    def blocked(self) -> Mask:
        """Flows that got no answer or were refused."""
        mask: Mask = among(self.verdicts.outcome, (UNANSWERED, REFUSED))
        return mask

    def how(self, rows: Rows | slice = _ALL) -> ColumnData:
        """Return what became of flows, in words."""
        refusals = [_REFUSALS.get(name, f"refused ({name})") for name in _native.REFUSALS[1:]]
        names = ("answered", "not answered", "refused", "seen only in part", *refusals)
        outcome, refusal = self.verdicts.outcome[rows], self.flows["refusal"][rows]
        refused = (outcome == REFUSED) & (refusal != 0)
        return ColumnData(np.where(refused, refusal + np.uint8(len(OUTCOMES) - 1), outcome), names)
