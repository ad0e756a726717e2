"""What ``auditor policy show`` and ``auditor policy test`` print: a policy as a rule base, a flow with what decides it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from auditor.policy.explain import Explained, Near
from auditor.policy.model import Policy, Term, Zone
from auditor.report.interface import RenderOptions
from auditor.report.layout import Cell, Column, Page
from auditor.services import Catalogue, load_catalogue
from auditor.text import counted, joined, path_text

_STYLES = {"permit": "conforms", "deny": "violations", "unstated": "medium", "undetermined": "inconclusive"}
_DIRECTIONS = {
    "either": "either side may open data connections",
    "media-to-agent": "only media servers may open data connections",
    "agent-to-media": "only agents may open data connections",
}


def policy_page(policy: Policy, terms: Sequence[Term], looks: RenderOptions) -> bytes:
    """Return a policy as a rule base: zones, then every term in the order in which they are tried."""
    page = Page(looks)
    page.heading(path_text(policy.path or "policy"), f"generation {policy.generation}")
    page.paragraph(f"NDMP port {policy.ndmp_port}; {_DIRECTIONS[policy.data_direction]}.", indent=2)
    page.heading("Zones", counted(len(policy.zones), "zone"))
    columns = [
        Column("Zone"),
        Column("Role"),
        Column("Hosts", flex=True, least=16),
        Column("Data ports"),
        Column("NDMP"),
        Column("Logins"),
    ]
    page.table(columns, [_zone_row(policy, zone) for zone in policy.zones])
    own = [(host.address, host) for host in policy.hosts.values()]
    if own:
        page.heading("Hosts with settings of their own")
        page.table(
            [Column("Host"), Column("Name"), Column("Data ports"), Column("NDMP"), Column("Logins")],
            [
                (a, h.name, str(h.dynamic_ports or ""), str(h.ndmp_port or ""), ", ".join(h.logins or ()))
                for a, h in own
            ],
        )
    page.heading("Terms, the first that fits decides", counted(len(terms), "term"))
    notes = list(dict.fromkeys(term.doubt for term in terms if term.doubt))
    page.table(
        [
            Column("", right=True),
            Column(""),
            Column(""),
            Column("From", flex=True, least=14),
            Column("To", flex=True, least=14),
            Column("Ports", flex=True, least=11),
            Column("", flex=True, least=16),
        ],
        list(_term_rows(terms, notes, load_catalogue(policy.generation))),
    )
    page.blank()
    page.paragraph("No term: unstated, and a finding where a host of the backup estate is an end of it.", indent=2)
    for number, note in enumerate(notes, 1):
        page.paragraph(note, indent=2, label=f"[{number}]")
    return page.text().encode()


def _zone_row(policy: Policy, zone: Zone) -> tuple[str, ...]:
    hosts = [str(net.network_address) if net.num_addresses == 1 else str(net) for net in zone.networks]
    ports = "" if zone.dynamic_ports is None else str(zone.dynamic_ports)
    role = zone.role if zone.role != zone.name else ""
    logins = zone.logins or policy.logins or ()
    return zone.name, role, ", ".join(hosts), ports, str(zone.ndmp_port or policy.ndmp_port), ", ".join(logins)


def _term_rows(terms: Sequence[Term], notes: Sequence[str], catalogue: Catalogue) -> Iterator[Sequence[Cell] | str]:
    """Yield a row for each term, below the service or the site that it comes from."""
    before = ""
    for number, term in enumerate(terms, 1):
        service = catalogue.get(term.service)
        group = "the site's own" if service is None else f"{service.id}: {service.name}"
        if group != before:
            yield group
        before = group
        mark = f"[{notes.index(term.doubt) + 1}]" if term.doubt else ""
        # A generated name begins with the service's id, which heads the group, and may be broken at its colons.
        name = (
            term.name.removeprefix(term.service).replace(":", " :")
            if service
            else f"{term.name}, line {term.place.line}"
        )
        only = f"{term.carries} connections" if term.carries else ""
        ends = (term.source, term.destination)
        detail = " ".join(part for part in (name.strip(), only, mark) if part)
        yield str(number), term.action, term.transport, *ends, "any" if term.ports is None else str(term.ports), detail


def policy_json(policy: Policy, terms: Sequence[Term]) -> str:
    """Return the same as JSON."""
    document = {
        "schema": "auditor.policy-terms/1",
        "path": path_text(policy.path or ""),
        "generation": policy.generation,
        "ndmp_port": policy.ndmp_port,
        "data_direction": policy.data_direction,
        "zones": [
            {
                "name": zone.name,
                "role": zone.role,
                "hosts": [str(network) for network in zone.networks],
                "dynamic_ports": None if zone.dynamic_ports is None else str(zone.dynamic_ports),
                "ndmp_port": zone.ndmp_port or policy.ndmp_port,
                "logins": zone.logins or policy.logins,
            }
            for zone in policy.zones
        ],
        "hosts": {
            host.address: {
                "name": host.name,
                "dynamic_ports": None if host.dynamic_ports is None else str(host.dynamic_ports),
                "ndmp_port": host.ndmp_port,
                "logins": host.logins,
            }
            for host in policy.hosts.values()
        },
        "terms": [{"number": number, **_term_fields(term)} for number, term in enumerate(terms, 1)],
    }
    return json.dumps(document, indent=2)


def _term_fields(term: Term) -> dict[str, Any]:
    return {
        "name": term.name,
        "action": term.action,
        "origin": term.origin,
        "place": f"{term.place.path}:{term.place.line}",
        "source": term.source,
        "destination": term.destination,
        "transport": term.transport,
        "ports": None if term.ports is None else str(term.ports),
        "service": term.service,
        "carries": term.carries,
        "doubt": term.doubt,
        "comment": term.comment,
    }


def explained_page(explained: Iterable[Explained], looks: RenderOptions) -> bytes:
    """Return each flow with its verdict, and what decided it or came nearest."""
    page = Page(looks)
    for one in explained:
        page.blank()
        page.paragraph(one.flow)
        page.paragraph(_decision(one), indent=2, label=one.verdict, style=_STYLES.get(one.verdict, ""))
        service = f"; service {one.service.name}" if one.service else ""
        page.paragraph(f"zones {one.zones[0]} > {one.zones[1]}{service}", indent=2)
        for near in one.near:
            page.paragraph(near_text(near), indent=2, label="near")
        if one.doubt:
            page.paragraph(one.doubt, indent=2, label="doubt")
    return page.text().encode()


def _decision(one: Explained) -> str:
    if one.term is not None:
        term = one.term
        where = f" ({term.place.path}:{term.place.line})" if term.origin == "site" else ""
        return f"by term {term.name}{where}: {term.text}"
    return {
        "out-of-scope": "no host of the backup estate is an end of it, and no term of the site speaks of it",
        "undetermined": "what the capture shows of the flow does not tell which term it is",
    }.get(one.verdict, "no term matched" + ("" if one.near else ", and none comes near"))


def near_text(near: Near) -> str:
    """Return a term and what does not fit."""
    return f"{near.term.name}: {near.term.text}; does not fit: {joined(near.misfits)}"


def explained_json(explained: Iterable[Explained]) -> str:
    """Return the same as JSON: a list, one object for each flow."""
    return json.dumps(
        [
            {
                "flow": one.flow,
                "verdict": one.verdict,
                "term": None if one.term is None else _term_fields(one.term),
                "nearest": [{"term": _term_fields(near.term), "misfits": near.misfits} for near in one.near],
                "originator_zone": one.zones[0],
                "responder_zone": one.zones[1],
                "service": one.service.id if one.service else None,
                "doubt": one.doubt,
            }
            for one in explained
        ],
        indent=2,
    )
