"""Reads a policy file. docs/policy.md describes the format, schemas/policy.schema.json checks it in editors."""

from __future__ import annotations

import os

from auditor.documents.document import Document, read_document
from auditor.documents.yaml_tree import Node
from auditor.errors import DocumentProblem, PolicyError
from auditor.policy.load_terms import read_terms
from auditor.policy.load_zones import read_zones
from auditor.policy.meant import generation_meant
from auditor.policy.model import (
    DATA_DIRECTIONS,
    DEFAULT_NDMP_PORT,
    DEFAULT_TIME_WAIT,
    PORTS_PER_WORDS,
    SMTP_PORTS,
    SNMP_PORTS,
    Host,
    Policy,
    Zone,
)
from auditor.policy.read_values import read_address, read_logins, read_port
from auditor.policy.services_file import read_services_file
from auditor.services import DEFAULT_GENERATION, generations

POLICY_KEYS = (
    "generation", "ndmp_port", "data_direction", "zones", "hosts", "notification", "terms", "ports_per", "time_wait",
    "rules", "waivers", "logins",
)  # fmt: skip
OPTIONAL_SECTIONS = ("hosts", "notification", "terms", "waivers")
LONGEST_TIME_WAIT = 600
HOST_KEYS = ("name", "dynamic_ports", "ndmp_port", "services_file", "logins")
NOTIFICATION_KEYS = ("smtp_ports", "snmp_ports")


def load_policy(path: str | os.PathLike[str]) -> Policy:
    """Read a policy file and the services files that it names.

    Raises
    ------
    PolicyError
        With every problem of these files at once, each with file, line, column, reason and fix.
    """
    path = os.fspath(path)
    document = read_document(path, shown=path, kept="policy")
    if document.root is None:
        document.raise_problems(PolicyError)
    policy = _PolicyReader(document, os.path.dirname(path)).read()
    document.raise_problems(PolicyError)
    return policy


class _PolicyReader:
    """Turns the tree of one document into a policy; every complaint goes to the document."""

    def __init__(self, document: Document, folder: str) -> None:
        self._document = document
        self._folder = folder
        self._notes: list[DocumentProblem] = []
        self._services_files: list[str] = []

    def read(self) -> Policy:
        """Return the policy; it is complete only where the document has no problems."""
        document = self._document
        fields = document.fields(
            document.root, POLICY_KEYS, required=("zones",), may_be_empty=OPTIONAL_SECTIONS, what="a policy"
        )
        zones = read_zones(document, fields.get("zones"))
        hosts = self._hosts(fields.get("hosts"), zones)
        notification = document.fields(fields.get("notification"), NOTIFICATION_KEYS, what="smtp_ports and snmp_ports")
        policy = Policy(
            path=document.path,
            generation=document.choice(fields.get("generation"), generations(), generation_meant) or DEFAULT_GENERATION,
            zones=zones,
            hosts=hosts,
            ndmp_port=read_port(document, fields.get("ndmp_port")) or DEFAULT_NDMP_PORT,
            data_direction=document.choice(fields.get("data_direction"), DATA_DIRECTIONS) or "either",
            smtp_ports=document.ports(notification.get("smtp_ports")) or SMTP_PORTS,
            snmp_ports=document.ports(notification.get("snmp_ports")) or SNMP_PORTS,
            site_terms=read_terms(document, fields.get("terms"), zones),
            notes=tuple(self._notes),
            ports_per=document.choice(fields.get("ports_per"), PORTS_PER_WORDS) or "operation",
            time_wait=self._time_wait(fields.get("time_wait")),
            rules=self._rules(fields.get("rules")),
            services_files=tuple(self._services_files),
            waiver_files=self._waiver_files(fields.get("waivers")),
            logins=read_logins(document, fields.get("logins")),
        )
        self._check_ranges(policy)
        return policy

    def _time_wait(self, node: Node | None) -> int:
        seconds = self._document.whole_number(node, 0, LONGEST_TIME_WAIT)
        return DEFAULT_TIME_WAIT if seconds is None else seconds

    def _rules(self, node: Node | None) -> tuple[str, ...]:
        """Return the folders of the site's own rules; they count from the policy's own folder."""
        folders = []
        for text, item in self._document.texts(node, single=True):
            folder = self._beside(text)
            if not os.path.isdir(folder):
                self._document.complain(
                    item, f"folder of rules {text!r} does not exist", "the path counts from the policy's own folder"
                )
            folders.append(folder)
        return tuple(folders)

    def _hosts(self, node: Node | None, zones: tuple[Zone, ...]) -> dict[str, Host]:
        mapping = self._document.mapping(node, "hosts by address")
        hosts: dict[str, Host] = {}
        if mapping is None:
            return hosts
        declared = Policy(None, zones=zones)
        for text, value in mapping.values.items():
            host = self._host(text, value)
            if host is None:
                continue
            if host.address in hosts:
                first = hosts[host.address].place.line
                self._document.complain(
                    mapping.keys[text], f"{host.address} is described already, on line {first}", "keep one of them"
                )
            if declared.zone_of(host.address) is None:
                self._document.complain(
                    mapping.keys[text], f"{host.address} is in no zone", "add it to a zone, or remove it here"
                )
            hosts[host.address] = host
        return hosts

    def _host(self, text: str, node: Node) -> Host | None:
        document = self._document
        address = read_address(document, node, text)
        fields = document.fields(node, HOST_KEYS, what="what is declared of a host")
        ndmp_port = read_port(document, fields.get("ndmp_port"))
        if "services_file" in fields:
            from_file = self._services_port(fields["services_file"])
            if None not in (ndmp_port, from_file) and ndmp_port != from_file:
                document.complain(
                    fields["ndmp_port"],
                    f"the services file of {text} says {from_file}, not {ndmp_port}",
                    "remove ndmp_port",
                )
            ndmp_port = from_file if ndmp_port is None else ndmp_port
        if address is None:
            return None
        name = document.text(fields.get("name")) or ""
        ranges, logins = document.ports(fields.get("dynamic_ports")), read_logins(document, fields.get("logins"))
        return Host(str(address), name, ranges, ndmp_port, node.place, logins)

    def _services_port(self, node: Node) -> int | None:
        name = self._document.text(node)
        if name is None:
            return None
        path = self._beside(name)
        if not os.path.exists(path):
            self._document.complain(
                node, f"services file {name!r} does not exist", "the path counts from the policy's own folder"
            )
            return None
        services = read_services_file(path, path)
        self._services_files.append(path)
        self._document.problems += services.problems
        self._notes += services.notes
        return services.port

    def _waiver_files(self, node: Node | None) -> tuple[str, ...]:
        """Return the files of waivers that the policy names, counted from its own folder."""
        found = []
        for name, item in self._document.texts(node, single=True, some=True):
            path = self._beside(name)
            if not os.path.exists(path):
                advice = "the path counts from the policy's own folder"
                self._document.complain(item, f"file of waivers {name!r} does not exist", advice)
            found.append(path)
        return tuple(found)

    def _beside(self, name: str) -> str:
        """Return the path that the policy means by a name, which counts from its own folder."""
        # Only here: a policy that names no other file does without.
        from pathlib import Path

        return str(Path(self._folder, name))

    def _check_ranges(self, policy: Policy) -> None:
        """Refuse a range that holds the NDMP port of the same hosts: the two could not be told apart."""
        declared = [(zone.place, zone.dynamic_ports, zone.ndmp_port or policy.ndmp_port) for zone in policy.zones]
        declared += [
            (host.place, policy.dynamic_ports_of(host.address), policy.ndmp_port_of(host.address))
            for host in policy.hosts.values()
            # What a host has from its zone was said of the zone.
            if host.dynamic_ports is not None or host.ndmp_port is not None
        ]
        for place, ports, ndmp_port in declared:
            if ports is not None and ndmp_port in ports:
                self._document.complain(
                    place,
                    f"the dynamic range {ports} holds the NDMP port {ndmp_port}",
                    "end the range before it, or begin it after it",
                )
