"""Logins of a draft: where a server let someone in without a password, the policy says so, with a question."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.drafting.zones import NOWHERE
from auditor.flows import FlowTable
from auditor.policy.model import LOGIN_TYPES, Host, Policy, normalised
from auditor.records import record, replace
from auditor.sessions import Session

OPEN = "none"
"""The type of login that asks for neither a name nor a secret. Others are notes at most, and need no policy."""


@record
class OpenDoor:
    """A server that accepted a login of type none: who came in first, and in which packet."""

    caller: str
    packet: int


def accept_logins(policy: Policy, table: FlowTable, sessions: Iterable[Session]) -> tuple[Policy, dict[str, OpenDoor]]:
    """Return the policy with the types of login that such servers accepted, and these servers by address.

    All types seen to be accepted there are listed: a list that lacks one would turn its logins into findings.
    """
    kinds: dict[str, set[str]] = {}
    doors: dict[str, OpenDoor] = {}
    for session in sessions:
        server = str(normalised(table.address(int(table["resp_addr"][session.control]))))
        for login in session.authentications:
            if not login.accepted or login.type not in LOGIN_TYPES:
                continue
            kinds.setdefault(server, set()).add(login.type)
            if login.type == OPEN:
                caller = table.address_text(int(table["orig_addr"][session.control]))
                doors.setdefault(server, OpenDoor(caller, login.packet))
    hosts = dict(policy.hosts)
    for server in doors:
        known = hosts.get(server) or Host(server, "", None, None, NOWHERE)
        hosts[server] = replace(known, logins=tuple(kind for kind in LOGIN_TYPES if kind in kinds[server]))
    return replace(policy, hosts=hosts), doors
