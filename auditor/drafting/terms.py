"""Terms of a draft: what zones and ranges leave unsaid of the traffic that was seen, each with a question.

What got through without a term becomes a ``permit``; what the policy would permit but nothing answered becomes a ``deny``.
A person decides which of them stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from auditor.drafting.material import Held, Material
from auditor.drafting.zones import NOWHERE
from auditor.flows import TCP, UDP
from auditor.policy.match import UNSTATED
from auditor.policy.model import Policy, Term, normalised
from auditor.ports import PortSet
from auditor.records import record, replace
from auditor.rule_table import Mask, Rows
from auditor.text import counted, joined

MOST_TERMS = 200
"""Terms of a draft; what would need more is told in a comment."""

_MOST_ENDS = 1000
"""Addresses that all terms of a draft name; a scan would name every host that it reached."""

_ROUNDS = 6
"""A term may let a control connection in whose data connections then need one as well."""

_MOST_PORTS = 50
_MOST_PAIRS = 1000
"""Pairs of hosts that are looked at in one round; a scan has millions."""
_TRANSPORTS = {TCP: "tcp", UDP: "udp"}


@record
class DraftTerm:
    """A drafted term, what was seen (``because``) and what to decide (``question``)."""

    term: Term
    because: str
    question: str


@record
class Settled:
    """A policy with ``terms`` for all that its zones leave open; ``left_out`` at least were too many.

    ``held`` are the captures as they were last held against it.
    """

    policy: Policy
    terms: tuple[DraftTerm, ...]
    left_out: int
    held: Held


def settle(material: Material, policy: Policy) -> Settled:
    """Find the terms that a policy lacks for the traffic seen."""
    drafted: tuple[DraftTerm, ...] = ()
    left_out = 0
    held = material.held(policy)
    for _ in range(_ROUNDS):
        found = _merged((*_terms(held, _let_in(held), "permit"), *_terms(held, _kept_out(held), "deny")))
        room = _room(drafted, found)
        fresh, left_out = found[:room], len(found) - room
        if not fresh:
            break
        drafted += tuple(
            replace(one, term=replace(one.term, name=_name(one, number)))
            for number, one in enumerate(fresh, len(drafted) + 1)
        )
        policy = replace(policy, site_terms=tuple(one.term for one in drafted))
        if left_out:
            break
        held = material.held(policy)
    return Settled(policy, drafted, left_out, held)


def _room(drafted: Iterable[DraftTerm], found: Sequence[DraftTerm]) -> int:
    """Return how many of the terms found can be added."""
    terms, ends = 0, 0
    for one in drafted:
        terms, ends = terms + 1, ends + len(one.term.destination)
    for number, one in enumerate(found):
        terms, ends = terms + 1, ends + len(one.term.destination)
        if terms > MOST_TERMS or ends > _MOST_ENDS:
            return number
    return len(found)


def _let_in(held: Held) -> Mask:
    """Return the flows in scope that came about although no term states them; common host services stay unstated."""
    flows, verdicts = held.flows, held.verdicts
    outcome = flows["outcome"]
    in_part = np.isin(outcome.values, outcome.codes(["established", "uncertain"]))
    tied = flows["control"].values | flows["data"].values
    platform = np.isin(flows["family"].values, flows["family"].codes(["platform"]))
    came = flows["passed"].values | (tied & in_part)
    mask: Mask = (verdicts.verdict == UNSTATED) & came & ~platform
    return mask


def _kept_out(held: Held) -> Mask:
    """Return the flows that got no answer though the policy has them pass, and that nothing like them ever did."""
    flows, source = held.flows, held.source
    verdict = flows["verdict"]
    permitted = np.isin(verdict.values, verdict.codes(["permit"]))
    wrong_port = flows["ndmp_port_of_others"].values & (verdict.values == UNSTATED)
    wanted = permitted | wrong_port | (flows["data"].values & (verdict.values == UNSTATED))
    mask: Mask = source.blocked & wanted & ~flows["at_the_end"].values & ~flows["answered_elsewhere"].values
    return mask


def _terms(held: Held, mask: Mask, action: str) -> Iterator[DraftTerm]:
    """Yield a term for each pair of hosts and transport among the flows of ``mask``, in the order of first packets."""
    table = held.table
    rows = np.flatnonzero(mask & np.isin(table["transport"], (TCP, UDP)))
    key = (table["orig_addr"][rows].astype(np.int64) << 32) | table["resp_addr"][rows]
    key = key * 2 + (table["transport"][rows] == UDP)
    _, first, group = np.unique(key, return_index=True, return_inverse=True)
    order = np.argsort(group, kind="stable")
    bounds = np.searchsorted(group[order], np.arange(len(first) + 1))
    for number in np.argsort(first, kind="stable")[:_MOST_PAIRS]:
        yield _term(held, rows[order[bounds[number] : bounds[number + 1]]], action)


def _term(held: Held, rows: Rows, action: str) -> DraftTerm:
    table, row = held.table, int(rows[0])
    ends = [str(normalised(table.address(int(table[f"{side}_addr"][row])))) for side in ("orig", "resp")]
    transport = _TRANSPORTS[int(table["transport"][row])]
    ports = _ports(np.unique(table["resp_port"][rows]).tolist())
    because, question = _deny_words(held, rows) if action == "deny" else _permit_words(held, rows)
    term = Term("", action, (ends[0],), (ends[1],), transport, ports, "", "", "site", NOWHERE)
    return DraftTerm(term, because, question)


def _ports(ports: list[int]) -> PortSet | None:
    """Return ports as a set; many scattered ones as the range that holds them. Port 0 was not captured: any."""
    if 0 in ports:
        return None
    exact = PortSet.of(ports)
    return exact if len(exact.ranges) <= _MOST_PORTS else PortSet.of([(ports[0], ports[-1])])


def _deny_words(held: Held, rows: Rows) -> tuple[str, str]:
    how = joined(sorted({held.flows["how"].text(int(row)) for row in rows[:100]}))
    because = f"{counted(len(rows), 'attempt')}, {how} ({held.packet(int(rows[0]))})"
    return because, (
        "is this meant to be kept out? If not, remove the term: by zones and product this may pass, and the firewall or "
        "the service is at fault"
    )


def _permit_words(held: Held, rows: Rows) -> tuple[str, str]:
    flows, row = held.flows, int(rows[0])
    seen = f"{counted(len(rows), 'flow')} ({held.packet(row)})"
    if flows["control"].values[row]:
        logins = flows["login"]
        login = logins.value_text(logins.values[rows].max())
        return f"{seen}: NDMP control, login {login}", (
            "is the originator a media server? Then move it into that zone; if not, remove the term and find out who it is"
        )
    if flows["data"].values[row]:
        return f"{seen}: data of a control connection, tie {flows['grade'].text(row)}", (
            "may these two exchange backup data? If so, a zone for each says it better"
        )
    service = flows["service_name"].text(row)
    nearest = _nearest(held, row)
    if flows["service"].text(row) == "none":
        return f"{seen}: no service of the vendor's tables{nearest}", "is this traffic wanted? If not, remove the term"
    return f"{seen}: {service}{nearest}", (
        "the vendor's tables do not let this host ask for it: wanted, or in the wrong zone?"
    )


def _nearest(held: Held, row: int) -> str:
    number = int(held.verdicts.nearest[row])
    if number < 0:
        return ""
    return f"; {held.verdicts.terms[number].name} would fit but for the {held.flows['misfit'].text(row)}"


def _merged(terms: Iterable[DraftTerm]) -> list[DraftTerm]:
    """Return the terms, those of one source that differ in nothing but the destination as one."""
    found: dict[tuple[object, ...], DraftTerm] = {}
    for one in terms:
        key = (one.term.action, one.term.source, one.term.transport, one.term.ports, one.question)
        if key in found:
            known = found[key]
            both = tuple(dict.fromkeys((*known.term.destination, *one.term.destination)))
            also = one.because if one.because in known.because else f"{known.because}; {one.because}"
            found[key] = replace(known, term=replace(known.term, destination=both), because=also)
        else:
            found[key] = one
    return list(found.values())


def _name(one: DraftTerm, number: int) -> str:
    ports = "any port" if one.term.ports is None else f"{one.term.transport} {one.term.ports}"
    verb = "seen" if one.term.action == "permit" else "kept out"
    return f"{verb} {number}: {one.term.source[0]}, {ports}"[:100]
