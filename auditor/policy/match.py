"""Judges a flow table: for each flow its zones, service, outcome, and what the policy intends, with the deciding term."""

from __future__ import annotations

from typing import Any

import numpy as np

from auditor.arrays import NDArray
from auditor.blocks import look_up_all
from auditor.distinct import among, grouped
from auditor.flows import ORIGINATOR_BY, TCP, FlowTable
from auditor.policy.combine import KIND_WORDS, Combinations, combine
from auditor.policy.fit import PARTS, Fit, fit_term
from auditor.policy.groups import ROLE_NAMES, Groups, group_addresses
from auditor.policy.model import MULTICAST, OTHER, UNDECLARED, Policy, Term
from auditor.policy.naming import BY_LISTENER, Naming, name_services, renamed, service_ports
from auditor.policy.outcome import observed
from auditor.policy.terms import policy_terms
from auditor.ports import PortSet
from auditor.records import record, replace
from auditor.services import INFRASTRUCTURE_ROLES, Catalogue, Service

VERDICTS = ("permit", "deny", "unstated", "out-of-scope", "undetermined")
PERMIT, DENY, UNSTATED, OUT_OF_SCOPE, UNDETERMINED = range(5)
NO_PORTS = (
    "the capture has no ports of it (a fragment without its first, or a header that was cut): more than one verdict is "
    "possible"
)
WHICH_WAY = "who opened it is a guess, for its beginning was not captured: no term permits it this way round, one does the other"
"""The doubts behind ``undetermined``: the capture knows the ports not at all, or the direction only by a guess."""

_GUESS = ORIGINATOR_BY.index("guess")

MISFITS = ("", *PARTS)
_ORDER = ("transport", "direction", "zone", "port")
_ORDER_OF_SESSIONS = ("port", "transport", "direction", "zone")
"""Which single misfit says most: a known control or data connection is above all on the wrong port."""

Bools = NDArray[np.bool_]
Codes = NDArray[np.int64]


@record
class Verdicts:
    """Columns beside a flow table, one entry per flow, and the words that they index into.

    ``service`` (u2) into ``services`` (0 none); ``orig_zone``, ``resp_zone`` (u2) into ``zones``; ``orig_role``,
    ``resp_role`` (u1) into ``roles``; ``outcome`` (u1) into ``OUTCOMES``; ``verdict`` (u1) into ``VERDICTS``; ``term`` (i4)
    the deciding term and ``nearest`` (i4) a permitting term that fits but for ``nearest_misfit`` (u1, into ``MISFITS``),
    both into ``terms``, -1 none; ``doubt`` (u2) into ``doubts`` (0 none).
    """

    orig_zone: NDArray[np.uint16]
    resp_zone: NDArray[np.uint16]
    orig_role: NDArray[np.uint8]
    resp_role: NDArray[np.uint8]
    service: NDArray[np.uint16]
    outcome: NDArray[np.uint8]
    verdict: NDArray[np.uint8]
    term: NDArray[np.int32]
    nearest: NDArray[np.int32]
    nearest_misfit: NDArray[np.uint8]
    doubt: NDArray[np.uint16]
    zones: tuple[str, ...]
    roles: tuple[str, ...]
    services: tuple[Service | None, ...]
    terms: tuple[Term, ...]
    doubts: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of flows."""
        return len(self.verdict)


def judge(table: FlowTable, policy: Policy, catalogue: Catalogue, *, control: Bools, data: Bools) -> Verdicts:
    """Return the verdicts on a flow table.

    ``control`` and ``data`` (bool, one per flow) mark flows known to be NDMP control and data connections. Of a connection
    without a handshake either end may have opened it: where no term permits it as guessed, but one does the other way
    round, nothing decided.
    """
    verdicts = _as_they_stand(table, policy, catalogue, control=control, data=data)
    guessed = (table["transport"] == TCP) & (table["originator_by"] == _GUESS) & ~control
    rows = np.flatnonzero(guessed & (verdicts.verdict == UNSTATED))
    if not len(rows):
        return verdicts
    other = _as_they_stand(_turned(table, rows), policy, catalogue, control=control[rows], data=data[rows])
    return _without_way(verdicts, rows[other.verdict == PERMIT])


def _turned(table: FlowTable, rows: NDArray[np.intp]) -> FlowTable:
    """Return ``rows`` the other way round, with no more of them than a verdict rests on."""
    ends = {"orig_addr": "resp_addr", "resp_addr": "orig_addr", "orig_port": "resp_port", "resp_port": "orig_port"}
    columns = {name: table[other][rows] for name, other in ends.items()}
    return FlowTable.from_columns({"transport": table["transport"][rows], **columns}, table.addresses)


def _without_way(verdicts: Verdicts, rows: NDArray[np.intp]) -> Verdicts:
    """Return the verdicts with ``rows`` undetermined, for their direction is a guess."""
    if not len(rows):
        return verdicts
    verdict, nearest = verdicts.verdict.copy(), verdicts.nearest.copy()
    misfit, doubt = verdicts.nearest_misfit.copy(), verdicts.doubt.copy()
    verdict[rows], nearest[rows], misfit[rows], doubt[rows] = UNDETERMINED, -1, 0, len(verdicts.doubts)
    return replace(
        verdicts,
        verdict=verdict,
        nearest=nearest,
        nearest_misfit=misfit,
        doubt=doubt,
        doubts=(*verdicts.doubts, WHICH_WAY),
    )


def _as_they_stand(table: FlowTable, policy: Policy, catalogue: Catalogue, *, control: Bools, data: Bools) -> Verdicts:
    """Return the verdicts, each flow the way round that the table has it.

    Work that is more than a look-up is done once per combination of zones, ports and the like, not per flow.
    """
    terms = policy_terms(policy, catalogue)
    groups = group_addresses(table, policy, terms)
    combinations = combine(table, groups, decisive_ports(terms, policy, catalogue), control=control, data=data)
    naming = name_services(combinations, groups, policy, catalogue)
    fits = [fit_term(term, combinations, groups, catalogue) for term in terms]
    term, undetermined, site = _decide(terms, fits, len(combinations))
    in_scope = _in_scope(combinations, groups, naming, catalogue, site=site)
    term = np.where(in_scope, term, -1)
    verdict = np.where(in_scope, np.where(undetermined, UNDETERMINED, _intended(term, terms)), OUT_OF_SCOPE)
    platform = np.array([*(service.platform for service in catalogue.judged()), False])[naming.service]
    nearest, misfit = _nearest(terms, fits, combinations, wanted=(verdict == UNSTATED) & ~platform)
    service, services = _services(naming, term, terms, in_scope, combinations, groups, catalogue)
    doubt, doubts = _doubts(naming, term, terms, verdict)
    silent = np.array([entry is not None and not entry.answers for entry in services])[service]
    orig, resp = combinations.orig, combinations.resp
    # Made narrow while there are few: what is looked up for each flow then is a byte or two, not eight.
    columns: dict[str, NDArray[Any]] = {
        "orig_zone": groups.zone[orig].astype(np.uint16),
        "resp_zone": groups.zone[resp].astype(np.uint16),
        "orig_role": groups.role[orig].astype(np.uint8),
        "resp_role": groups.role[resp].astype(np.uint8),
        "service": service.astype(np.uint16),
        "verdict": verdict.astype(np.uint8),
        "term": term.astype(np.int32),
        "nearest": nearest.astype(np.int32),
        "nearest_misfit": misfit.astype(np.uint8),
        "doubt": doubt.astype(np.uint16),
    }
    *found, unanswering = look_up_all((*columns.values(), silent), combinations.of_flow)
    return Verdicts(
        **dict(zip(columns, found, strict=True)),
        outcome=observed(table, unanswering),
        zones=groups.zones,
        roles=ROLE_NAMES,
        services=services,
        terms=terms,
        doubts=doubts,
    )


def decisive_ports(terms: tuple[Term, ...], policy: Policy, catalogue: Catalogue) -> list[PortSet]:
    """Return every set of ports that a decision may turn on."""
    sets = [term.ports for term in terms if term.ports is not None]
    sets += [service_ports(service, policy) or service.ports for service in catalogue.judged()]
    return [*sets, PortSet.of(policy.ndmp_ports())]


def _decide(terms: tuple[Term, ...], fits: list[Fit], length: int) -> tuple[Codes, Bools, Bools]:
    """Return the first term that matches each combination (-1 none), which are undetermined, and which a term of the site
    matches or may match.

    A combination whose ports are not known has as many possible verdicts as the terms that may match it have actions, up
    to the first that matches for certain; where they differ, nothing decided.
    """
    first = np.full(length, -1, np.int64)
    possible = np.zeros((3, length), np.bool_)
    site = np.zeros(length, np.bool_)
    for index, (term, fit) in enumerate(zip(terms, fits, strict=True)):
        whole, maybe = fit.whole & (first < 0), fit.possible & (first < 0)
        possible[PERMIT if term.action == "permit" else DENY] |= whole | maybe
        if term.origin == "site":
            site |= whole | maybe
        first[whole] = index
    possible[UNSTATED] = first < 0
    undetermined = possible.sum(axis=0) > 1
    return np.where(undetermined, -1, first), undetermined, site


def _intended(term: Codes, terms: tuple[Term, ...]) -> Codes:
    actions = np.array([*(PERMIT if term.action == "permit" else DENY for term in terms), UNSTATED], np.int64)
    return actions[term]  # -1, no term, is the last entry


def _in_scope(
    combinations: Combinations, groups: Groups, naming: Naming, catalogue: Catalogue, *, site: Bools
) -> Bools:
    """Return which combinations concern the audit.

    A host of the backup estate at an end does; an infrastructure host only where it is asked for a service of the
    vendor's; any other declared host only where a term of the site says so.
    """
    orig, resp = groups.role[combinations.orig], groups.role[combinations.resp]
    outside = [ROLE_NAMES.index(word) for word in (UNDECLARED, MULTICAST, OTHER, *INFRASTRUCTURE_ROLES)]
    estate = ~among(orig, outside) | ~among(resp, outside)
    vendor = np.array([*(not service.platform for service in catalogue.judged()), False])
    serves = among(resp, [ROLE_NAMES.index(role) for role in INFRASTRUCTURE_ROLES])
    serves &= vendor[naming.service] & (naming.level >= BY_LISTENER)
    group_address = ROLE_NAMES.index(MULTICAST)
    unicast = (orig != group_address) & (resp != group_address)
    nowhere = [ROLE_NAMES.index(word) for word in (UNDECLARED, MULTICAST)]
    declared = ~among(orig, nowhere) | ~among(resp, nowhere)
    concerned: Bools = (combinations.transport > 0) & ((unicast & (estate | serves)) | (site & declared))
    return concerned


def _nearest(
    terms: tuple[Term, ...], fits: list[Fit], combinations: Combinations, *, wanted: Bools
) -> tuple[Codes, Codes]:
    """Return, where ``wanted``, the first permitting term that fits but for one thing, and which thing."""
    nearest = np.full(len(combinations), -1, np.int64)
    misfit = np.zeros(len(combinations), np.int64)
    permitting = [
        (index, fit) for index, (term, fit) in enumerate(zip(terms, fits, strict=True)) if term.action == "permit"
    ]
    for kind, order in (("", _ORDER), ("control", _ORDER_OF_SESSIONS), ("data", _ORDER_OF_SESSIONS)):
        of_kind = wanted & (combinations.kind == KIND_WORDS.index(kind))
        for name in order if of_kind.any() else ():
            for index, fit in permitting:
                rows = of_kind & (nearest < 0) & fit.but_for(name, data=kind == "data")
                nearest[rows], misfit[rows] = index, MISFITS.index(name)
    return nearest, misfit


def _services(
    naming: Naming,
    term: Codes,
    terms: tuple[Term, ...],
    in_scope: Bools,
    combinations: Combinations,
    groups: Groups,
    catalogue: Catalogue,
) -> tuple[Codes, tuple[Service | None, ...]]:
    """Return the service of each combination and the services that occur, the first of which is none.

    The term that permits a flow knows its service best. Beyond the scope of the audit only common host services are named.
    """
    judged = catalogue.judged()
    numbers = {service.id: number for number, service in enumerate(judged)}
    of_term = np.array([*(numbers.get(term.service, -1) for term in terms), -1])[term]
    number = np.where(of_term >= 0, of_term, naming.service)
    platform = np.array([*(service.platform for service in judged), False])
    number = np.where(in_scope | platform[number], number, -1)
    role = groups.role[combinations.resp]
    first, index = grouped(number, role)
    services: list[Service | None] = [None]
    position = []
    for service_number, role_number in zip(number[first].tolist(), role[first].tolist(), strict=True):
        service = renamed(judged[service_number], ROLE_NAMES[role_number]) if service_number >= 0 else None
        if service not in services:
            services.append(service)
        position.append(services.index(service))
    return np.array(position, np.int64)[index], tuple(services)


def _doubts(naming: Naming, term: Codes, terms: tuple[Term, ...], verdict: Codes) -> tuple[Codes, tuple[str, ...]]:
    """Return the doubt of each combination: the deciding term's, or, where none decided, that of the service's name."""
    texts = ["", NO_PORTS, *dict.fromkeys(text for text in (*(term.doubt for term in terms), *naming.doubts) if text)]
    of_term = np.array([*(texts.index(term.doubt) for term in terms), 0])[term]
    of_name = np.array([texts.index(text) for text in naming.doubts])[naming.doubt]
    told = np.where(term >= 0, of_term, np.where(verdict == UNSTATED, of_name, 0))
    return np.where(verdict == UNDETERMINED, texts.index(NO_PORTS), told), tuple(texts)
