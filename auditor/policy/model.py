"""What a policy is: zones of hosts, their declared ports, and terms. Frozen, and free of NumPy."""

from __future__ import annotations

import ipaddress

from auditor.documents.yaml_tree import Place
from auditor.errors import DocumentProblem
from auditor.ports import PortSet
from auditor.records import field, record
from auditor.services import DEFAULT_GENERATION, ROLES

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

DEFAULT_NDMP_PORT = 10000
SMTP_PORTS = PortSet.of([25])
SNMP_PORTS = PortSet.of([162])
ANY = "any"
UNDECLARED = "undeclared"
MULTICAST = "multicast"
OTHER = "other"
"""Words that stand for no zone of a policy: anything, hosts of no zone, group addresses; and the role of no service."""

ZONE_ROLES = (*ROLES, OTHER)
PORTS_PER_WORDS = ("operation", "job", "resource")
DEFAULT_TIME_WAIT = 120
"""What ports are counted by, and seconds that a closed connection holds its port: docs/capacity.md."""

LOGIN_TYPES = ("none", "text", "md5", "bews", "sspi", "sha", "bews2")
"""Types of NDMP login that a policy may accept: the standard's none, text and md5, and Backup Exec's own."""

DATA_DIRECTIONS = ("either", "media-to-agent", "agent-to-media")


@record
class Host:
    """What a policy says of one host beyond its zone; None where the zone's word holds."""

    address: str
    name: str
    dynamic_ports: PortSet | None
    ndmp_port: int | None
    place: Place
    logins: tuple[str, ...] | None = None


@record
class Zone:
    """A named set of hosts with one role. ``networks`` holds single hosts as /32 or /128.

    ``logins`` are the types of NDMP login that these hosts may let in, None where the policy does not say.
    """

    name: str
    role: str
    networks: tuple[Network, ...]
    dynamic_ports: PortSet | None
    ndmp_port: int | None
    place: Place
    logins: tuple[str, ...] | None = None


@record
class Term:
    """One line of a policy: the first term that a flow matches gives its verdict.

    ``source`` and ``destination`` hold zone names, addresses, networks, ``any`` or ``undeclared``. ``ports`` are those of
    the destination, None for any. ``doubt`` says why a match is uncertain. ``carries`` restricts a term to flows known to
    be ``control`` or ``data`` connections. ``declared`` restricts it to destinations that declare exactly ``ports``
    (as NDMP port or dynamic range), where hosts of one zone declare different ones. ``origin`` is ``vendor`` or ``site``.
    """

    name: str
    action: str
    source: tuple[str, ...]
    destination: tuple[str, ...]
    transport: str
    ports: PortSet | None
    service: str
    doubt: str
    origin: str
    place: Place
    carries: str = ""
    declared: str = ""
    comment: str = ""

    @property
    def text(self) -> str:
        """The term as one line: ``permit tcp media-servers > agents: 10000``."""
        ports = "any port" if self.ports is None else str(self.ports)
        ends = f"{', '.join(self.source)} > {', '.join(self.destination)}"
        return f"{self.action} {self.transport} {ends}: {ports}"


@record
class Policy:
    """What traffic is held against.

    ``path`` is None for an inferred policy, whose ``because`` gives the reasons per address. ``notes`` are complaints that
    do not make the policy unusable. ``waiver_files`` and ``services_files`` are files that it names, ``rules`` folders of
    the site's own rules. ``hosts`` maps addresses (as ``ipaddress`` writes them) to what is declared of them.
    ``ports_per`` and ``time_wait`` (seconds) are for the capacity.
    """

    path: str | None
    inferred: bool = False
    generation: str = DEFAULT_GENERATION
    zones: tuple[Zone, ...] = ()
    hosts: dict[str, Host] = field(default_factory=dict)
    ndmp_port: int = DEFAULT_NDMP_PORT
    data_direction: str = "either"
    smtp_ports: PortSet = SMTP_PORTS
    snmp_ports: PortSet = SNMP_PORTS
    site_terms: tuple[Term, ...] = ()
    because: dict[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[DocumentProblem, ...] = ()
    ports_per: str = "operation"
    time_wait: int = DEFAULT_TIME_WAIT
    rules: tuple[str, ...] = ()
    waiver_files: tuple[str, ...] = ()
    services_files: tuple[str, ...] = ()
    logins: tuple[str, ...] | None = None
    _single: dict[Address, Zone] = field(init=False, repr=False, compare=False, default_factory=dict)
    _wide: list[tuple[Network, Zone]] = field(init=False, repr=False, compare=False, default_factory=list)

    def __post_init__(self) -> None:
        """Index the zones, so that asking for a host does not walk through all of them."""
        for zone in self.zones:
            for network in zone.networks:
                if network.num_addresses == 1:
                    self._single[network.network_address] = zone
                else:
                    self._wide.append((network, zone))

    def zone_of(self, address: str | Address) -> Zone | None:
        """Return the zone of an address, None where no zone has it. Raises ValueError for text that is no address."""
        parsed = normalised(address)
        single = self._single.get(parsed)
        return single or next((zone for network, zone in self._wide if parsed in network), None)

    def ndmp_port_of(self, address: str | Address) -> int:
        """Return the NDMP port that a host declares: its own, else its zone's, else the policy's."""
        host = self.hosts.get(str(normalised(address)))
        if host is not None and host.ndmp_port is not None:
            return host.ndmp_port
        zone = self.zone_of(address)
        return self.ndmp_port if zone is None or zone.ndmp_port is None else zone.ndmp_port

    def dynamic_ports_of(self, address: str | Address) -> PortSet | None:
        """Return the dynamic range that a host declares: its own, else its zone's, else None."""
        host = self.hosts.get(str(normalised(address)))
        if host is not None and host.dynamic_ports is not None:
            return host.dynamic_ports
        zone = self.zone_of(address)
        return None if zone is None else zone.dynamic_ports

    def logins_of(self, address: str | Address) -> tuple[str, ...] | None:
        """Return the types of login that a host may let in: its own, else its zone's, else the policy's, else None."""
        host = self.hosts.get(str(normalised(address)))
        if host is not None and host.logins is not None:
            return host.logins
        zone = self.zone_of(address)
        return self.logins if zone is None or zone.logins is None else zone.logins

    def name_of(self, address: str | Address) -> str:
        """Return the name that the policy gives a host, or nothing."""
        host = self.hosts.get(str(normalised(address)))
        return "" if host is None else host.name

    def ndmp_ports(self) -> tuple[int, ...]:
        """Return every NDMP port declared anywhere, sorted."""
        declared = {self.ndmp_port}
        declared |= {zone.ndmp_port for zone in self.zones if zone.ndmp_port is not None}
        declared |= {host.ndmp_port for host in self.hosts.values() if host.ndmp_port is not None}
        return tuple(sorted(declared))

    def zones_with(self, roles: tuple[str, ...]) -> tuple[Zone, ...]:
        """Return the zones whose role is among ``roles``."""
        return tuple(zone for zone in self.zones if zone.role in roles)


def normalised(address: str | Address) -> Address:
    """Return an address, a mapped IPv6 one as the IPv4 address that it stands for. Raises ValueError."""
    parsed = ipaddress.ip_address(address) if isinstance(address, str) else address
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return parsed if mapped is None else mapped
