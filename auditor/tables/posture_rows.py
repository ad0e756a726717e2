"""Columns of table ``sessions`` that tell the security of a control connection's two ends."""

from __future__ import annotations

import re

import numpy as np

from auditor.packs.words import ROLES
from auditor.rule_table import ColumnData, words_column
from auditor.sessions import Grade, Posture, Session
from auditor.tables.source import Source

NONE = "none"
_ROLES = (NONE, *ROLES)
_REVISION = r"(\d{1,4})\.(\d{1,2})(?:\D.*)?"
AUTH_SHA = 5
_DAY = 86_400
_ASKS = "CONFIG_"
"""How the names of requests begin that only ask what the server is."""


def posture_columns(source: Source, sessions: tuple[Session, ...]) -> dict[str, ColumnData]:
    """Return the columns; each row is a session."""
    postures = [session.posture for session in sessions]
    third = [_third_host(source, session) for session in sessions]

    def flags(values: list[bool]) -> ColumnData:
        return ColumnData(np.array(values, np.bool_))

    return {
        "answered_early": words_column([", ".join(posture.early) or NONE for posture in postures]),
        "acted_early": flags([any(not name.startswith(_ASKS) for name in posture.early) for posture in postures]),
        "offers_sha": flags([AUTH_SHA in posture.offered for posture in postures]),
        "revision": words_column([posture.revision or NONE for posture in postures]),
        "revision_number": ColumnData(np.array([revision_number(p.revision) for p in postures], np.int64)),
        "offers_known": flags([bool(posture.offered) for posture in postures]),
        "root_without_challenge": flags([posture.root_without_challenge for posture in postures]),
        "known_digest": flags([posture.known_digest for posture in postures]),
        "trust_exchange": flags([posture.trust_exchange for posture in postures]),
        "authority": words_column([p.authority.subject or "without a name" if p.authority else NONE for p in postures]),
        "authority_days": ColumnData(np.array([_validity_days(posture) for posture in postures], np.int64)),
        "clear_commands": words_column([", ".join(posture.commands) or NONE for posture in postures]),
        "tls_starts": ColumnData(np.array([posture.tls_starts for posture in postures], np.int64)),
        "tls_version": words_column([posture.tls_version or NONE for posture in postures]),
        "certificate_invalid": flags([posture.certificate_invalid for posture in postures]),
        "third_host": words_column([address for address, _ in third]),
        "third_host_role": ColumnData(np.array([_ROLES.index(role) for _, role in third], np.uint8), _ROLES),
    }


def revision_number(revision: str) -> int:
    """Return ``9.3`` as 903, 0 for anything that is no revision."""
    match = re.fullmatch(_REVISION, revision, re.ASCII)
    return 0 if match is None else int(match[1]) * 100 + int(match[2])


def _validity_days(posture: Posture) -> int:
    """Return how long the delivered certificate says it is valid, in days begun; 0 where there is none."""
    shown = posture.authority
    return 0 if shown is None else max(0, -(-(shown.not_after - shown.not_before) // _DAY))


def _third_host(source: Source, session: Session) -> tuple[str, str]:
    """Return the first host that is told as the far end of a data connection and is no end of the control connection.

    Where a data connection of the two ends agrees in its port, the told address is their own, translated.
    """
    flows, row = source.flows, session.control
    ends = {int(flows["orig_addr"][row]), int(flows["resp_addr"][row])}
    if any(link.grade is Grade.PROBABLE and _ends(source, link.flow) == ends for link in session.data):
        return NONE, NONE
    for codes in session.posture.connect_to:
        if ends & set(codes):
            continue
        address = flows.address(codes[0])
        if address.is_unspecified or address.is_loopback:
            continue
        zone = source.policy.zone_of(address)
        return flows.address_text(codes[0]), "undeclared" if zone is None else zone.role
    return NONE, NONE


def _ends(source: Source, flow: int) -> set[int]:
    return {int(source.flows["orig_addr"][flow]), int(source.flows["resp_addr"][flow])}
