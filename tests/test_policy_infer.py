"""Roles read from traffic where no policy was declared."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

import numpy as np
import pytest

from auditor import _native
from auditor.flows import FlowTable
from auditor.ndmp import FIELD_COLUMNS, MESSAGE_COLUMNS, STREAM_COLUMNS, NdmpMessages
from auditor.notation import parse
from auditor.policy.infer import infer_policy
from auditor.policy.model import Policy
from auditor.services import load_catalogue
from tests.support import CAPTURES

AUTH, LISTEN = 0x901, 0x409
ONE, TWO = "10.0.0.1", "10.0.0.2"
AGENT, OTHER = "10.0.9.1", "10.0.9.2"


def inferred(flows: str, replies: Sequence[tuple[int, int, int, int]] = ()) -> Policy:
    """Infer from flows of the notation and NDMP replies (flow, packet, message, error)."""
    columns = {column.name: np.zeros(len(replies), column.dtype) for column in MESSAGE_COLUMNS}
    for row, (flow, packet, message, error) in enumerate(replies):
        columns["flow"][row], columns["packet"][row] = flow, packet
        columns["message"][row], columns["error"][row] = message, error
        columns["reply"][row] = columns["from_responder"][row] = True
    fields = {column.name: np.zeros(0, column.dtype) for column in FIELD_COLUMNS}
    streams = {column.name: np.zeros(0, column.dtype) for column in STREAM_COLUMNS}
    return infer_policy(parse(flows).table, NdmpMessages(columns, fields, [], streams), load_catalogue())


def roles(policy: Policy) -> dict[str, str]:
    return {str(network.network_address): zone.role for zone in policy.zones for network in zone.networks}


TWO_CLIENTS = f"{ONE}:1 > {AGENT}:10000 tcp app=ndmp\n{TWO}:1 > {OTHER}:10000 tcp app=ndmp\n"


@pytest.mark.parametrize(
    ("replies", "media"),
    [
        # A transfer outweighs a mere login, as in captures/rogue, where an outsider logs in.
        ([(0, 5, AUTH, 0), (0, 7, LISTEN, 0), (1, 9, AUTH, 0)], {ONE}),
        # A login outweighs an attempt.
        ([(0, 5, AUTH, 0), (1, 9, AUTH, 4)], {ONE}),
        # A refused transfer is no transfer.
        ([(0, 5, LISTEN, 4), (1, 9, AUTH, 0)], {TWO}),
        ([(0, 5, AUTH, 0), (1, 9, AUTH, 0)], {ONE, TWO}),
        # Where none has more to show, all that spoke NDMP count.
        ([], {ONE, TWO}),
    ],
)
def test_the_strongest_sign_makes_the_media_server(replies: list[tuple[int, int, int, int]], media: set[str]) -> None:
    found = roles(inferred(TWO_CLIENTS, replies))
    assert {address for address, role in found.items() if role == "media-servers"} == media
    assert {address for address, role in found.items() if role == "agents"} == {AGENT, OTHER}


def test_reasons_name_packets() -> None:
    policy = inferred(TWO_CLIENTS, [(0, 5, AUTH, 0), (0, 7, LISTEN, 0)])
    assert policy.because[ONE] == ("logged in by NDMP (packet 5)", "set up a transfer by NDMP (packet 7)")
    assert policy.because[AGENT] == ("answers NDMP (packet 1)", "is asked for NDMP by a media server (packet 1)")
    assert policy.because[OTHER] == ("answers NDMP (packet 10)",)
    assert TWO not in policy.because
    assert (policy.inferred, policy.path, policy.generation) == (True, None, "11d-12")


def test_what_the_media_server_asks_for_tells_who_it_asks() -> None:
    flows = f"{ONE}:1 > {AGENT}:10000 tcp app=ndmp\n" + "".join(
        f"{ONE}:40002 > {address}:{port} {transport} S0\n"
        for address, port, transport in (
            ("10.0.9.3", 10000, "tcp"),
            ("10.0.5.1", 25, "tcp"),
            ("10.0.6.1", 162, "udp"),
            ("10.0.7.1", 88, "udp"),
            ("10.0.4.1", 1125, "tcp"),
            ("239.1.2.3", 162, "udp"),
            ("203.0.113.1", 443, "tcp"),
        )
    )
    assert roles(inferred(flows)) == {
        ONE: "media-servers",
        AGENT: "agents",
        "10.0.9.3": "agents",
        "10.0.5.1": "mail-relays",
        "10.0.6.1": "snmp-managers",
        "10.0.7.1": "domain-controllers",
        "10.0.4.1": "databases",
    }


def test_who_merely_connects_gets_no_role() -> None:
    flows = f"{AGENT}:1 > {ONE}:6101 tcp\n203.0.113.9:1 > {ONE}:6106 tcp\n203.0.113.9:1 > {ONE}:3999 tcp\n"
    assert roles(inferred(flows)) == {ONE: "media-servers"}


def test_registrations_count_only_from_agents_where_ndmp_was_seen() -> None:
    flows = f"{ONE}:1 > {AGENT}:10000 tcp app=ndmp\n{AGENT}:1 > {TWO}:6101 tcp\n{OTHER}:1 > 10.0.0.3:6101 tcp\n"
    found = roles(inferred(flows, [(0, 5, AUTH, 0)]))
    assert {address for address, role in found.items() if role == "media-servers"} == {ONE, TWO}


DATA = "at=2 for=5 bytes=0/200000"


def test_control_inside_tls_tells_where_data_followed() -> None:
    tls = f"{ONE}:1 > {AGENT}:10000 tcp app=tls at=1 for=9\n"
    found = roles(inferred(f"{tls}{ONE}:40002 > {AGENT}:50100 tcp {DATA}\n"))
    assert found == {ONE: "media-servers", AGENT: "agents"}
    # The agent may open it as well; the connection to its port is what tells who is who.
    assert roles(inferred(f"{tls}{AGENT}:40002 > {ONE}:50100 tcp {DATA}\n")) == found
    assert roles(inferred(f"{ONE}:1 > {AGENT}:10000 tcp app=http\n{ONE}:40002 > {AGENT}:50100 tcp {DATA}\n")) == {}


@pytest.mark.parametrize(
    "data",
    [
        "",
        f"{ONE}:40002 > {AGENT}:50100 tcp at=2 for=5 bytes=0/2000",
        f"{ONE}:40002 > {AGENT}:50100 tcp at=12 for=5 bytes=0/200000",
        f"{ONE}:40002 > {OTHER}:50100 tcp {DATA}",
        f"{ONE}:40002 > {AGENT}:443 tcp {DATA}",
        f"{ONE}:40002 > {AGENT}:10000 tcp app=tls {DATA}",
    ],
    ids=["none", "little", "afterwards", "another host", "a service", "another of its kind"],
)
def test_tls_alone_makes_nobody_a_media_server(data: str) -> None:
    assert roles(inferred(f"{ONE}:1 > {AGENT}:10000 tcp app=tls at=1 for=9\n{data}\n")) == {}


def test_a_scan_with_tls_makes_nobody_a_media_server() -> None:
    """Two hundred outsiders shake hands on the port and leave; one host moves data, though its login is not to be read."""
    scan = "".join(f"203.0.113.{n}:{n} > {AGENT}:10000 tcp app=tls at=0.{n:03}\n" for n in range(1, 201))
    assert roles(inferred(scan)) == {}
    honest = f"{ONE}:1 > {AGENT}:10000 tcp app=tls at=1 for=9\n{ONE}:40002 > {AGENT}:50100 tcp {DATA}\n"
    # An outsider who logs in in clear outweighs no host that moves data.
    loud = f"{TWO}:1 > {AGENT}:10000 tcp app=ndmp\n"
    found = inferred(loud + scan + honest, [(0, 5, AUTH, 0)])
    assert roles(found) == {ONE: "media-servers", AGENT: "agents"}
    assert found.because[ONE][0].startswith("moved data beside an unreadable connection to the NDMP port (packet ")


@pytest.mark.parametrize(("ports", "usual"), [((10001, 10001), 10001), ((9999, 10000), 10000), ((9999, 9000), 9000)])
def test_the_usual_ndmp_port(ports: tuple[int, int], usual: int) -> None:
    flows = "".join(f"{ONE}:1 > 10.0.9.{n}:{port} tcp app=ndmp\n" for n, port in enumerate(ports))
    assert inferred(flows).ndmp_port == usual


def test_nothing_is_inferred_from_nothing() -> None:
    policy = inferred("")
    assert (policy.zones, policy.inferred) == ((), True)


# Roles as the processes recorded them in captures/*/truth.json; only hosts that show themselves are listed.
CAPTURED = {
    "compliant": {"10.77.0.10": "media-servers", "10.77.0.21": "agents", "10.77.0.22": "agents"},
    "rogue": {"10.77.0.10": "media-servers", "10.77.0.21": "agents", "10.77.0.22": "agents"},
    "tls": {"10.77.0.10": "media-servers", "10.77.0.21": "agents"},
    "midstream": {"10.77.0.10": "media-servers", "10.77.0.21": "agents", "10.77.0.22": "agents"},
    "services": {"10.77.0.10": "media-servers", "10.77.0.70": "domain-controllers", "10.77.0.60": "databases"},
}


@pytest.mark.parametrize("name", CAPTURED)
def test_real_captures(name: str) -> None:
    (capture,) = (CAPTURES / name).glob(f"{name}.pcap*")
    catalogue = load_catalogue()
    reading = _native.read_flows([str(capture)], known_ports=catalogue.known_ports())
    policy = infer_policy(FlowTable.from_reading(reading), NdmpMessages.from_reading(reading), catalogue)
    found = roles(policy)
    assert CAPTURED[name].items() <= found.items()
    assert "10.77.0.99" not in found  # the outsider
    assert all(ipaddress.ip_address(address) and reasons for address, reasons in policy.because.items())
