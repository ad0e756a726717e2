"""TLS handshakes of a reading: what was shown before a connection went dark. Facts only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from auditor import _native
from auditor.arrays import NDArray

VERSIONS = {
    0x0002: "SSL 2.0",
    0x0300: "SSL 3.0",
    0x0301: "TLS 1.0",
    0x0302: "TLS 1.1",
    0x0303: "TLS 1.2",
    0x0304: "TLS 1.3",
}
"""Names of versions by their number on the wire."""

CIPHERS = {
    0x0004: "RSA_WITH_RC4_128_MD5",
    0x0005: "RSA_WITH_RC4_128_SHA",
    0x000A: "RSA_WITH_3DES_EDE_CBC_SHA",
    0x002F: "RSA_WITH_AES_128_CBC_SHA",
    0x0033: "DHE_RSA_WITH_AES_128_CBC_SHA",
    0x0035: "RSA_WITH_AES_256_CBC_SHA",
    0x0039: "DHE_RSA_WITH_AES_256_CBC_SHA",
    0x003C: "RSA_WITH_AES_128_CBC_SHA256",
    0x003D: "RSA_WITH_AES_256_CBC_SHA256",
    0x009C: "RSA_WITH_AES_128_GCM_SHA256",
    0x009D: "RSA_WITH_AES_256_GCM_SHA384",
    0x009E: "DHE_RSA_WITH_AES_128_GCM_SHA256",
    0x009F: "DHE_RSA_WITH_AES_256_GCM_SHA384",
    0x1301: "AES_128_GCM_SHA256",
    0x1302: "AES_256_GCM_SHA384",
    0x1303: "CHACHA20_POLY1305_SHA256",
    0xC009: "ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    0xC00A: "ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    0xC013: "ECDHE_RSA_WITH_AES_128_CBC_SHA",
    0xC014: "ECDHE_RSA_WITH_AES_256_CBC_SHA",
    0xC023: "ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    0xC024: "ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
    0xC027: "ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    0xC028: "ECDHE_RSA_WITH_AES_256_CBC_SHA384",
    0xC02B: "ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    0xC02C: "ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    0xC02F: "ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    0xC030: "ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    0xCCA8: "ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    0xCCA9: "ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
}
"""IANA's names of the usual cipher suites, less ``TLS_``; any other is its number."""

_NANOSECONDS = 1_000_000_000


def version_text(number: int) -> str:
    """Return ``TLS 1.2``, the number of an unknown version, or nothing for 0."""
    return VERSIONS.get(number, f"0x{number:04x}") if number else ""


def cipher_text(number: int) -> str:
    """Return IANA's name of a cipher suite, its number where it is an unusual one, or nothing for 0."""
    known = CIPHERS.get(number)
    return f"TLS_{known}" if known else f"0x{number:04x}" if number else ""


def is_valid(certificate: Mapping[str, Any], time: int) -> bool:
    """Return whether ``time`` (ns) lies within the validity that a certificate gives itself."""
    return bool(certificate["not_before"] <= time // _NANOSECONDS <= certificate["not_after"])


class Handshakes:
    """The handshakes of a reading by flow; each is a dict as ``_native.Reading.tls_handshake`` makes it."""

    __slots__ = ("_flows", "_reading")

    def __init__(self, reading: _native.Reading | None = None) -> None:
        """Wrap a reading, or nothing."""
        self._reading = reading
        self._flows: NDArray[np.uint32] = np.zeros(0, np.uint32) if reading is None else reading.tls_flows()

    def of(self, flow: int) -> list[dict[str, Any]]:
        """Return the handshakes of a row of the flow table, in order."""
        if self._reading is None:
            return []
        first, last = np.searchsorted(self._flows, [flow, flow + 1])
        return [self._reading.tls_handshake(row) for row in range(int(first), int(last))]
