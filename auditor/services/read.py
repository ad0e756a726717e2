"""Reads one file of ``rules/services``; docs/services.md describes the format."""

from __future__ import annotations

import re

from auditor.documents.document import Document, did_you_mean
from auditor.documents.yaml_tree import Node, Place
from auditor.ports import PortSet
from auditor.services.model import FAMILIES, GRADES, PORT_SOURCES, ROLES, UNDECLARED, Service, ServiceFile, Variant

_WEAK = ("C", "D", "U")
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_SINCE = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+", re.ASCII)
_FILE_KEYS = ("title", "generation", "since", "based_on", "without", "services")
_KEYS = (
    "id", "name", "process", "transport", "ports", "ports_from", "listener", "originator", "also", "answers", "tables",
    "source", "grade", "doubt", "since", "optional", "family", "part_of", "names", "examples",
)  # fmt: skip
_REQUIRED = ("id", "name", "transport", "listener", "originator", "source", "grade", "family", "examples")
_VARIANT_KEYS = ("transport", "listener", "originator", "doubt")


def read_file(document: Document) -> ServiceFile:
    """Return the services of a file; complaints go to the document."""
    fields = document.fields(document.root, _FILE_KEYS, required=("generation",))
    generation = document.text(fields.get("generation")) or ""
    services: dict[str, Service] = {}
    for node in document.items(fields.get("services")):
        service = _read_service(document, node, generation, document.text(fields.get("since")) or "")
        if service.id in services:
            first = services[service.id].place
            document.complain(node, f"service {service.id!r} is given twice; the first is on line {first.line}")
        services[service.id] = service
    return ServiceFile(
        generation,
        document.text(fields.get("based_on")) or "",
        tuple((text, node.place) for text, node in document.texts(fields.get("without"))),
        tuple(services.values()),
        document.root.place if document.root else Place(document.path, 1),
    )


def _read_service(document: Document, node: Node, generation: str, since: str) -> Service:
    fields = document.fields(node, _KEYS, required=_REQUIRED, what="a service")
    service_id = document.text(fields.get("id")) or ""
    if service_id and not _ID.fullmatch(service_id):
        document.complain(fields["id"], f"{service_id!r} is no id", "use lower-case words with hyphens")
    examples = document.fields(fields.get("examples"), ("silent", "fires"), required=("silent",))
    names = document.mapping(fields.get("names"), "names by role")
    row = Service(
        id=service_id,
        name=document.text(fields.get("name")) or "",
        process=document.text(fields.get("process")) or "",
        transport=document.choice(fields.get("transport"), ("tcp", "udp", "any")) or "any",
        ports=document.ports(fields.get("ports")) or PortSet(()),
        ports_from=document.choice(fields.get("ports_from"), PORT_SOURCES) or "",
        listener=_read_roles(document, fields.get("listener"), also=(UNDECLARED,)),
        originator=_read_roles(document, fields.get("originator")),
        also=tuple(_read_variant(document, item, fields) for item in document.items(fields.get("also"))),
        answers=document.boolean(fields.get("answers")) is not False,
        tables=tuple(text for text, _ in document.texts(fields.get("tables"), single=True)),
        source=document.text(fields.get("source")) or "",
        grade=document.choice(fields.get("grade"), GRADES) or "U",
        doubt=document.text(fields.get("doubt")) or "",
        since=document.text(fields.get("since")) or since,
        optional=document.boolean(fields.get("optional")) is True,
        family=document.choice(fields.get("family"), FAMILIES) or "platform",
        part_of=document.text(fields.get("part_of")) or "",
        names={role: document.text(value) or "" for role, value in names.values.items()} if names else {},
        silent=tuple(text for text, _ in document.texts(examples.get("silent"))),
        fires=tuple(text for text, _ in document.texts(examples.get("fires"))),
        generation=generation,
        place=node.place,
    )
    _check_service(document, node, row)
    return row


def _check_service(document: Document, node: Node, row: Service) -> None:
    if not row.ports.ranges:
        document.complain(node, f"service {row.id!r} has no ports", "give ports, or their default beside ports_from")
    if row.grade == "U" and not row.optional:
        document.complain(node, f"service {row.id!r} has no source (grade U)", "add optional: true")
    if row.since and not _SINCE.fullmatch(row.since):
        document.complain(node, f"service {row.id!r} is since {row.since!r}, which is no version", "write 0.2.0")
    if row.grade in _WEAK and not row.doubt:
        document.complain(node, f"service {row.id!r} of grade {row.grade} tells no doubt", "say what is not known")
    if UNDECLARED in row.listener and row.ports_from:
        document.complain(node, f"service {row.id!r} is of hosts of no zone, which declare no ports", "give ports")
    if not row.platform and not row.fires:
        document.complain(node, f"service {row.id!r} has no example that fires", "add examples: fires")
    for role in sorted(set(row.names) - set(ROLES)):
        document.complain(node, f"names has no role {role!r}", did_you_mean(role, ROLES))


def _read_variant(document: Document, node: Node, row: dict[str, Node]) -> Variant:
    """Read an entry of ``also``; what it does not say is as in the row."""
    fields = document.fields(node, _VARIANT_KEYS, required=("doubt",), what="a variant")
    return Variant(
        document.choice(fields.get("transport", row.get("transport")), ("tcp", "udp", "any")) or "any",
        _read_roles(document, fields.get("listener", row.get("listener"))),
        _read_roles(document, fields.get("originator", row.get("originator"))),
        document.text(fields.get("doubt")) or "",
    )


def _read_roles(document: Document, node: Node | None, also: tuple[str, ...] = ()) -> tuple[str, ...]:
    known = (*ROLES, "any", *also)
    roles = []
    for text, item in document.texts(node, single=True):
        if text not in known:
            document.complain(item, f"{text!r} is no role", did_you_mean(text, known))
        roles.append(text)
    return tuple(roles)
