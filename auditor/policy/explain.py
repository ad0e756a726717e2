"""Says of single flows which term decides, or which comes nearest and what does not fit. For people, a flow at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditor.flows import FlowTable
from auditor.policy.combine import Combinations, combine
from auditor.policy.fit import Bools, Fit, fit_term
from auditor.policy.groups import group_addresses
from auditor.policy.match import OUT_OF_SCOPE, UNSTATED, VERDICTS, Verdicts, decisive_ports, judge
from auditor.policy.model import Policy, Term
from auditor.policy.terms import policy_terms
from auditor.records import record
from auditor.services import Catalogue, Service


@record
class Near:
    """A permitting term, and what keeps a flow from it: words of ``PARTS``, fewest first."""

    term: Term
    misfits: tuple[str, ...]


@record
class Explained:
    """One flow judged: ``verdict`` is of ``VERDICTS``; ``near`` are up to a few terms that come nearest where none decides."""

    flow: str
    verdict: str
    term: Term | None
    near: tuple[Near, ...]
    zones: tuple[str, str]
    service: Service | None
    doubt: str


def explain(
    table: FlowTable, policy: Policy, catalogue: Catalogue, *, control: Bools, data: Bools, most: int = 3
) -> Iterator[Explained]:
    """Yield what decides each flow of a small table. ``control`` and ``data`` are as for ``judge``."""
    verdicts = judge(table, policy, catalogue, control=control, data=data)
    terms = policy_terms(policy, catalogue)
    groups = group_addresses(table, policy, terms)
    combinations = combine(table, groups, decisive_ports(terms, policy, catalogue), control=control, data=data)
    fits = [(term, fit_term(term, combinations, groups, catalogue)) for term in terms if term.action == "permit"]
    for row in range(len(table)):
        yield _explained(table, verdicts, combinations, fits, row, most)


def _explained(
    table: FlowTable,
    verdicts: Verdicts,
    combinations: Combinations,
    fits: Iterable[tuple[Term, Fit]],
    row: int,
    most: int,
) -> Explained:
    number, verdict = int(verdicts.term[row]), int(verdicts.verdict[row])
    near: tuple[Near, ...] = ()
    if verdict == UNSTATED:
        near = _nearest(fits, int(combinations.of_flow[row]), verdicts, row)[:most]
    ends = (table.endpoint(row, "orig"), table.endpoint(row, "resp"))
    return Explained(
        flow=f"{ends[0]} > {ends[1]} {table.transport_text(row)}",
        verdict=VERDICTS[verdict],
        term=verdicts.terms[number] if number >= 0 else None,
        near=near,
        zones=(verdicts.zones[int(verdicts.orig_zone[row])], verdicts.zones[int(verdicts.resp_zone[row])]),
        service=None if verdict == OUT_OF_SCOPE else verdicts.services[int(verdicts.service[row])],
        doubt=verdicts.doubts[int(verdicts.doubt[row])],
    )


def _nearest(fits: Iterable[tuple[Term, Fit]], combination: int, verdicts: Verdicts, row: int) -> tuple[Near, ...]:
    """Return the permitting terms with the fewest misfits, at most two, the one that the report names first."""
    found: list[tuple[bool, int, int, Near]] = []
    named = int(verdicts.nearest[row])
    for term, fit in fits:
        misfits = fit.misfits(combination)
        if misfits and len(misfits) <= 2:
            first = named >= 0 and term == verdicts.terms[named]
            found.append((not first, len(misfits), len(found), Near(term, misfits)))
    fewest = min((count for _, count, *_ in found), default=0)
    return tuple(near for _, count, _, near in sorted(found, key=lambda one: one[:3]) if count == fewest)
