"""Reads a policy from the traffic where none was declared: who acts as what, each with the reason.

Roles rest on what a host is seen to do, strongest sign first. A host that merely connects somewhere proves nothing: an
outsider does that too. So consoles and desktops are never inferred, and a media server is one that set up a transfer (inside
TLS: that moved data beside a control connection), else one whose login was accepted, else one that spoke NDMP at all. No
range is inferred: what was used is not what was meant.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from functools import cached_property

import numpy as np

from auditor import _native
from auditor.arrays import NDArray
from auditor.blocks import look_up
from auditor.distinct import among, distinct, firsts
from auditor.documents.yaml_tree import Place
from auditor.flows import TCP, FlowTable
from auditor.ndmp import NdmpMessages
from auditor.policy.beside import with_data_beside
from auditor.policy.model import DEFAULT_NDMP_PORT, Policy, Zone, normalised
from auditor.policy.outcome import established
from auditor.ports import PortSet
from auditor.services import ROLES, Catalogue

CLIENT_AUTH = 0x901
TRANSFERS = (0x401, 0x402, 0x40B, 0x409, 0x40A, 0xA01, 0xA09)
"""DATA_START_*, DATA_LISTEN, DATA_CONNECT, MOVER_LISTEN, MOVER_CONNECT: a refused client gets no further than an error."""

_NDMP = _native.APPS.index("ndmp")
_UNREADABLE = tuple(_native.APPS.index(name) for name in ("unknown", "tls"))
_AGENT_SERVICES = ("remote-agent-6103", "netware-agent-9", "push-install")
_TARGETS = (
    ("smtp", "mail-relays", "receives mail of"),
    ("snmp-trap", "snmp-managers", "receives traps of"),
    ("kerberos", "domain-controllers", "is asked for Kerberos tickets by"),
    ("mssql", "databases", "is asked for SQL by"),
    ("mssql-monitor", "databases", "is asked for SQL instances by"),
)
"""What a media server's own connections tell of the hosts that it connects to."""

Bools = NDArray[np.bool_]
Rows = NDArray[np.intp]


def infer_policy(table: FlowTable, messages: NdmpMessages, catalogue: Catalogue) -> Policy:
    """Return a policy with the roles that the traffic shows, marked ``inferred``, with reasons per address.

    Reasons name packets. The vendor's services are the yardstick; the NDMP port is the one that most agents answer on.
    """
    return _Inference(table, messages, catalogue).policy()


class _Inference:
    """Collects roles of addresses; the first role that an address gets stays."""

    def __init__(self, table: FlowTable, messages: NdmpMessages, catalogue: Catalogue) -> None:
        self._table = table
        self._messages = messages
        self._catalogue = catalogue
        self._roles: dict[int, str] = {}
        self._because: dict[int, dict[str, int]] = {}
        self._ndmp = np.flatnonzero((table["transport"] == TCP) & (table["app"] == _NDMP))
        self._ndmp_port = self._usual_ndmp_port()

    def policy(self) -> Policy:
        """Return what was found."""
        self._media_servers()
        self._agents()
        self._targets()
        zones = []
        for role in ROLES:
            codes = sorted(code for code, given in self._roles.items() if given == role)
            if codes:
                networks = tuple(ipaddress.ip_network(normalised(self._table.address(code))) for code in codes)
                zones.append(Zone(role, role, networks, None, None, Place("", 0)))
        because = {
            self._table.address_text(code): tuple(f"{reason} (packet {packet})" for reason, packet in reasons.items())
            for code, reasons in self._because.items()
        }
        return Policy(
            path=None,
            inferred=True,
            generation=self._catalogue.generation,
            zones=tuple(zones),
            ndmp_port=self._ndmp_port,
            because=because,
        )

    def _usual_ndmp_port(self) -> int:
        """Return the port on which most hosts answer NDMP; the vendor's where there is none or a draw."""
        rows = self._ndmp
        pairs = distinct(self._table["resp_addr"][rows].astype(np.int64) << 16 | self._table["resp_port"][rows])
        counts = Counter((pairs & 0xFFFF).tolist())
        return max(counts, key=lambda port: (counts[port], port == DEFAULT_NDMP_PORT, -port), default=DEFAULT_NDMP_PORT)

    def _media_servers(self) -> None:
        """Let the strongest sign that any host shows decide for all: beside a host that moves data, a mere login is none."""
        login, transfer = self._answered((CLIENT_AUTH,)), self._answered(TRANSFERS)
        unread = with_data_beside(self._table, self._unreadable(), self._catalogue.known_ports())
        for flow in unread.tolist():
            code, packet = int(self._table["orig_addr"][flow]), int(self._table["first_packet"][flow])
            self._note(code, "media-servers", "moved data beside an unreadable connection to the NDMP port", packet)
        for flow in transfer or ({} if len(unread) else login):
            code = int(self._table["orig_addr"][flow])
            if flow in login:
                self._note(code, "media-servers", "logged in by NDMP", login[flow])
            if flow in transfer:
                self._note(code, "media-servers", "set up a transfer by NDMP", transfer[flow])
        self._agent_browsers()
        if not self._roles:
            self._note_all(self._ndmp, "orig_addr", "media-servers", "opened an NDMP control connection")

    def _unreadable(self) -> Bools:
        """Return what may be a control connection of which little or nothing can be read, TLS above all."""
        table, streams = self._table, self._messages.streams
        by_port = (table["resp_port"] == self._ndmp_port) & among(table["app"], _UNREADABLE)
        rows = np.flatnonzero((table["transport"] == TCP) & by_port)
        mask = np.zeros(len(table), np.bool_)
        mask[rows] = established(table, rows)
        mask[streams["flow"][streams["tls"].astype(np.bool_)]] = True
        return mask

    def _agent_browsers(self) -> None:
        """Take a host on which agents register for a media server; where no NDMP was seen, any that answers on that port."""
        talks_ndmp = np.zeros(len(self._table.addresses), np.bool_)
        talks_ndmp[self._table["resp_addr"][self._ndmp]] = True
        ports = self._ports("agent-browser")
        rows = np.flatnonzero(ports.contains(self._table["resp_port"])) if ports.ranges else np.zeros(0, np.intp)
        rows = rows[established(self._table, rows)]
        if len(self._ndmp):
            orig, resp = self._table["orig_addr"][rows], self._table["resp_addr"][rows]
            rows = rows[talks_ndmp[orig] & ~talks_ndmp[resp]]
        self._note_all(rows, "resp_addr", "media-servers", "accepts registrations of agents")

    def _agents(self) -> None:
        self._note_all(self._ndmp, "resp_addr", "agents", "answers NDMP")
        rows = self._from_media
        tcp = self._table["transport"][rows] == TCP
        control = rows[tcp & (self._table["resp_port"][rows] == self._ndmp_port)]
        self._note_all(control, "resp_addr", "agents", "is asked for NDMP by a media server")
        for service in _AGENT_SERVICES:
            reason = f"is asked for {self._name(service)} by a media server"
            self._note_all(self._to_service(service), "resp_addr", "agents", reason)

    def _targets(self) -> None:
        for service, role, reason in _TARGETS:
            self._note_all(self._to_service(service), "resp_addr", role, f"{reason} a media server")

    @cached_property
    def _from_media(self) -> Rows:
        """The flows that media servers opened; asked for when all of these are known."""
        media = np.zeros(len(self._table.addresses), np.bool_)
        media[[code for code, role in self._roles.items() if role == "media-servers"]] = True
        if not media.any():
            return np.zeros(0, np.intp)
        return np.flatnonzero(look_up(media, self._table["orig_addr"]))

    def _to_service(self, service_id: str) -> Rows:
        """Return the flows that media servers opened to the ports of a service."""
        rows: Rows = self._from_media[self._ports(service_id).contains(self._table["resp_port"][self._from_media])]
        return rows

    def _ports(self, service_id: str) -> PortSet:
        service = self._catalogue.get(service_id)
        return PortSet(()) if service is None else service.ports

    def _name(self, service_id: str) -> str:
        service = self._catalogue.get(service_id)
        return service.name if service else service_id

    def _answered(self, codes: tuple[int, ...]) -> dict[int, int]:
        """Return control flows with a reply to one of these messages that reports no error, and its first packet."""
        messages = self._messages
        wanted = among(messages["message"], codes) & messages["reply"] & (messages["error"] == 0)
        rows = np.flatnonzero(wanted)
        rows = rows[firsts(messages["flow"][rows])]
        return dict(zip(messages["flow"][rows].tolist(), messages["packet"][rows].tolist(), strict=True))

    def _note_all(self, rows: Rows, end: str, role: str, reason: str) -> None:
        """Give ``role`` to the addresses at one end of flows, each with the first packet that shows it."""
        rows = rows[firsts(self._table[end][rows])]
        for code, row in zip(self._table[end][rows].tolist(), rows.tolist(), strict=True):
            self._note(code, role, reason, int(self._table["first_packet"][row]))

    def _note(self, code: int, role: str, reason: str, packet: int) -> None:
        """Give a host a role, for a reason and the first packet that shows it; a reason is told once."""
        address = self._table.address(code)
        if address.is_multicast or address.is_unspecified or str(address) == "255.255.255.255":
            return
        if self._roles.setdefault(code, role) == role:
            self._because.setdefault(code, {}).setdefault(reason, packet)
