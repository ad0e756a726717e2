"""Reads what a control connection shows of its two ends' security: facts with packet numbers, no judgement.

Sources: draft-skardal-ndmp4-04, 2.11.3 (what may be asked before authentication); public work on Backup Exec's private
messages and authentication types. Digests and passwords are never stored; the decoder tells only that a digest was the
one that tools for CVE-2005-2611 always send.
"""

from __future__ import annotations

from auditor import _native
from auditor.ndmp import Field, Fields, NdmpMessages
from auditor.records import draft
from auditor.sessions.dialogue import (
    CLIENT_AUTH,
    CONNECT_OPEN,
    DATA_CONNECT,
    MOVER_CONNECT,
    NO_ERROR,
    SERVER_INFO,
)
from auditor.sessions.model import Authority, Posture

CONNECT_CLOSE, GET_AUTH_ATTR, HOST_INFO, SERVER_AUTH = 0x902, 0x103, 0x100, 0x903
SSL_EXCHANGE = 0xF383
FILE_AND_COMMAND = {0xF306: "file close", 0xF308: "file open", 0xF309: "file write", 0xF30F: "command"}
ALLOWED_BEFORE_LOGIN = frozenset(
    {CONNECT_OPEN, CONNECT_CLOSE, CLIENT_AUTH, SERVER_AUTH, SERVER_INFO, GET_AUTH_ATTR, SSL_EXCHANGE}
)
"""Requests of the draft's list, the server's own authentication, and the exchange that begins Backup Exec's TLS."""

AUTH_MD5, AUTH_SHA = 2, 5
CSR_REQUEST, SIGNED_CERTIFICATE, START_TLS = 2, 3, 4
"""Opcodes of 0xf383."""

MOST_PACKETS = 8
_NO_FIELD = Field(0, None, None)
_VENDOR_BASE = 0xF000
_NOT_CAPTURED = _native.MESSAGE_STATUS.index("not-captured")


@draft
class _Login:
    """What is known of the login so far: whether one was accepted, a challenge was asked for, and what is pending."""

    accepted: bool = False
    challenged: bool = False
    pending: frozenset[int] = frozenset()


class PostureReader:
    """Walks all messages of one control connection but bulk."""

    def __init__(self, messages: NdmpMessages, flow: int, *, from_the_start: bool) -> None:
        self._messages = messages
        self._flow = flow
        self._from_the_start = from_the_start
        self._login = _Login()
        self._offered: set[int] = set()
        self._early: dict[str, int] = {}
        self._commands: dict[str, int] = {}
        self._packets: list[int] = []
        self._revision = ""
        self._root = False
        self._known_digest = False
        self._authority: Authority | None = None
        self._trust = False
        self._tls_starts = 0
        self._told: list[tuple[int, ...]] = []

    def read(self) -> Posture:
        """Return the facts."""
        rows = self._messages.rows(self._flow)
        columns = (self._messages[name][rows].tolist() for name in ("message", "reply", "error", "status"))
        for row, code, reply, error, status in zip(rows.tolist(), *columns, strict=True):
            if reply:
                self._reply(row, code, error, captured=status != _NOT_CAPTURED)
            else:
                self._request(row, code)
        return Posture(
            offered=tuple(sorted(self._offered)),
            early=tuple(self._early),
            commands=tuple(self._commands),
            revision=self._revision,
            root_without_challenge=self._root,
            known_digest=self._known_digest,
            authority=self._authority,
            trust_exchange=self._trust,
            tls_starts=self._tls_starts,
            connect_to=tuple(dict.fromkeys(self._told)),
            packets=tuple(sorted(set(self._packets)))[:MOST_PACKETS],
        )

    def _request(self, row: int, code: int) -> None:
        if code == GET_AUTH_ATTR:
            self._login.challenged = True
        elif code == CLIENT_AUTH:
            self._client_auth(row)
        elif code == SSL_EXCHANGE:
            self._ssl(row)
        elif code in FILE_AND_COMMAND:
            self._commands.setdefault(FILE_AND_COMMAND[code], row)
            self._witness(row)
        elif code in (DATA_CONNECT, MOVER_CONNECT):
            ends = self._messages.fields(row).get("address", [])
            codes = tuple(sorted(end.address for end in ends if end.address is not None))
            if codes:
                self._told.append(codes)

    def _client_auth(self, row: int) -> None:
        self._login.pending |= {int(self._messages["sequence"][row])}
        fields = self._messages.fields(row)
        kind = fields["auth_type"][0].number if "auth_type" in fields else None
        named = fields["auth_id"][0].text if "auth_id" in fields else None
        if named == "root" and "auth_known_digest" in fields:
            self._known_digest = True
            self._witness(row)
        elif kind == AUTH_MD5 and named == "root" and self._from_the_start and not self._login.challenged:
            self._root = True
            self._witness(row)

    def _ssl(self, row: int) -> None:
        fields = self._messages.fields(row)
        opcode = _first(fields, "opcode").number
        if opcode in (CSR_REQUEST, SIGNED_CERTIFICATE):
            self._trust = True
            self._witness(row)
            if "ca_cert_not_after" in fields:
                self._authority = Authority(
                    subject=_first(fields, "ca_cert_subject").text or "",
                    issuer=_first(fields, "ca_cert_issuer").text or "",
                    not_before=_first(fields, "ca_cert_not_before").number,
                    not_after=_first(fields, "ca_cert_not_after").number,
                    packet=int(self._messages["packet"][row]),
                    time=int(self._messages["time"][row]),
                )
        elif opcode == START_TLS:
            self._tls_starts += 1
            if self._tls_starts > 1:
                self._witness(row)

    def _reply(self, row: int, code: int, error: int, *, captured: bool) -> None:
        if code == CLIENT_AUTH:
            # An answer whose body was cut may have been a yes: nothing after it is early.
            self._login.accepted |= error == NO_ERROR
        elif code in (SERVER_INFO, HOST_INFO):
            self._server_info(row)
        if error != NO_ERROR or not captured:
            return
        early = self._from_the_start and not self._login.accepted and code not in ALLOWED_BEFORE_LOGIN
        if early and code < _VENDOR_BASE:
            name = _native.message_name(code, int(self._messages["version"][row]))
            if name not in self._early:
                self._early[name] = row
                self._witness(row)

    def _server_info(self, row: int) -> None:
        fields = self._messages.fields(row)
        self._offered |= {field.number for field in fields.get("auth_types", [])}
        if fields.get("auth_types") and AUTH_SHA in self._offered:
            self._witness(row)
        vendor = next((field.text or "" for field in fields.get("vendor_name", [])), "")
        if vendor.upper().startswith("VERITAS"):
            self._revision = next((field.text or "" for field in fields.get("revision_number", [])), self._revision)

    def _witness(self, row: int) -> None:
        self._packets.append(int(self._messages["packet"][row]))


def _first(fields: Fields, name: str) -> Field:
    """Return the first field of a name, an empty one where there is none."""
    return next(iter(fields.get(name, ())), _NO_FIELD)
