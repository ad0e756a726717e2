"""Table ``expected``: what a policy leads one to expect in a capture, and whether it was there.

An absence says something only as far as the capture was whole: ``complete`` is that all files were read to their end,
nothing was dropped, both directions were there, and it was not taken where others' traffic does not come by. That last is
known only where the user states it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

import numpy as np

from auditor.blocks import occurring
from auditor.distinct import among
from auditor.flows import FlowTable
from auditor.packs.words import ROLES
from auditor.policy.match import VERDICTS
from auditor.records import record
from auditor.rule_table import NO_FLOW, ColumnData, RuleTable, no_witnesses, words_column
from auditor.services import load_catalogue
from auditor.tables.captures import CaptureFacts
from auditor.tables.source import ESTABLISHED, NANOSECONDS, UNCERTAIN, Source

MOST_HOSTS = 1000
"""Single hosts that are looked for; networks have no host to miss."""

_HOST_ROLES = ("media-servers", "agents", "filers", "databases")
_SERVERS = ("media-servers",)
_FAMILIES = ("control", "data", "browser", "server", "notification", "dba")
_MOST_ONE_SIDED = 50
_MINUTE = 60 * NANOSECONDS
_KINDS = ("host", "service")
_BLINKERED = ("agent", "firewall-inside")
"""Vantages that do not see what other hosts do, or what the firewall stopped before it got there."""


@record
class _Row:
    kind: str
    name: str
    role: str
    zone: str
    service: str
    family: str
    seen: bool
    controlled: bool


def expected_table(
    source: Source, captures: Sequence[CaptureFacts], one_sided: ColumnData, vantage: str | None = None
) -> RuleTable:
    """Return the table ``expected``; ``one_sided`` is that column of the table ``captures``, in percent.

    ``vantage`` is where the captures were taken, a word of ``VANTAGES``, where the user states it.
    """
    rows = [] if source.policy.inferred else [*_hosts(source), *_services(source)]
    first, last = source.flows["first_time"], source.flows["last_time"]
    minutes = (int(last.max()) - int(first.min())) // _MINUTE if len(first) else 0
    whole = all(capture.status == "read" and not capture.drops for capture in captures)
    complete = whole and not _blinkered(source, vantage) and not (one_sided.values >= _MOST_ONE_SIDED).any()
    columns = {
        "kind": ColumnData(np.array([_KINDS.index(row.kind) for row in rows], np.int64), _KINDS),
        "name": words_column([row.name for row in rows]),
        "zone": words_column([row.zone for row in rows]),
        "role": ColumnData(np.array([("none", *ROLES).index(row.role) for row in rows], np.int64), ("none", *ROLES)),
        "service": words_column([row.service for row in rows]),
        "family": words_column([row.family for row in rows]),
        "seen": ColumnData(np.array([row.seen for row in rows], np.bool_)),
        "controlled": ColumnData(np.array([row.controlled for row in rows], np.bool_)),
        "complete": ColumnData(np.full(len(rows), complete)),
        "minutes": ColumnData(np.full(len(rows), minutes, np.int64)),
    }
    return RuleTable("expected", columns, np.full(len(rows), NO_FLOW), no_witnesses)


def _blinkered(source: Source, vantage: str | None) -> bool:
    """Return whether traffic of other hosts does not come by: one media server of several sees no more than an agent."""
    servers = sum(network.num_addresses for zone in source.policy.zones_with(_SERVERS) for network in zone.networks)
    return vantage in _BLINKERED or (vantage == "media-server" and servers > 1)


def _hosts(source: Source) -> list[_Row]:
    """Return the hosts that a policy names one by one."""
    flows = source.flows
    taking_part = occurring(flows["orig_addr"], len(flows.addresses))
    taking_part |= occurring(flows["resp_addr"], len(flows.addresses))
    # Begun before the capture, or seen in part, it was a control connection all the same.
    came_about = source.sessions.control & among(source.verdicts.outcome, (ESTABLISHED, UNCERTAIN))
    controlled = np.zeros(len(flows.addresses), np.bool_)
    controlled[flows["orig_addr"][came_about]] = controlled[flows["resp_addr"][came_about]] = True
    declared = [
        (str(network.network_address), zone)
        for zone in source.policy.zones_with(_HOST_ROLES)
        for network in zone.networks
        if network.num_addresses == 1
    ][:MOST_HOSTS]
    codes = _codes(flows, [name for name, _ in declared])
    rows: list[_Row] = []
    for name, zone in declared:
        code = codes.get(name, -1)
        seen = code >= 0 and bool(taking_part[code])
        rows.append(_Row("host", name, zone.role, zone.name, "none", "none", seen, seen and bool(controlled[code])))
    return rows


def _codes(flows: FlowTable, names: Sequence[str]) -> dict[str, int]:
    """Return the codes of addresses by their text: of a flood with millions of addresses only the few that matter."""
    wanted = np.array([_halves(name) for name in names], np.uint64).reshape(-1, 2)
    halves = np.ascontiguousarray(flows.addresses).view(">u8").reshape(-1, 2)
    near = among(halves[:, 1], wanted[:, 1]) & among(halves[:, 0], wanted[:, 0])
    return {flows.address_text(int(code)): int(code) for code in np.flatnonzero(near)}


def _halves(name: str) -> tuple[int, int]:
    """Return an address as two numbers of 64 bits, IPv4 mapped as in the flow table."""
    address = ipaddress.ip_address(name)
    number = int(address) if address.version == 6 else int(address) | 0xFFFF << 32
    return number >> 64, number & (1 << 64) - 1


def _services(source: Source) -> list[_Row]:
    """Return the vendor's services that the policy permits between its zones, without those that are doubtful."""
    verdicts = source.verdicts
    decided = np.bincount(
        verdicts.term[(verdicts.verdict == VERDICTS.index("permit")) & (verdicts.term >= 0)],
        minlength=len(verdicts.terms),
    )
    flows: dict[str, int] = {}
    for term, count in zip(verdicts.terms, decided.tolist(), strict=True):
        if term.origin == "vendor" and (not term.doubt or count):
            flows[term.service] = flows.get(term.service, 0) + count
    catalogue = load_catalogue(source.policy.generation)
    return [
        _Row("service", service.name, "none", "none", service.id, service.family, flows[service.id] > 0, False)
        for service in catalogue.judged()
        if service.id in flows and service.family in _FAMILIES and not service.optional
    ]
