"""What the TLS handshakes of a control connection add to what it shows of its ends' security."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.handshakes import Handshakes, is_valid, version_text
from auditor.records import replace
from auditor.sessions.model import Session

TLS_1_2 = 0x0303


def with_handshakes(sessions: Sequence[Session], handshakes: Handshakes) -> list[Session]:
    """Return the sessions, with the handshakes of their control connections in their posture."""
    return [_with(session, handshakes) for session in sessions]


def _with(session: Session, handshakes: Handshakes) -> Session:
    shown = handshakes.of(session.control)
    if not shown:
        return session
    versions = [one["version"] for one in shown if one["version"]]
    invalid = [
        one for one in shown if one["server_certificate"] and not is_valid(one["server_certificate"], one["time"])
    ]
    old = [one for one in shown if 0 < one["version"] < TLS_1_2]
    # The handshakes that something is to be said of; the others are no witnesses.
    telling = [one["packet"] for one in (shown[1:] or invalid or old)]
    posture = replace(
        session.posture,
        tls_version=version_text(min(versions)) if versions else "",
        certificate_invalid=bool(invalid),
        tls_starts=max(session.posture.tls_starts, len(shown)),
        packets=tuple(sorted({*session.posture.packets, *telling})),
    )
    return replace(session, posture=posture)
