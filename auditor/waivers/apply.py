"""Applies waivers to findings. A waiver covers only findings that it names in full: what is in doubt stays a finding.

A finding is covered where the code is the waiver's, every host that it names is among the waiver's hosts, and, where the
waiver names ports or terms, every port and every deciding term of the finding is known and among them. A finding that
stands for many is covered where each of them would be. Findings which say that the capture cannot support a verdict are
never covered.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from auditor.model import Finding, WaiverReference, WaiverSummary
from auditor.model.parts import Part
from auditor.policy.model import Address, Network, normalised
from auditor.records import record, replace
from auditor.waivers.model import Waiver

_PORT, _TERM, _ZONE = "port", "term", "zone"
"""Names in the subject of a finding."""


@record
class Use:
    """What a waiver did on a day: its state then, and how many findings it covers or would cover."""

    waiver: Waiver
    state: str
    findings: int
    on: dt.date | None

    @property
    def code(self) -> str:
        """Code of the rule that it waives."""
        return self.waiver.code

    @property
    def covers(self) -> str:
        """What it covers, as one line."""
        return self.waiver.covers

    @property
    def owner(self) -> str:
        """Who answers for it."""
        return self.waiver.owner

    @property
    def expires(self) -> str:
        """Its last day."""
        return str(self.waiver.expires)

    @property
    def place(self) -> str:
        """File and line."""
        return str(self.waiver.place)

    @property
    def days(self) -> int:
        """Days from the day of judgement to the last day, or since then; never negative."""
        return 0 if self.on is None else abs((self.waiver.expires - self.on).days)

    @property
    def soon(self) -> bool:
        """Whether it is in force and ends within its days of warning."""
        return self.state == "in-force" and self.days <= self.waiver.warn_days


def apply_waivers(
    waivers: Sequence[Waiver],
    findings: Iterable[Finding],
    on: dt.date | None,
    parts: Mapping[str, tuple[Part, ...] | None] | None = None,
) -> tuple[tuple[Finding, ...], tuple[Use, ...]]:
    """Return the findings, those that a waiver in force covers marked, and what each waiver did.

    ``on`` is the day of judgement in UTC; without one no waiver holds. Where several hold, the first is named. ``parts``
    are what findings stand for, by their keys; one that has none there stands for what it names.
    """
    by_code: dict[str, list[int]] = {}
    for index, waiver in enumerate(waivers):
        by_code.setdefault(waiver.code, []).append(index)
    states = [waiver.state(on) for waiver in waivers]
    covered = [0] * len(waivers)
    judged = []
    for finding in findings:
        holding: Waiver | None = None
        stands_for = (parts or {}).get(finding.key, (Part(finding.subject, finding.term),))
        for index in by_code.get(finding.code, ()):
            if covers(waivers[index], finding, stands_for):
                covered[index] += 1
                if holding is None and states[index] == "in-force":
                    holding = waivers[index]
        judged.append(finding if holding is None else replace(finding, waived=True, waiver=reference(holding)))
    uses = zip(waivers, states, covered, strict=True)
    return tuple(judged), tuple(Use(waiver, state, count, on) for waiver, state, count in uses)


def covers(waiver: Waiver, finding: Finding, parts: tuple[Part, ...] | None) -> bool:
    """Return whether a waiver speaks of all that a finding stands for, whatever the day; None: of more than can be told."""
    if waiver.code != finding.code or finding.undermines:
        return False
    if parts is None:
        return waiver.anywhere and waiver.ports is None and not waiver.terms
    return all(_covers_part(waiver, finding, part) for part in parts)


def _covers_part(waiver: Waiver, finding: Finding, part: Part) -> bool:
    return (
        _hosts_covered(waiver, part.subject)
        and _ports_covered(waiver, finding, part.subject)
        and (not waiver.terms or part.subject.get(_TERM, part.term) in waiver.terms)
    )


def reference(waiver: Waiver) -> WaiverReference:
    """Return a waiver as a finding names it."""
    return WaiverReference(waiver.owner, waiver.reason, str(waiver.expires), str(waiver.place), waiver.ticket)


def summarise_uses(uses: Iterable[Use]) -> tuple[WaiverSummary, ...]:
    """Return the waivers as a report lists them, in the order of their files."""
    return tuple(
        WaiverSummary(
            code=use.waiver.code,
            name=use.waiver.name,
            covers=use.waiver.covers,
            owner=use.waiver.owner,
            reason=use.waiver.reason,
            expires=str(use.waiver.expires),
            place=use.place,
            state=use.state,
            findings=use.findings,
            since="" if use.waiver.since is None else str(use.waiver.since),
            ticket=use.waiver.ticket,
        )
        for use in uses
    )


def _hosts_covered(waiver: Waiver, subject: Mapping[str, str]) -> bool:
    if waiver.anywhere:
        return True
    addresses = _addresses(subject)
    zone = subject.get(_ZONE)
    if not addresses and zone is None:
        # It names nobody: only a waiver for any host speaks of it.
        return False
    return (zone is None or zone in waiver.zones) and all(_among(address, waiver.networks) for address in addresses)


def _addresses(subject: Mapping[str, str]) -> list[Address]:
    """Return the addresses in the subject of a finding."""
    found = []
    for value in subject.values():
        try:
            found.append(normalised(value))
        except ValueError:
            continue
    return found


def _among(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)


def _ports_covered(waiver: Waiver, finding: Finding, subject: Mapping[str, str]) -> bool:
    if waiver.ports is None:
        return True
    ports = _ports(finding, subject)
    return bool(ports) and all(port in waiver.ports for port in ports)


def _ports(finding: Finding, subject: Mapping[str, str]) -> list[int]:
    """Return the ports of a finding: the one in its subject, else those of its responders if all flows are known."""
    said = subject.get(_PORT)
    if said is not None:
        return [int(said)] if said.isascii() and said.isdecimal() else []
    if not finding.evidence or finding.flows > len(finding.evidence):
        return []
    ports = [evidence.flow.responder.rpartition(":")[2] for evidence in finding.evidence]
    return [int(port) for port in ports] if all(port.isascii() and port.isdecimal() for port in ports) else []
