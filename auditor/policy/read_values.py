"""Reads the values that several parts of a policy share: a port, addresses, networks."""

from __future__ import annotations

import ipaddress

from auditor.documents.document import Document
from auditor.documents.yaml_tree import Node
from auditor.policy.model import LOGIN_TYPES, Address, Network, normalised
from auditor.ports import HIGHEST_PORT


def read_port(document: Document, node: Node | None) -> int | None:
    """Return one port."""
    return document.whole_number(node, 1, HIGHEST_PORT)


def read_logins(document: Document, node: Node | None) -> tuple[str, ...] | None:
    """Return types of NDMP login, each once, in the order of ``LOGIN_TYPES``; None where the key is not there."""
    if node is None:
        return None
    named = {document.choice(item, LOGIN_TYPES) for _, item in document.texts(node, single=True, some=True)}
    return tuple(kind for kind in LOGIN_TYPES if kind in named)


def read_address(document: Document, node: Node, text: str) -> Address | None:
    """Return an address; ``node`` is where ``text`` was written."""
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        document.complain(
            node,
            f"{text[:60]!r} is not an IP address",
            "write an address such as 10.0.0.5 or 2001:db8::5; names are not looked up",
        )
        return None
    if getattr(parsed, "scope_id", None):
        document.complain(node, f"{text[:60]!r} names an interface, which captures do not know", "leave out the % part")
        return None
    return normalised(parsed)


def read_network(document: Document, node: Node, text: str) -> Network | None:
    """Return a network, a single address as one of its own."""
    if "/" not in text:
        address = read_address(document, node, text)
        return None if address is None else ipaddress.ip_network(address)
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        document.complain(node, *_network_advice(text))
        return None


def _network_advice(text: str) -> tuple[str, str]:
    try:
        meant = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return f"{text[:60]!r} is not a network", "write a network such as 10.0.1.0/24"
    address = text.partition("/")[0]
    return (
        f"{text} has bits set beyond its prefix",
        f"write {meant} for the network, or {address} for the one host",
    )
