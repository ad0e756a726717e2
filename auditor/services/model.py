"""What a service is: one row of a vendor's table, and all rows of a product generation. Imports no NumPy."""

from __future__ import annotations

from auditor.documents.yaml_tree import Place
from auditor.ports import PortSet
from auditor.records import record

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
"""How good a source is: docs/services.md."""

UNDECLARED = "undeclared"
"""Where a service listens that hosts of no zone offer."""

DEFAULT_GENERATION = "11d-12"
ANY_GENERATION = "any"


@record
class Variant:
    """A use of a service that the vendor's row does not print but practice knows: permitted, with ``doubt``."""

    transport: str
    listener: tuple[str, ...]
    originator: tuple[str, ...]
    doubt: str


@record
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


@record
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


@record
class ServiceFile:
    """What one file of services says: those of a generation, what it is based on, and what of that it leaves out."""

    generation: str
    based_on: str
    without: tuple[tuple[str, Place], ...]
    services: tuple[Service, ...]
    place: Place
