"""Reads the few messages of a control connection that matter for what follows it.

Layouts and codes: NDMP version 2, 3 and 4 (draft-skardal-ndmp4-04, the version 3 draft, the published XDR).
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from auditor import _native
from auditor.distinct import among
from auditor.ndmp import NdmpMessages, Rows
from auditor.sessions.expiry import ENDS, STOPS, with_ends
from auditor.sessions.model import Announcement, Dialogue, Login

CONNECT_OPEN, CLIENT_AUTH, NOTIFY_CONNECTED, SERVER_INFO = 0x900, 0x901, 0x502, 0x108
START_BACKUP, START_RECOVER, START_RECOVER_FILEHIST = 0x401, 0x402, 0x40B
DATA_LISTEN, MOVER_LISTEN = 0x409, 0xA01
DATA_CONNECT, MOVER_CONNECT = 0x40A, 0xA09
DATA_GET_STATE, MOVER_GET_STATE = 0x400, 0xA00

LISTENS = frozenset({DATA_LISTEN, MOVER_LISTEN})
CONNECTS = frozenset({DATA_CONNECT, MOVER_CONNECT})
STARTS = {START_BACKUP: "backup", START_RECOVER: "restore", START_RECOVER_FILEHIST: "restore"}
ANNOUNCES = LISTENS | CONNECTS | frozenset(STARTS)
"""Messages after which, or while they are unanswered, a data connection opens."""
STATES = frozenset({DATA_GET_STATE, MOVER_GET_STATE})
RELEVANT = (
    frozenset({CONNECT_OPEN, CLIENT_AUTH, NOTIFY_CONNECTED, SERVER_INFO, *STARTS}) | LISTENS | CONNECTS | STATES | ENDS
)
_RELEVANT = np.array(sorted(RELEVANT), np.uint32)
NEEDED = frozenset({CONNECT_OPEN, CLIENT_AUTH, *LISTENS, *CONNECTS})
"""Messages without whose bodies a tie or a login cannot be proved. Bulk such as file history may be cut without harm."""

AUTHENTICATION_TYPES = {0: "none", 1: "text", 2: "md5", 3: "bews", 4: "sspi", 5: "sha", 190: "bews2"}
"""Names of authentication types: 0 to 2 of the standard, the others Backup Exec's own."""

UNKNOWN_LOGIN = "unknown"
"""Stands for the type of a login whose request was not captured whole."""

ADDRESS_LOCAL, ADDRESS_TCP, ADDRESS_TCP6 = 0, 1, 0x20510004
NO_ERROR = 0
_NOT_CAPTURED = "not-captured"


class DialogueReader:
    """Walks the relevant messages of one control connection, in order of packets.

    ``lossy``: the capture lacks bytes of it, so that a reply which was not read may have been there.
    """

    def __init__(self, messages: NdmpMessages, flow: int, *, lossy: bool = False) -> None:
        self._messages = messages
        self._flow = flow
        self._lossy = lossy
        self._unanswered: dict[int, tuple[int, int]] = {}
        self._pending_auth: dict[int, tuple[str, int]] = {}
        self._pending_open: dict[int, int] = {}
        self._version: int | None = None
        self._greeting: int | None = None
        self._requests = 0
        self._logins: list[Login] = []
        self._announcements: list[Announcement] = []
        self._operations: list[str] = []
        self._ends: list[int] = []
        self._local = False
        self._agent = ""

    def read(self) -> Dialogue:
        """Return what was said."""
        rows = self._messages.rows(self._flow)
        codes, replies = self._messages["message"], self._messages["reply"]
        relevant = rows[among(codes[rows], _RELEVANT)]
        for row, code, reply in zip(
            *(one.tolist() for one in (relevant, codes[relevant], replies[relevant])), strict=True
        ):
            self._take(row, code, reply=bool(reply))
        self._announce_lost()
        self._requests = len(rows) - int(self._messages["from_responder"][rows].sum())
        self._logins.extend(Login(kind, None, packet) for kind, packet in self._pending_auth.values())
        return Dialogue(
            version=self._version_in_force(rows),
            logins=tuple(sorted(self._logins, key=lambda login: login.packet)),
            announcements=with_ends(self._announcements, sorted(self._ends)),
            operations=tuple(dict.fromkeys(self._operations)),
            local=self._local and not any(a.captured and not a.state for a in self._announcements),
            agent=self._agent,
            cut_messages=self._cut(rows),
        )

    def _take(self, row: int, code: int, *, reply: bool) -> None:
        if code in LISTENS:
            self._note_answer(row, code, reply=reply)
        if code == NOTIFY_CONNECTED and not reply:
            fields = self._messages.fields(row)
            self._greeting = fields["protocol_version"][0].number if "protocol_version" in fields else None
        elif code == CONNECT_OPEN:
            self._take_open(row, reply)
        elif code == CLIENT_AUTH:
            self._take_login(row, reply)
        elif code == SERVER_INFO and reply:
            fields = self._messages.fields(row)
            names = ("vendor_name", "product_name", "revision_number")
            parts = [fields[name][0].text or "" for name in names if name in fields]
            self._agent = " ".join(part for part in parts if part)
        elif code in STARTS and not reply:
            self._operations.append(STARTS[code])
            self._announce(row, code, connects=True, optional=True)
        elif (code in LISTENS and reply) or (code in CONNECTS and not reply):
            self._announce(row, code, connects=code in CONNECTS)
        elif code in STATES and reply:
            self._announce(row, code, connects=False, optional=True)
        elif code in ENDS and reply == (code in STOPS) and int(self._messages["error"][row]) == NO_ERROR:
            self._ends.append(int(self._messages["time"][row]))

    def _take_open(self, row: int, reply: bool) -> None:
        if not reply:
            fields = self._messages.fields(row)
            if "protocol_version" in fields:
                sequence = int(self._messages["sequence"][row])
                self._pending_open[sequence] = fields["protocol_version"][0].number
        elif int(self._messages["error"][row]) == NO_ERROR:
            asked = self._pending_open.pop(int(self._messages["reply_sequence"][row]), None)
            self._version = asked if asked is not None else self._version

    def _take_login(self, row: int, reply: bool) -> None:
        if reply:
            pending = self._pending_auth.pop(int(self._messages["reply_sequence"][row]), None)
            if pending is not None:
                # Of a reply whose body was cut only the header speaks: its error refuses, its silence proves nothing.
                known = self._decoded(row) or int(self._messages["error"][row]) != NO_ERROR
                accepted = int(self._messages["error"][row]) == NO_ERROR if known else None
                self._logins.append(Login(pending[0], accepted, pending[1]))
            return
        fields = self._messages.fields(row)
        kind = fields["auth_type"][0].number if "auth_type" in fields else None
        name = UNKNOWN_LOGIN if kind is None else AUTHENTICATION_TYPES.get(kind, str(kind))
        sequence = int(self._messages["sequence"][row])
        self._pending_auth[sequence] = (name, int(self._messages["packet"][row]))

    def _announce(self, row: int, code: int, *, connects: bool, optional: bool = False) -> None:
        if int(self._messages["error"][row]) != NO_ERROR:
            return
        fields = self._messages.fields(row)
        ends = [field for field in fields.get("address", []) if field.address is not None and field.number]
        kind = fields["addr_type"][0].number if "addr_type" in fields else None
        if kind == ADDRESS_LOCAL and code not in STATES:
            self._local = True
        if not ends and (optional or self._decoded(row)):
            return
        self._announcements.append(
            Announcement(
                message=_message_text(code, bool(self._messages["reply"][row]), self._version or 0),
                packet=int(self._messages["packet"][row]),
                time=int(self._messages["time"][row]),
                addresses=tuple(field.address for field in ends if field.address is not None),
                port=ends[0].number if ends else 0,
                connects=connects,
                state=code in STATES,
            )
        )

    def _note_answer(self, row: int, code: int, *, reply: bool) -> None:
        if reply:
            self._unanswered.pop(int(self._messages["reply_sequence"][row]), None)
        else:
            self._unanswered[int(self._messages["sequence"][row])] = row, code

    def _announce_lost(self) -> None:
        """Add what the listeners announced whose replies are not in the capture, though it lacks bytes of them."""
        if not self._lossy:
            return
        for row, code in self._unanswered.values():
            message = _message_text(code, True, self._version or 0)
            packet, time = int(self._messages["packet"][row]), int(self._messages["time"][row])
            self._announcements.append(Announcement(message, packet, time, (), 0, connects=False, lost=True))
        self._announcements.sort(key=lambda one: (one.time, one.packet))

    def _decoded(self, row: int) -> bool:
        return int(self._messages["status"][row]) != _status(_NOT_CAPTURED)

    def _cut(self, rows: Rows) -> int:
        lost = rows[self._messages["status"][rows] == _status(_NOT_CAPTURED)]
        return sum(code in NEEDED for code in self._messages["message"][lost].tolist())

    def _version_in_force(self, rows: Rows) -> int | None:
        """Return what the last CONNECT_OPEN answered with success asked for.

        Else the greeting's version, which any other request accepts (draft 2.11.2); else what the layouts of a stream
        joined mid-way showed.
        """
        if self._version is not None:
            return self._version
        if self._greeting is not None:
            return self._greeting if self._requests else None
        seen = Counter(version for version in self._messages["version"][rows].tolist() if version)
        # ``most_common`` imports the heap for that.
        return max(seen, key=seen.__getitem__) if seen else None


def _status(name: str) -> int:
    return _native.MESSAGE_STATUS.index(name)


def _message_text(code: int, reply: bool, version: int) -> str:
    return f"{_native.message_name(code, version)} {'reply' if reply else 'request'}"
