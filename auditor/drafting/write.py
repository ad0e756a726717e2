"""Writes a draft as YAML with comments. What a capture supplied is hostile: in comments it is escaped to one line, as a
value it is quoted as JSON, which YAML reads as it stands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import wrap

from auditor import _native
from auditor.drafting.logins import OpenDoor
from auditor.drafting.material import Material
from auditor.drafting.ranges import ADVISED, PER_OPERATION, RangeEvidence
from auditor.drafting.terms import DraftTerm
from auditor.policy.model import Policy, Zone
from auditor.ports import PortSet
from auditor.services import generations
from auditor.text import counted, escape, path_text, plain_text

_PLAIN_WORD = re.compile(r"[a-z]+(-[a-z]+)+|agents|filers|databases|[0-9]+(\.[0-9]+){3}|[0-9]+-[0-9]+", re.ASCII)
_WIDTH = 116
_LONGEST_REASON = 300
_MOST_REASONS = 2
_MOST_FILES = 20


def write_draft(
    material: Material,
    policy: Policy,
    ranges: dict[str, RangeEvidence],
    terms: tuple[DraftTerm, ...],
    doors: Mapping[str, OpenDoor],
    *,
    left_out: tuple[int, int] = (0, 0),
) -> str:
    """Return the policy file of a draft; ``left_out`` hosts and terms were too many to write."""
    lines = [
        *_head(material),
        *_settings(material, policy),
        "",
        "zones:",
        *_unlisted(left_out[0]),
        *(line for zone in policy.zones for line in _zone(policy, zone, ranges.get(zone.name))),
        *_missing(policy),
        *_hosts(policy, doors),
        *_terms(terms, left_out[1]),
    ]
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """Return text as a YAML scalar that holds just that text, made harmless."""
    return json.dumps(escape(text), ensure_ascii=False)


def word(text: str) -> str:
    """Return a role's name, an IPv4 address or ports as they stand, anything else quoted."""
    return text if _PLAIN_WORD.fullmatch(text) else quoted(text)


def _comment(text: str, indent: int = 0, *, question: bool = False) -> Iterator[str]:
    """Yield text as comment lines: whatever it holds, every line begins with the comment sign."""
    first, other = ("# ? ", "#   ") if question else ("# ", "# ")
    safe = plain_text(escape(text))
    for number, line in enumerate(wrap(safe, _WIDTH - indent, break_on_hyphens=False) or [""]):
        yield " " * indent + (first if number == 0 else other) + line


def _head(material: Material) -> Iterator[str]:
    yield from _comment(
        f"Drafted by auditor {_native.__version__} from traffic: what was seen, not what should be. The captures that it "
        "was made of conform to it, good and bad alike."
    )
    yield from _comment('Decide every line marked "# ?" before you hold anything against this policy.')
    for facts in material.files[:_MOST_FILES]:
        name = Path(path_text(facts.path)).name
        yield from _comment(f"{name}: {counted(facts.packets, 'packet')}, {facts.status}")
    if len(material.files) > _MOST_FILES:
        yield from _comment(f"and {len(material.files) - _MOST_FILES} more captures")


def _settings(material: Material, policy: Policy) -> Iterator[str]:
    others = ", ".join(name for name in generations() if name != policy.generation)
    yield ""
    yield from _comment(
        f"which release is installed? Traffic does not tell; {policy.generation} is the vendor's chapter. Others: {others}.",
        question=True,
    )
    yield f"generation: {quoted(policy.generation)}"
    answering = (material.table["app"] == _native.APPS.index("ndmp")).any()
    if not answering:
        yield from _comment("no readable NDMP was seen; this is the vendor's default. Is it the site's?", question=True)
    yield f"ndmp_port: {policy.ndmp_port}"
    yield from _comment(
        "either side may open data connections here. If only one does, say so: media-to-agent or agent-to-media.",
        question=True,
    )
    yield "data_direction: either"


def _unlisted(hosts: int) -> Iterator[str]:
    if hosts:
        yield from _comment(
            f"{counted(hosts, 'more host')} took part, most of them asked without ever answering, and are not listed: this "
            "looks like a scan. Which of them exist?",
            2,
            question=True,
        )


def _zone(policy: Policy, zone: Zone, evidence: RangeEvidence | None) -> Iterator[str]:
    yield f"  {word(zone.name)}:"
    if zone.role == "agents":
        yield from _comment(
            "NDMP alone does not tell an agent from a filer or a database host: move those to zones filers, databases.",
            4,
            question=True,
        )
    elif zone.role in ("mail-relays", "snmp-managers"):
        yield from _comment("is each of these the receiver that the site chose?", 4, question=True)
    yield "    hosts:"
    for network in zone.networks:
        address = str(network.network_address)
        reasons = policy.because.get(address, ())
        told = "; ".join(reasons[:_MOST_REASONS]) or "no reason recorded"
        yield from _comment(escape(told, limit=_LONGEST_REASON), 6)
        yield f"      - {word(address)}"
    if evidence is not None and zone.dynamic_ports is None:
        yield from _comment(
            f"no dynamic_ports: data went through {_span(evidence.ports)}, as if no range were set. If one is, write it here; "
            f"the smallest that covers them is {evidence.covering}.",
            4,
            question=True,
        )
    elif evidence is not None:
        yield from _range(evidence)
    elif zone.role in ("media-servers", "agents"):
        yield from _comment(_no_range(zone), 4, question=True)


def _no_range(zone: Zone) -> str:
    if zone.role == "media-servers":
        return (
            "no dynamic_ports: these hosts were not seen to listen for data. If a range is set on them, write it here."
        )
    return "no dynamic_ports: no data connection was seen. Which range is set on these hosts?"


def _span(ports: tuple[int, ...]) -> str:
    return f"data port {ports[0]}" if len(ports) == 1 else f"{len(ports)} data ports from {ports[0]} to {ports[-1]}"


def _range(evidence: RangeEvidence) -> Iterator[str]:
    seen, covering = evidence.ports, evidence.covering
    yield from _comment(
        f"seen: {_span(seen)}; the smallest range that covers them has {counted(covering.size, 'port')}.",
        4,
    )
    if evidence.peak:
        need = evidence.peak * max(evidence.per_operation, 1)
        yield from _comment(
            f"at most {counted(evidence.peak, 'operation')} at once on one host x "
            f"{counted(max(evidence.per_operation, 1), 'port')} each = {counted(need, 'port')} needed at the peak.",
            4,
        )
    if evidence.scattered:
        yield from _comment(
            "these ports lie so far apart that no range seems to be set on the hosts. Set one, and write it here.",
            4,
            question=True,
        )
    elif len(covering.ranges) > 1:
        low, high = evidence.main
        main = PortSet.of([evidence.main])
        others = ", ".join(str(port) for port in seen if not low <= port <= high)
        yield from _comment(f"most lie in {main}. Were these meant as well: {others}?", 4, question=True)
    yield f"    dynamic_ports: {word(str(covering))}"
    advised = evidence.advised
    outside = sum(port not in advised for port in seen)
    yield from _comment(
        f"is a range set on these hosts? The vendor advises {ADVISED} ports, {PER_OPERATION} for each operation: {ADVISED} / "
        f"{PER_OPERATION} = {ADVISED // PER_OPERATION} operations at once. From the lowest port on that would be "
        f"dynamic_ports: {advised}"
        + (
            f" ({counted(outside, 'port')} of those seen would lie outside)."
            if outside
            else " (all ports seen lie inside)."
        ),
        4,
        question=True,
    )


def _missing(policy: Policy) -> Iterator[str]:
    """Yield questions about zones that a backup network usually has and the captures did not show."""
    wanted = {
        "media-servers": "which hosts are the media servers? None was seen to set up a transfer.",
        "agents": "which hosts are backed up? None was seen to answer a media server.",
        "mail-relays": "which host takes the mail notifications? None was seen.",
        "snmp-managers": "which host takes the SNMP traps? None was seen.",
        "consoles": "which hosts run the administration console? Traffic alone does not tell them from others.",
    }
    present = {zone.role for zone in policy.zones}
    for role, question in wanted.items():
        if role not in present:
            yield from _comment(question, 2, question=True)
            yield f"  # {role}: []"


def _hosts(policy: Policy, doors: Mapping[str, OpenDoor]) -> Iterator[str]:
    if not policy.hosts:
        return
    yield ""
    yield "hosts:"
    for host in policy.hosts.values():
        values = []
        if host.ndmp_port is not None:
            values.append(f"ndmp_port: {host.ndmp_port}")
            answered = f"answered NDMP on {host.ndmp_port}, never on {policy.ndmp_port}. Is that in its services file?"
            yield from _comment(answered, 2, question=True)
        if host.logins is not None:
            values.append(f"logins: [{', '.join(host.logins)}]")
            yield from _comment(_let_in(doors[host.address]), 2, question=True)
        yield f"  {word(host.address)}: {{{', '.join(values)}}}"


def _let_in(door: OpenDoor) -> str:
    return (
        f"let {door.caller} in without a password (NDMP login of type none, packet {door.packet}). Is that wanted? If not, "
        "remove none: it is then the finding BX603 (high)."
    )


def _terms(terms: tuple[DraftTerm, ...], left_out: int) -> Iterator[str]:
    if terms:
        yield ""
        yield from _comment("what zones and product leave unsaid of the traffic seen")
        yield "terms:"
    for one in terms:
        term = one.term
        yield f"  - name: {quoted(term.name)}"
        yield from _comment(escape(one.because, limit=_LONGEST_REASON), 4)
        yield from _comment(one.question, 4, question=True)
        yield f"    action: {term.action}"
        yield f"    source: [{', '.join(map(word, term.source))}]"
        yield f"    destination: [{', '.join(map(word, term.destination))}]"
        yield f"    transport: {term.transport}"
        if term.ports is not None:
            yield f"    ports: {word(str(term.ports))}"
    if left_out:
        yield from _comment(
            f"at least {counted(left_out, 'more term')} would be needed and are not written: this looks like a scan. auditor audit "
            "with this policy shows what they would be about.",
            question=True,
        )
