"""Which flows are control connections: by what they carry first, by the declared port second."""

from __future__ import annotations

import numpy as np

from auditor import _native
from auditor.arrays import NDArray
from auditor.blocks import look_up
from auditor.distinct import among
from auditor.flows import TCP, FlowTable
from auditor.ndmp import NdmpMessages
from auditor.sessions.model import Readable

Mask = NDArray[np.bool_]

NDMP = _native.APPS.index("ndmp")
TLS = _native.APPS.index("tls")
UNKNOWN = _native.APPS.index("unknown")
_SYN, _ACK = 0x02, 0x10
NO_CODE = 0xFFFFFFFF


def control_mask(table: FlowTable, control_ports: NDArray[np.uint16]) -> Mask:
    """Return the flows that are, or try to be, control connections.

    Those that carry NDMP, on any port, and those towards the responder's declared NDMP port. ``control_ports`` gives
    the declared port of each address code, 0 for hosts on which no port is declared.
    """
    tcp: Mask = table["transport"] == TCP
    if not len(control_ports):
        return np.zeros(len(table), np.bool_)
    declared = look_up(control_ports, table["resp_addr"])
    by_port = (declared != 0) & (table["resp_port"] == declared)
    mask: Mask = tcp & (by_port | (table["app"] == NDMP))
    return mask


def backwards(table: FlowTable, control_ports: NDArray[np.uint16]) -> Mask:
    """Return the flows without a handshake that come *from* a declared NDMP port: control connections, by a wrong guess."""
    mask = np.zeros(len(table), np.bool_)
    if not len(control_ports):
        return mask
    rows = np.flatnonzero((table["transport"] == TCP) & (table["syn_packets"] == 0))
    declared = control_ports[table["orig_addr"][rows]]
    mask[rows] = (declared != 0) & (table["orig_port"][rows] == declared)
    return mask


def session_rows(table: FlowTable, control: Mask) -> NDArray[np.intp]:
    """Return the control connections that came about: both sides were seen to talk, and not some other protocol."""
    rows = np.flatnonzero(control)
    app = table["app"][rows]
    talked = (table["orig_packets"][rows] > 0) & (table["resp_packets"][rows] > 0)
    accepted = ((table["resp_flags"][rows] & _ACK) != 0) & (table["refusal"][rows] == 0)
    came_about: NDArray[np.intp] = rows[among(app, (NDMP, TLS, UNKNOWN)) & ((app == NDMP) | (talked & accepted))]
    return came_about


def readable(table: FlowTable, messages: NdmpMessages, flow: int, cut_messages: int) -> Readable:
    """Say how much of a control stream could be read."""
    stream = messages.stream(flow)
    if stream is None:
        return Readable.TLS if int(table["app"][flow]) == TLS else Readable.NOT_SEEN
    if bool(messages.streams["tls"][stream]):
        return Readable.TLS
    if int(messages.streams["began"][stream]):
        return Readable.MID_STREAM
    unread = cut_messages or int(messages.streams["skipped_bytes"][stream])
    return Readable.CUT if unread else Readable.READ
