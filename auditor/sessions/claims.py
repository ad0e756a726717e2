"""Takes back what an unpermitted control connection claims by host pair and time alone.

Else one unreadable connection of an intruder to the control port would turn all its other traffic into data connections,
which are found by other rules than undocumented traffic is.
"""

from __future__ import annotations

import numpy as np

from auditor.arrays import NDArray
from auditor.records import replace
from auditor.sessions.model import Session, Undecided


def without_claims(sessions: tuple[Session, ...], permitted: NDArray[np.bool_]) -> tuple[Session, ...]:
    """Return the sessions without the blind ties of control connections that are not ``permitted``, a mask of flows.

    A session that keeps all that it has is the very same object.
    """
    return tuple(
        session
        if permitted[session.control] or not any(link.blind for link in session.data)
        else replace(session, data=tuple(link for link in session.data if not link.blind))
        for session in sessions
    )


def still_undecided(undecided: tuple[Undecided, ...], permitted: NDArray[np.bool_]) -> tuple[Undecided, ...]:
    """Return what a ``permitted`` control connection, of a mask of flows, could have opened, with those alone."""
    kept = ((one, tuple(row for row in one.controls if permitted[row])) for one in undecided)
    return tuple(replace(one, controls=controls) for one, controls in kept if controls)
