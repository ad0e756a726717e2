"""Turns the terms of a policy into firewall rules, and tells of each term that becomes none why.

A packet filter sees addresses, transport and ports, and keeps the state of connections. What a term says beyond that it
cannot do: such a term becomes a proposal that is not in force, or a remark.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from auditor.errors import UsageError
from auditor.firewall.model import (
    DOUBTFUL,
    EVERY_PORT,
    HELD_BACK,
    UNDECLARED_RANGES,
    UNPROVED,
    LeftOut,
    Reason,
    Rule,
    RuleSet,
)
from auditor.firewall.pieces import put_together
from auditor.firewall.places import TRANSIT, Where, seen_from, zones_at
from auditor.firewall.ranges import VERSIONS, Addresses
from auditor.policy.model import Policy, Term, Zone
from auditor.policy.terms import UNANNOUNCED, policy_terms
from auditor.records import record, replace
from auditor.services import Catalogue
from auditor.text import counted, joined, path_text


@record
class _Part:
    """A part of a term: where it leads, and what else is doubtful about this part alone."""

    source: Addresses
    destination: Addresses
    without_range: bool


def rules_of(
    policy: Policy,
    catalogue: Catalogue,
    *,
    at: str = TRANSIT,
    include: Collection[str] = (),
    versions: Collection[int] = VERSIONS,
    remarks: Iterable[LeftOut] = (),
    version: str = "",
) -> RuleSet:
    """Return the firewall rules of a policy for one place; ``include`` puts kinds of ``HELD_BACK`` in force.

    ``versions`` are those of IP that are wanted; what is lost by that is told. ``remarks`` are told with those of the
    terms. Raises UsageError where there is no such place, and where no rule would permit anything: such a firewall
    would stop all backups.
    """
    word, zones = zones_at(policy, at)
    terms = _Terms(policy, catalogue, zones, frozenset(include))
    pieces = terms.pieces()
    unwanted = _of_other_versions(pieces, versions)
    pieces = [piece for piece in pieces if piece.version in versions]
    denials = put_together(piece for piece in pieces if piece.action == "deny")
    permits, denied = _undenied([piece for piece in pieces if piece.action == "permit"], denials)
    in_force = put_together(piece for piece in permits if not piece.held_back)
    if not in_force:
        raise UsageError(
            f"{path_text(policy.path or 'the policy')}: no rule at {word} would permit anything",
            fix="auditor policy show tells its terms; name hosts for its zones, or another place with --at",
        )
    proposals = put_together(
        piece for piece in permits if piece.held_back and not any(one.covers(piece) for one in in_force)
    )
    needed, idle = _needed(denials, [*in_force, *proposals])
    rules = [*needed, *in_force]
    return RuleSet(
        policy=path_text(policy.path or ""),
        generation=policy.generation,
        at=word,
        rules=tuple(_numbered(rules, 1)),
        proposals=tuple(_numbered(proposals, len(rules) + 1)),
        left_out=(*terms.left_out, *unwanted, *denied, *idle, *remarks),
        version=version,
    )


class _Terms:
    """The terms of a policy as pieces of rules for one place; ``left_out`` tells what became none."""

    def __init__(self, policy: Policy, catalogue: Catalogue, zones: tuple[Zone, ...], include: frozenset[str]) -> None:
        self._policy = policy
        self._catalogue = catalogue
        self._zones = zones
        self._include = include
        self._where = Where(policy)
        self.left_out: list[LeftOut] = []

    def pieces(self) -> list[Rule]:
        """Return the pieces of all terms, in the order of the terms."""
        found: list[Rule] = []
        elsewhere: list[Term] = []
        for term in policy_terms(self._policy, self._catalogue):
            # Of a connection that nobody announced a packet filter knows as little as of one that was: the term beside
            # this one says the same of it.
            if term.doubt == UNANNOUNCED:
                continue
            parts = list(self._parts(term))
            pieces = [piece for part in parts for piece in self._pieces(term, part)]
            if parts and not pieces:
                if self._zones:
                    elsewhere.append(term)
                else:
                    self._leave(term.name, str(term.place), "its ends have no version of IP in common")
            found += pieces
        if elsewhere:
            names = joined(dict.fromkeys(term.name for term in elsewhere))
            self._leave(counted(len(elsewhere), "term"), path_text(self._policy.path or ""), f"of other hosts: {names}")
        return found

    def _parts(self, term: Term) -> Iterator[_Part]:
        """Yield the parts of a term; between zones, what stays within one never meets the firewall."""
        source = self._where.of_all(term.source)
        if not source:
            self._leave(term.name, str(term.place), f"{joined(term.source)}: no hosts are declared there")
            return
        inside: list[str] = []
        empty = True
        for word in term.destination:
            others = self._where.of_all(tuple(one for one in term.source if one != word))
            stays = not self._zones and word in term.source and self._is_zone(word)
            whole, without = self._where.destination(term, word)
            if stays and (whole or without):
                inside.append(word)
            for destination, without_range in ((whole, False), (without, True)):
                empty = empty and not destination
                sources = others if stays else source
                if destination and sources:
                    yield _Part(sources, destination, without_range)
        if inside:
            self._leave(term.name, str(term.place), f"within {joined(inside)}: does not pass between zones")
        if empty:
            self._leave(term.name, str(term.place), f"{joined(term.destination)}: no such hosts are declared there")

    def _is_zone(self, word: str) -> bool:
        return any(zone.name == word for zone in self._policy.zones)

    def _pieces(self, term: Term, part: _Part) -> Iterator[Rule]:
        service = self._catalogue.get(term.service)
        unproved = service is not None and service.grade == "U"
        held = {UNPROVED: unproved, DOUBTFUL: bool(term.doubt) and not unproved, UNDECLARED_RANGES: part.without_range}
        for ends in seen_from(self._zones, part.source, part.destination):
            for version in VERSIONS:
                source, destination = ends.source.only(version), ends.destination.only(version)
                if not (source and destination) or source == destination == source.one_host:
                    continue
                yield Rule(
                    action=term.action,
                    direction=ends.direction,
                    version=version,
                    source=source,
                    destination=destination,
                    transports=("tcp", "udp") if term.transport == "any" else (term.transport,),
                    ports=term.ports or EVERY_PORT,
                    source_words=self._where.words_in(term.source, source),
                    destination_words=self._where.words_in(term.destination, destination),
                    reasons=(self._reason(term, without_range=part.without_range),),
                    answers=service is None or service.answers,
                    held_back=tuple(kind for kind in HELD_BACK if held[kind] and kind not in self._include),
                )

    def _reason(self, term: Term, *, without_range: bool) -> Reason:
        service = self._catalogue.get(term.service)
        if service is None:
            text = term.comment or "a term of the site's own"
        else:
            process = f" ({service.process})" if service.process else ""
            text = f"{service.name}{process}: {service.source}; grade {service.grade}"
        doubts = [term.doubt] if term.doubt else []
        if without_range:
            doubts.append("these hosts declare no dynamic_ports, so that any port from 1024 would have to be open")
        return Reason(term.name, str(term.place), text, "; ".join(doubts))

    def _leave(self, what: str, place: str, why: str) -> None:
        self.left_out.append(LeftOut(what, place, why))


def _of_other_versions(pieces: list[Rule], versions: Collection[int]) -> list[LeftOut]:
    lost = [piece for piece in pieces if piece.version not in versions]
    return list(
        dict.fromkeys(
            LeftOut(reason.term, reason.place, f"its part of IPv{piece.version} was not asked for")
            for piece in lost
            for reason in piece.reasons
        )
    )


def _undenied(permits: list[Rule], denials: list[Rule]) -> tuple[list[Rule], list[LeftOut]]:
    """Return the permits without the ports that denials take from all of their flows, and what there is to say of that."""
    kept: list[Rule] = []
    left: list[LeftOut] = []
    for piece in permits:
        rest = piece
        for denial in denials:
            if denial.covers(replace(rest, ports=denial.ports)) and denial.ports.overlaps(rest.ports):
                rest = replace(rest, ports=rest.ports.without(denial.ports))
                reason, taken = piece.reasons[0], "" if not rest.ports.ranges else f" but for ports {rest.ports}"
                left.append(LeftOut(reason.term, reason.place, f"denied before by {_terms(denial)}{taken}"))
                if not rest.ports.ranges:
                    break
        if rest.ports.ranges:
            kept.append(rest)
    return kept, list(dict.fromkeys(left))


def _needed(denials: list[Rule], permits: list[Rule]) -> tuple[list[Rule], list[LeftOut]]:
    """Return the denials that take something from a permit: what no rule permits is dropped anyway."""
    needed = [one for one in denials if any(one.overlaps(piece) for piece in permits)]
    idle = [one for one in denials if one not in needed]
    left = [
        LeftOut(
            reason.term, reason.place, "needs no rule: nothing here permits any of it any more, and the rest is dropped"
        )
        for one in idle
        for reason in one.reasons
        if not any(reason in other.reasons for other in needed)
    ]
    return needed, list(dict.fromkeys(left))


def _terms(piece: Rule) -> str:
    return joined(dict.fromkeys(reason.term for reason in piece.reasons))


def _numbered(pieces: Iterable[Rule], first: int) -> Iterator[Rule]:
    for number, piece in enumerate(pieces, first):
        yield replace(piece, number=number)
