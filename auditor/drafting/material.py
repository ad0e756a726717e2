"""Captures as a draft needs them: read once, and held against one policy after another."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from auditor import _native
from auditor.errors import CaptureError, UsageError
from auditor.flows import FlowTable
from auditor.ndmp import NdmpMessages
from auditor.pipeline import Progress
from auditor.pipeline.reading import read
from auditor.policy.control_ports import declared_ndmp_ports
from auditor.policy.infer import infer_policy
from auditor.policy.match import VERDICTS, Verdicts, judge
from auditor.policy.model import Policy
from auditor.records import record
from auditor.rule_table import RuleTable
from auditor.services import Catalogue, load_catalogue
from auditor.sessions import SessionSet, find_sessions
from auditor.tables import build_tables
from auditor.tables.source import Source


@dataclass(frozen=True)
class Held:
    """Captures held against a policy: flows, their sessions and verdicts, and the table ``flows`` that rules ask."""

    table: FlowTable
    sessions: SessionSet
    verdicts: Verdicts
    policy: Policy

    @cached_property
    def source(self) -> Source:
        """What tables are made of."""
        return Source(self.table, self.sessions, self.verdicts, self.policy)

    @cached_property
    def flows(self) -> RuleTable:
        """The table ``flows`` as rules see it, row by row that of the flow table."""
        return build_tables(self.table, self.sessions, self.verdicts, self.policy, ())["flows"]

    def packet(self, row: int) -> str:
        """Return where a flow begins: its first packet, with its place in its file where there are several."""
        return self.table.packet_text(row)


@record
class Material:
    """Captures as read: ``table`` and ``messages`` are facts, held against policies by ``held``."""

    files: tuple[_native.FileFacts, ...]
    table: FlowTable
    messages: NdmpMessages
    catalogue: Catalogue

    @classmethod
    def read(cls, paths: Iterable[str | os.PathLike[str]], *, progress: Progress | None = None) -> Self:
        """Read captures. Raises UsageError where there is none, CaptureError where none can be read."""
        names = list(dict.fromkeys(os.fspath(path) for path in paths))
        if not names:
            raise UsageError("there is no capture to draft from", fix="name at least one capture file")
        catalogue = load_catalogue()
        reading = read(names, catalogue, None, progress=progress)
        if all(facts.status == "unreadable" for facts in reading.files):
            reasons = "; ".join(f"{facts.path}: {facts.error or 'cannot be read'}" for facts in reading.files)
            raise CaptureError(reasons, fix="name pcap or pcapng files that you may read")
        return cls(tuple(reading.files), FlowTable.from_reading(reading), NdmpMessages.from_reading(reading), catalogue)

    @property
    def damaged(self) -> tuple[tuple[str, str], ...]:
        """Captures that were not read to their end, each with the reason."""
        return tuple((f.path, f.error or "not read to its end") for f in self.files if f.status != "read")

    def inferred(self) -> Policy:
        """Return the roles that the traffic shows, with the reason for each."""
        return infer_policy(self.table, self.messages, self.catalogue)

    def held(self, policy: Policy) -> Held:
        """Judge the captures under a policy, as an audit does."""
        sessions = find_sessions(
            self.table,
            self.messages,
            control_ports=declared_ndmp_ports(self.table, policy),
            service_ports=np.array(self.catalogue.known_ports(), np.uint16),
        )
        table = self.table.reoriented(sessions.reversed)
        verdicts = judge(table, policy, self.catalogue, control=sessions.control, data=sessions.data)
        sound = sessions.without_claims(verdicts.verdict == VERDICTS.index("permit"))
        if sound is not sessions:
            verdicts = judge(table, policy, self.catalogue, control=sound.control, data=sound.data)
        return Held(table, sound, verdicts, policy)
