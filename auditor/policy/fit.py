"""How the terms of a policy fit combinations of facts, part by part: ends, transport, port, direction.

Where a capture has no ports of a flow (a fragment without its first, a header that was cut), what sort of connection it
was and who opened it are not known either: such a flow ``may`` match, and only a term that asks for none of this ``must``.
"""

from __future__ import annotations

import numpy as np

from auditor.arrays import NDArray
from auditor.distinct import among
from auditor.policy.combine import KIND_WORDS, NO_PORT, TRANSPORT_WORDS, Combinations
from auditor.policy.groups import Groups
from auditor.policy.model import Term
from auditor.ports import DYNAMIC
from auditor.records import record
from auditor.services import Catalogue

PARTS = ("port", "direction", "zone", "transport")
"""What can keep a term from matching."""

Bools = NDArray[np.bool_]


@record
class Fit:
    """How one term fits each combination, part by part. ``applies``: flows of this kind are its business; ``declares``:
    the responder declares the ports that the term is about. ``unknown``: the capture has no ports of these."""

    applies: Bools
    declares: Bools
    source: Bools
    destination: Bools
    reversed: Bools
    transport: Bools
    port: Bools
    any_port: bool
    unknown: Bools

    @property
    def whole(self) -> Bools:
        """Where the term matches for certain."""
        fits = self.applies & self.declares & self.source & self.destination & self.transport & self.port
        if not self.unknown.any():
            return fits
        known = fits & ~self.unknown
        must = self.unknown & self.source & self.destination & self.reversed & self.transport
        return known | must if self.any_port else known

    @property
    def possible(self) -> Bools:
        """Where the term may match although the capture does not show whether it does."""
        if not self.unknown.any():
            return self.unknown
        ends = (self.source & self.destination) | self.reversed
        return self.unknown & ends & self.transport & ~self.whole

    def misfits(self, row: int) -> tuple[str, ...] | None:
        """Return what keeps the term from matching one combination, of ``PARTS``; None where neither end is the term's, or
        where flows of this kind are not its business."""
        ends = bool(self.source[row]), bool(self.destination[row])
        turned = bool(self.reversed[row]) and not all(ends)
        if not self.applies[row] or not (any(ends) or turned):
            return None
        wrong = {
            "port": not self.port[row] or not self.declares[row],
            "direction": turned,
            "zone": not turned and not all(ends),
            "transport": not self.transport[row],
        }
        return tuple(name for name in PARTS if wrong[name])

    def but_for(self, misfit: str, *, data: bool) -> Bools:
        """Return where the term would match if it were not for this one thing."""
        if misfit == "direction":
            # Data the other way round goes to the other side's range, so that the port says nothing.
            forward = self.source & self.destination
            return self.applies & self.reversed & ~forward & self.transport & (self.port | data)
        parts = {"port": self.port, "transport": self.transport, "zone": self.source & self.destination}
        others = self.applies & self.declares
        for name, part in parts.items():
            if name != misfit:
                others = others & part
        if misfit == "zone":
            return others & (self.source ^ self.destination)
        return others & ~parts[misfit]


def fit_term(term: Term, combinations: Combinations, groups: Groups, catalogue: Catalogue) -> Fit:
    """Return how a term fits each combination."""
    source, destination = groups.matching(term.source), groups.matching(term.destination)
    everywhere = np.ones(len(combinations), np.bool_)
    declares = everywhere
    if term.declared:
        # Hosts of one zone may declare different ports; this term speaks only to those that declare its own.
        same = [(ports or DYNAMIC) == term.ports for ports in groups.declared[term.declared]]
        declares = np.array(same, np.bool_)[combinations.resp]
    return Fit(
        applies=_applies(term, combinations, catalogue),
        declares=declares,
        source=source[combinations.orig],
        destination=destination[combinations.resp],
        reversed=source[combinations.resp] & destination[combinations.orig],
        transport=_has_transport(term, combinations),
        port=everywhere if term.ports is None else term.ports.contains(combinations.port),
        any_port=term.ports is None,
        unknown=combinations.port == NO_PORT,
    )


def _applies(term: Term, combinations: Combinations, catalogue: Catalogue) -> Bools:
    """Return where a term has a say: known control and data connections are the business of terms for such and of the site's own."""
    if term.origin == "site":
        return np.ones(len(combinations), np.bool_)
    service = catalogue.get(term.service)
    family = service.family if service else ""
    kinds = [word for word in KIND_WORDS if word == (term.carries or word) and word in ("", family)]
    return among(combinations.kind, [KIND_WORDS.index(word) for word in kinds])


def _has_transport(term: Term, combinations: Combinations) -> Bools:
    if term.transport == "any":
        either: Bools = combinations.transport > 0
        return either
    same: Bools = combinations.transport == TRANSPORT_WORDS.index(term.transport)
    return same
