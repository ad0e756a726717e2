"""What was observed of each flow: established, unanswered, refused or uncertain. Facts of the table, no policy."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np

from auditor import _native
from auditor.arrays import NDArray
from auditor.blocks import blocks
from auditor.flows import TCP, UDP, FlowTable

OUTCOMES = ("established", "unanswered", "refused", "uncertain")
ESTABLISHED, UNANSWERED, REFUSED, UNCERTAIN = range(4)

_HANDSHAKE = frozenset({"S1", "SF", "S2", "S3", "RSTO", "RSTR"})
"""States with both halves of the handshake; a reset after it does not undo that the connection stood."""
_ASKED = frozenset({"S0", "RSTOS0"})
"""A SYN, and no SYN-ACK that answers it: not given, or not captured."""
_REFUSED = "REJ"
_ACK = 0x10

_STATE_BITS = 4
_FLAGS = 5
_BOTH = (False, True)
_JUDGED = (TCP, UDP)
"""Transports whose flows have outcomes; those of all others are uncertain."""
_FIRST_STATE = np.full(256, len(_JUDGED) << _STATE_BITS, np.uint16)
_FIRST_STATE[[*_JUDGED]] = [number << _STATE_BITS for number in range(len(_JUDGED))]
"""What is added to the state of a flow, by its transport, so that one look-up tells its outcome."""


def observed(table: FlowTable, silent: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return the outcome of each flow, an index into ``OUTCOMES``.

    ``silent`` (bool, one per flow) marks flows of services that do not answer: over UDP, sending is all there is to see.
    """
    outcome = np.empty(len(table), np.uint8)
    for rows in blocks(len(table)):
        outcome[rows] = _outcomes().take(_keys(table, rows, silent[rows]))
    return outcome


def established(table: FlowTable, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return which of some flows were established, whatever services do not answer; shape (rows,)."""
    found: NDArray[np.bool_] = _outcomes()[_keys(table, rows, np.zeros(len(rows), np.bool_))] == ESTABLISHED
    return found


def _keys(table: FlowTable, rows: slice | NDArray[np.intp], silent: NDArray[np.bool_]) -> NDArray[np.uint16]:
    """Return the places of some flows in ``_outcomes()``."""
    key = table["state"][rows].astype(np.uint16)
    key += _FIRST_STATE.take(table["transport"][rows])
    accepted = (table["orig_flags"][rows] & _ACK) != 0
    sent, answered = (table[f"{side}_payload"][rows] > 0 for side in ("orig", "resp"))
    for flag in (table["refusal"][rows] != 0, sent, answered, accepted, silent):
        key *= 2
        key += flag
    return key


def tcp_outcome(state: str, *, refused: bool, sent: bool, answered: bool, accepted: bool = False) -> int:
    """Return the outcome of a TCP flow.

    ``sent`` and ``answered`` tell which side's payload was seen, ``accepted`` that the originator acknowledged something.
    Without handshake, only payload both ways proves a connection; one side alone proves nothing either way.
    """
    asked = state in _ASKED or (state == _REFUSED and not refused)
    if state in _HANDSHAKE or (sent and answered):
        return ESTABLISHED
    if asked and answered:
        # One packet, the SYN-ACK, is missing from the capture: whoever was sent data had a connection.
        return ESTABLISHED
    if refused or (state == _REFUSED and not accepted):
        return REFUSED
    # Who sends data or an ACK after a SYN has had an answer, even if the capture lacks it.
    return UNANSWERED if state in _ASKED and not sent and not accepted else UNCERTAIN


def udp_outcome(state: str, *, refused: bool, silent: bool) -> int:
    """Return the outcome of a UDP flow, SF where both sides sent and S0 where only the originator did.

    ``silent``: the service never answers, so that nothing more can be expected.
    """
    if state in _HANDSHAKE:
        return ESTABLISHED
    if refused:
        return REFUSED
    if state not in _ASKED:
        return UNCERTAIN
    return ESTABLISHED if silent else UNANSWERED


@cache
def _outcomes() -> NDArray[np.uint8]:
    """Return the outcome for every combination of transport, state and the flags, in the order of ``_keys``."""
    table = np.full(len(_JUDGED) + 1 << _STATE_BITS + _FLAGS, UNCERTAIN, np.uint8)
    cases = product(_native.STATES, _BOTH, _BOTH, _BOTH, _BOTH, _BOTH)
    for number, (state, refused, sent, answered, accepted, silent) in enumerate(cases):
        told = {
            TCP: tcp_outcome(state, refused=refused, sent=sent, answered=answered, accepted=accepted),
            UDP: udp_outcome(state, refused=refused, silent=silent),
        }
        for transport, outcome in told.items():
            table[(int(_FIRST_STATE[transport]) << _FLAGS) + number] = outcome
    return table
