"""The service catalogue: which ports the vendor names, who listens there and who connects. Data from ``rules/services``.

A file of ``rules/services`` holds the services of one product generation, or of any (``generation: any``); one entry
is one row of a vendor's table, with its source and its doubts. docs/services.md describes the format. Imports no NumPy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from auditor.compiled import remembered
from auditor.documents.document import Document, did_you_mean, read_document
from auditor.documents.yaml_tree import Node, Place
from auditor.errors import DocumentProblem, RuleError
from auditor.ports import PortSet

ROLES = (
    "media-servers",
    "agents",
    "filers",
    "databases",
    "mail-relays",
    "snmp-managers",
    "domain-controllers",
    "consoles",
    "desktops",
)
"""What a zone of hosts is for. A zone may also have the role ``other``, which no service names."""

INFRASTRUCTURE_ROLES = ("mail-relays", "snmp-managers", "domain-controllers")
"""Roles whose hosts serve the whole site: only their vendor services concern the audit."""

FAMILIES = (
    "control", "data", "browser", "server", "sql", "netware", "directory", "netbios",
    "rpc", "push", "notification", "dba", "dlo", "agent", "dedupe", "platform",
)  # fmt: skip
"""Kinds of services, for rules that speak of several at once. ``platform`` is not the vendor's."""

PORT_SOURCES = ("ndmp_port", "dynamic_ports", "smtp_ports", "snmp_ports")
"""Policy settings that a row may take its ports from; ``ports`` is then their default."""

NDMP_CONTROL = "ndmp-control"
NDMP_DATA = "ndmp-data"
"""The two services that are told by what a connection carries, whatever its port. Every generation has them."""

GRADES = ("A", "B", "C", "D", "U")
_WEAK = ("C", "D", "U")
UNDECLARED = "undeclared"
"""Where a service listens that hosts of no zone offer."""

DEFAULT_GENERATION = "11d-12"
ANY_GENERATION = "any"

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_SINCE = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+", re.ASCII)
_FILE_KEYS = ("title", "generation", "since", "based_on", "without", "services")
_KEYS = (
    "id", "name", "process", "transport", "ports", "ports_from", "listener", "originator", "also", "answers", "tables",
    "source", "grade", "doubt", "since", "optional", "family", "part_of", "names", "examples",
)  # fmt: skip
_REQUIRED = ("id", "name", "transport", "listener", "originator", "source", "grade", "family", "examples")
_VARIANT_KEYS = ("transport", "listener", "originator", "doubt")


@dataclass(frozen=True, slots=True)
class Variant:
    """A use of a service that the vendor's row does not print but practice knows: permitted, with ``doubt``."""

    transport: str
    listener: tuple[str, ...]
    originator: tuple[str, ...]
    doubt: str


@dataclass(frozen=True, slots=True)
class Service:
    """One row: a service, its ports and the roles at its two ends.

    ``transport`` is ``tcp``, ``udp`` or ``any`` (both). ``ports_from`` names the policy setting that the ports come from,
    ``ports`` being its default. ``names`` has other names by the listener's role. ``answers`` is false where nothing
    comes back (traps, datagrams). ``part_of`` names the service under which traffic of this row is judged, where ports
    and roles cannot tell the two apart. ``optional`` marks what no vendor text shows: it is permitted with a doubt.
    ``since`` is the version of auditor that brought the row. A listener may be ``undeclared``: hosts of no zone.
    ``tables`` gives table and row of the vendor's chapter; ``silent`` and ``fires`` are examples in flow notation.
    """

    id: str
    name: str
    process: str
    transport: str
    ports: PortSet
    ports_from: str
    listener: tuple[str, ...]
    originator: tuple[str, ...]
    also: tuple[Variant, ...]
    answers: bool
    tables: tuple[str, ...]
    source: str
    grade: str
    doubt: str
    since: str
    optional: bool
    family: str
    part_of: str
    names: dict[str, str]
    silent: tuple[str, ...]
    fires: tuple[str, ...]
    generation: str
    place: Place

    @property
    def platform(self) -> bool:
        """Whether this is a common host service, not the vendor's."""
        return self.family == "platform"

    @property
    def port_text(self) -> str:
        """The ports as a table shows them."""
        return "dynamic" if self.ports_from == "dynamic_ports" else str(self.ports)

    def name_at(self, role: str) -> str:
        """Return the name of the service where a host of ``role`` listens."""
        return self.names.get(role, self.name)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All services of a product generation, the vendor's before the platform's, each in the order of its file."""

    services: tuple[Service, ...]
    generation: str

    def get(self, service_id: str) -> Service | None:
        """Return a service by its id."""
        return next((service for service in self.services if service.id == service_id), None)

    def judged(self) -> tuple[Service, ...]:
        """Return the services that traffic is judged under: those that are part of no other."""
        return tuple(service for service in self.services if not service.part_of)

    def known_ports(self) -> tuple[int, ...]:
        """Return the fixed ports of all vendor services, sorted; they help to tell who originated a flow."""
        fixed = [service.ports for service in self.services if service.ports_from != "dynamic_ports"]
        return tuple(sorted({port for ports in fixed for low, high in ports.ranges for port in range(low, high + 1)}))


@dataclass(frozen=True, slots=True)
class _File:
    generation: str
    based_on: str
    without: tuple[tuple[str, Place], ...]
    services: tuple[Service, ...]
    place: Place


def rules_folder() -> Path:
    """Return the folder of rules and services: the checkout's where there is one, else the installed copy."""
    package = Path(__file__).resolve().parent
    checkout = package.parent / "rules"
    return checkout if (checkout / "services").is_dir() else package / "_data" / "rules"


def generations(folder: Path | None = None) -> tuple[str, ...]:
    """Return the names of all product generations. Raises RuleError."""
    return _known(_read_folder(folder or rules_folder() / "services"))


def load_catalogue(generation: str = DEFAULT_GENERATION, folder: Path | None = None) -> Catalogue:
    """Return the services of a generation: those it is based on, its own changes, then those of any generation.

    ``folder`` replaces the ``services`` folder of ``rules_folder()``.

    Raises
    ------
    RuleError
        A file is not as docs/services.md describes it, or there is no such generation.
    """
    return _load(generation, folder or rules_folder() / "services")


@cache
def _load(generation: str, folder: Path) -> Catalogue:
    files = _read_folder(folder)
    services: dict[str, Service] = {}
    for file in _lineage(generation, files, folder):
        for service_id, place in file.without:
            if services.pop(service_id, None) is None:
                raise RuleError([_problem(place, f"there is no service {service_id!r} to leave out")])
        services.update((service.id, service) for service in file.services)
    for file in files:
        if file.generation == ANY_GENERATION:
            services.update((service.id, service) for service in file.services)
    _check_references(services)
    return Catalogue(tuple(services.values()), generation)


def _known(files: tuple[_File, ...]) -> tuple[str, ...]:
    return tuple(sorted({file.generation for file in files} - {ANY_GENERATION}))


def _lineage(generation: str, files: tuple[_File, ...], folder: Path) -> list[_File]:
    """Return the files of a generation and of those it is based on, oldest base first."""
    found: list[_File] = []
    wanted, at = generation, Place(str(folder), 1)
    while wanted:
        own = [file for file in files if file.generation == wanted]
        if not own or own[0] in found:
            message = "is based on itself" if own else "is not in the catalogue"
            raise RuleError([_problem(at, f"generation {wanted!r} {message}", did_you_mean(wanted, _known(files)))])
        found = own + found
        wanted = next((file.based_on for file in own if file.based_on), "")
        at = own[0].place
    return found


def _check_references(services: dict[str, Service]) -> None:
    problems = [
        _problem(
            service.place, f"part_of names no service: {service.part_of!r}", did_you_mean(service.part_of, services)
        )
        for service in services.values()
        if service.part_of and service.part_of not in services
    ]
    problems += [
        _problem(Place("rules/services", 1), f"every generation needs the service {needed!r}")
        for needed in sorted({NDMP_CONTROL, NDMP_DATA} - set(services))
    ]
    if problems:
        raise RuleError(problems)


@cache
def _read_folder(folder: Path) -> tuple[_File, ...]:
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise RuleError([_problem(Place(str(folder), 1), "the folder holds no service files (*.yaml)")])
    if folder != rules_folder() / "services":
        return _read_files(folder, paths)
    return remembered("services", paths, (_File, Service, Variant, PortSet, Place), lambda: _read_files(folder, paths))


def _read_files(folder: Path, paths: list[Path]) -> tuple[_File, ...]:
    problems: list[DocumentProblem] = []
    files = []
    for path in paths:
        document = read_document(path, shown=f"{folder.name}/{path.name}")
        files.append(_read_file(document))
        problems += document.problems
    if problems:
        raise RuleError(problems)
    return tuple(files)


def _read_file(document: Document) -> _File:
    fields = document.fields(document.root, _FILE_KEYS, required=("generation",))
    generation = document.text(fields.get("generation")) or ""
    services: dict[str, Service] = {}
    for node in document.items(fields.get("services")):
        service = _read_service(document, node, generation, document.text(fields.get("since")) or "")
        if service.id in services:
            first = services[service.id].place
            document.complain(node, f"service {service.id!r} is given twice; the first is on line {first.line}")
        services[service.id] = service
    return _File(
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


def _problem(place: Place, message: str, fix: str = "") -> DocumentProblem:
    return DocumentProblem(place.path, place.line, place.column, message, fix)
