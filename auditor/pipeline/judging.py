"""From a reading to sessions and verdicts."""

from __future__ import annotations

import numpy as np

from auditor import _native
from auditor.flows import FlowTable
from auditor.handshakes import Handshakes
from auditor.ndmp import NdmpMessages
from auditor.policy.control_ports import declared_ndmp_ports
from auditor.policy.infer import infer_policy
from auditor.policy.match import VERDICTS, Verdicts, judge
from auditor.policy.model import Policy
from auditor.records import record, replace
from auditor.services import Catalogue
from auditor.sessions import SessionSet, find_sessions


@record
class Tied:
    """Captures as read, with what they are held against, and their sessions."""

    reading: _native.Reading
    table: FlowTable
    messages: NdmpMessages
    policy: Policy
    catalogue: Catalogue
    sessions: SessionSet


def tie(reading: _native.Reading, policy: Policy | None, catalogue: Catalogue) -> Tied:
    """Tie the sessions of a reading together, under a policy or, where there is none, under one that it suggests itself."""
    table, messages = FlowTable.from_reading(reading), NdmpMessages.from_reading(reading)
    policy = policy or infer_policy(table, messages, catalogue)
    sessions = find_sessions(
        table,
        messages,
        control_ports=declared_ndmp_ports(table, policy),
        service_ports=np.array(catalogue.known_ports(), np.uint16),
        handshakes=Handshakes(reading),
    )
    return Tied(reading, table, messages, policy, catalogue, sessions)


def judged(tied: Tied) -> tuple[Tied, Verdicts]:
    """Judge the flows, each the way round that the sessions know.

    What connections that no term lets in claim by hosts and time alone is taken back, and all is judged without it.
    """
    table = tied.table.reoriented(tied.sessions.reversed)
    sessions, policy, catalogue = tied.sessions, tied.policy, tied.catalogue
    verdicts = judge(table, policy, catalogue, control=sessions.control, data=sessions.data)
    sound = sessions.without_claims(verdicts.verdict == VERDICTS.index("permit"))
    if sound is not sessions:
        verdicts = judge(table, policy, catalogue, control=sound.control, data=sound.data)
    return replace(tied, table=table, sessions=sound), verdicts
