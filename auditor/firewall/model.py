"""What a firewall rule is, and a set of them: what a target writes down. Frozen, and free of NumPy."""

from __future__ import annotations

from auditor.firewall.ranges import Addresses
from auditor.ports import HIGHEST_PORT, PortSet
from auditor.records import record

THROUGH, IN, OUT = "through", "in", "out"
"""Direction of a rule, as seen from where the firewall stands: between the zones, or on a host."""

DOUBTFUL, UNDECLARED_RANGES, UNPROVED = "doubtful", "undeclared-ranges", "unproved"
HELD_BACK = {
    DOUBTFUL: "no text of the vendor shows it, or not in this way",
    UNDECLARED_RANGES: "any port from 1024, for hosts that declare no dynamic_ports",
    UNPROVED: "no source for the port (grade U)",
}
"""Kinds of terms that become proposals unless they are asked for, each with what is wrong with it."""

REVIEW = "REVIEW BEFORE APPLY: these rules were written from a policy file; auditor never applies anything."

EVERY_PORT = PortSet(((1, HIGHEST_PORT),))


@record
class Reason:
    """Why there is a rule: a term of the policy, where that stands (``file:line``), and who says so."""

    term: str
    place: str
    text: str
    doubt: str = ""

    @property
    def line(self) -> str:
        """All of it on one line."""
        return f"{self.term} [{self.place}] {self.text}{f'; doubt: {self.doubt}' if self.doubt else ''}"


@record
class Rule:
    """One rule for new connections of one version of IP (``version`` 4 or 6).

    ``action`` is ``permit`` or ``deny``; ``transports`` are ``tcp``, ``udp`` or both; ``ports`` those of the destination,
    ``EVERY_PORT`` for any. ``source_words`` and ``destination_words`` are the policy's own for the ends. ``answers`` is
    false where nothing comes back (traps, datagrams). ``held_back``, of ``HELD_BACK``, makes it a proposal: not in force.
    ``number`` is its place among those that are written, 0 as long as it is put together with others.
    """

    action: str
    direction: str
    version: int
    source: Addresses
    destination: Addresses
    transports: tuple[str, ...]
    ports: PortSet
    source_words: tuple[str, ...]
    destination_words: tuple[str, ...]
    reasons: tuple[Reason, ...]
    answers: bool = True
    held_back: tuple[str, ...] = ()
    number: int = 0

    @property
    def name(self) -> str:
        """A short name, safe in any language: ``be-007``."""
        return f"be-{self.number:03d}"

    @property
    def kind(self) -> tuple[str, str, int, tuple[str, ...]]:
        """What rules must have in common to become one rule."""
        return self.action, self.direction, self.version, self.held_back

    def covers(self, other: Rule) -> bool:
        """Return whether all flows of another rule are this one's."""
        return (
            (self.direction, self.version) == (other.direction, other.version)
            and set(other.transports) <= set(self.transports)
            and _hold(self.ports, other.ports)
            and self.source.covers(other.source)
            and self.destination.covers(other.destination)
        )

    def overlaps(self, other: Rule) -> bool:
        """Return whether any flow is both rules'."""
        return (
            (self.direction, self.version) == (other.direction, other.version)
            and not set(self.transports).isdisjoint(other.transports)
            and self.ports.overlaps(other.ports)
            and bool(self.source & other.source)
            and bool(self.destination & other.destination)
        )


@record
class LeftOut:
    """Something of the policy that is no rule, and why."""

    what: str
    place: str
    why: str

    @property
    def line(self) -> str:
        """All of it on one line."""
        return f"{self.what} [{self.place}]: {self.why}"


@record
class RuleSet:
    """Rules in the order in which they are tried, denials first; what no rule permits is dropped.

    ``policy`` is the file they come from, ``generation`` the product's; ``at`` is the place of the firewall in words:
    ``transit`` or a role or zone. ``proposals`` are rules that are not in force; ``left_out`` is what became neither.
    """

    policy: str
    generation: str
    at: str
    rules: tuple[Rule, ...]
    proposals: tuple[Rule, ...]
    left_out: tuple[LeftOut, ...]
    version: str

    @property
    def on_host(self) -> bool:
        """Whether the firewall is that of a host."""
        return self.at != "transit"

    def opened(self) -> dict[str, PortSet]:
        """Return the ports that rules open anywhere, by transport."""
        found: dict[str, list[tuple[int, int]]] = {"tcp": [], "udp": []}
        for rule in self.rules:
            for transport in rule.transports if rule.action == "permit" else ():
                found[transport] += rule.ports.ranges
        return {transport: PortSet.of(ranges) for transport, ranges in found.items() if ranges}

    def of_direction(self, direction: str) -> tuple[Rule, ...]:
        """Return the rules of one direction, in order."""
        return tuple(rule for rule in self.rules if rule.direction == direction)


def _hold(outer: PortSet, inner: PortSet) -> bool:
    return all(any(low <= a and b <= high for low, high in outer.ranges) for a, b in inner.ranges)
