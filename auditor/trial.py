"""Tries flows of the notation on a policy, without a capture."""

from __future__ import annotations

import numpy as np

from auditor.ndmp import NdmpMessages
from auditor.notation import parse
from auditor.policy.control_ports import declared_ndmp_ports
from auditor.policy.explain import Explained, explain
from auditor.policy.model import Policy
from auditor.services import load_catalogue
from auditor.sessions import find_sessions


def try_flows(text: str, policy: Policy) -> list[Explained]:
    """Return what decides each flow of ``text``, one on a line. Raises UsageError where it is not in the notation.

    Control connections are those that an audit would take for such, and those marked ``control``; data connections those
    marked ``data=``.
    """
    scene = parse(text)
    catalogue = load_catalogue(policy.generation)
    sessions = find_sessions(
        scene.table,
        NdmpMessages.empty(),
        control_ports=declared_ndmp_ports(scene.table, policy),
        service_ports=np.array(catalogue.known_ports(), np.uint16),
    )
    data = np.array([bool(mark.data) for mark in scene.marks], np.bool_)
    control = (sessions.control | np.array([mark.control for mark in scene.marks], np.bool_)) & ~data
    return list(explain(scene.table, policy, catalogue, control=control, data=data))
