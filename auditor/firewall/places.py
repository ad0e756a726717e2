"""Where a firewall stands: between the zones, or on the hosts of a role or a zone."""

from __future__ import annotations

from auditor.documents.document import did_you_mean
from auditor.errors import UsageError
from auditor.firewall.model import IN, OUT, THROUGH
from auditor.firewall.ranges import EVERYWHERE, Addresses, of_networks
from auditor.policy.model import ANY, UNDECLARED, Network, Policy, Term, Zone
from auditor.ports import DYNAMIC, PortSet
from auditor.records import record
from auditor.services import ROLES

TRANSIT = "transit"
WORDS = (TRANSIT, *ROLES)
"""What ``--at`` completes; names of zones are taken as well."""


@record
class Ends:
    """Both ends of a term, as a firewall at some place sees them."""

    direction: str
    source: Addresses
    destination: Addresses


def zones_at(policy: Policy, at: str) -> tuple[str, tuple[Zone, ...]]:
    """Return the word for a place and its zones, none for a firewall between the zones. Raises UsageError."""
    if at == TRANSIT:
        return TRANSIT, ()
    role = next((role for role in ROLES if at in (role, role.removesuffix("s"))), at)
    zones = policy.zones_with((role,)) or tuple(zone for zone in policy.zones if zone.name == at)
    if not zones:
        known = (TRANSIT, *dict.fromkeys(word for zone in policy.zones for word in (zone.role, zone.name)))
        raise UsageError(f'--at {at}: the policy has no hosts of role or zone "{at}"', fix=did_you_mean(at, known))
    return role, zones


class Where:
    """The words of a policy's terms as addresses."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._zones = {zone.name: of_networks(zone.networks) for zone in policy.zones}
        self._by_name = {zone.name: zone for zone in policy.zones}
        inside = of_networks(network for zone in policy.zones for network in zone.networks)
        self._words = {**self._zones, ANY: EVERYWHERE, UNDECLARED: EVERYWHERE - inside}
        self._own: dict[str, list[tuple[Addresses, int | None, PortSet | None]]] = {}
        for host in policy.hosts.values():
            zone = policy.zone_of(host.address)
            if zone is not None:
                entry = (of_networks([_network(host.address)]), host.ndmp_port, host.dynamic_ports)
                self._own.setdefault(zone.name, []).append(entry)

    def of(self, word: str) -> Addresses:
        """Return the addresses that a word of a term means."""
        if word not in self._words:
            self._words[word] = of_networks([_network(word)])
        return self._words[word]

    def of_all(self, words: tuple[str, ...]) -> Addresses:
        """Return the addresses that several words mean."""
        found = Addresses()
        for word in words:
            found |= self.of(word)
        return found

    def words_in(self, words: tuple[str, ...], addresses: Addresses) -> tuple[str, ...]:
        """Return the words that have a part in some addresses."""
        return tuple(word for word in words if self.of(word) & addresses)

    def destination(self, term: Term, word: str) -> tuple[Addresses, Addresses]:
        """Return the destinations that a word of a term means: those that declare its ports (or need not), and those that
        declare no range at all, so that any port from 1024 is theirs.
        """
        if not term.declared or word not in self._by_name:
            return self.of(word), Addresses()
        found = self._declaring(word, term.declared, term.ports)
        without = self._declaring(word, term.declared, None) if term.ports == DYNAMIC else Addresses()
        return found, without

    def _declaring(self, name: str, setting: str, ports: PortSet | None) -> Addresses:
        zone = self._by_name[name]
        found, theirs = Addresses(), Addresses()
        for address, ndmp_port, dynamic_ports in self._own.get(name, ()):
            own = dynamic_ports if setting == "dynamic_ports" else _one(ndmp_port)
            if own is not None:
                theirs |= address
                found |= address if own == ports else Addresses()
        usual = zone.dynamic_ports if setting == "dynamic_ports" else _one(zone.ndmp_port or self._policy.ndmp_port)
        return found | (self._zones[name] - theirs) if usual == ports else found


def seen_from(zones: tuple[Zone, ...], source: Addresses, destination: Addresses) -> list[Ends]:
    """Return what a firewall sees of flows between some addresses: nothing, one direction or both."""
    if not zones:
        return [Ends(THROUGH, source, destination)]
    here = of_networks(network for zone in zones for network in zone.networks)
    seen = [Ends(IN, source, destination & here), Ends(OUT, source & here, destination)]
    return [ends for ends in seen if ends.source and ends.destination]


def _network(text: str) -> Network:
    import ipaddress

    return ipaddress.ip_network(text)


def _one(port: int | None) -> PortSet | None:
    return None if port is None else PortSet.of([port])
