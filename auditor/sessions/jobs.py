"""Reads the operations of one control connection, one after another: what was asked for, and how it ended.

Layouts, states and reasons: draft-skardal-ndmp4-04 and the version 2 and 3 documents; 0xf270 is Backup Exec's own.
"""

from __future__ import annotations

import re
from typing import Any

from auditor import _native
from auditor.ndmp import Fields, NdmpMessages
from auditor.records import draft
from auditor.sessions.dialogue import (
    DATA_CONNECT,
    DATA_GET_STATE,
    DATA_LISTEN,
    MOVER_CONNECT,
    MOVER_GET_STATE,
    MOVER_LISTEN,
    NO_ERROR,
    STARTS,
)
from auditor.sessions.model import Job, Outcome

DATA_ABORT, MOVER_ABORT = 0x403, 0xA03
DATA_HALTED, MOVER_HALTED = 0x501, 0x503
HALTS = frozenset({DATA_HALTED, MOVER_HALTED})
JOB_ENVIRONMENT = 0xF270
OPENS = frozenset({DATA_LISTEN, DATA_CONNECT, MOVER_LISTEN, MOVER_CONNECT, *STARTS})
"""Messages that prepare or start an operation."""

CODES = OPENS | HALTS | {DATA_ABORT, MOVER_ABORT, JOB_ENVIRONMENT, DATA_GET_STATE, MOVER_GET_STATE}
MOST_JOBS = 1000
"""Operations kept of one control connection: a capture must not fill the memory with them."""

DATA_HALTS = {
    1: (Outcome.COMPLETE, "successful"),
    2: (Outcome.ABORTED, "aborted"),
    3: (Outcome.FAILED, "internal error"),
    4: (Outcome.FAILED, "connection error"),
}
MOVER_HALTS = {
    1: (Outcome.COMPLETE, "connection closed"),
    2: (Outcome.ABORTED, "aborted"),
    3: (Outcome.FAILED, "internal error"),
    4: (Outcome.FAILED, "connection error"),
    5: (Outcome.FAILED, "media error"),
}
_DATA_STATE_HALTED, _MOVER_STATE_HALTED = 2, 4
_MOVER_MODES = {0: "backup", 1: "restore"}
"""Mover mode 0 reads from the network and writes to tape, 1 the other way."""

_NAMES = ("env_be_job_name", "env_jobname")
_FILE_SYSTEMS = ("env_filesystem", "env_prefix")
_WORD = r"[A-Za-z0-9_.-]{1,32}"
_UNC_HOST = r'"?\\\\(?P<host>[^\\"]{1,255})\\'


@draft
class _Open:
    """An operation as far as it has been read: ``told`` holds what will be its job. Of thousands of reports each changes it."""

    told: dict[str, Any]
    data_started: bool = False
    halted: bool = False


class JobReader:
    """Walks the messages of one control connection and cuts them into operations."""

    def __init__(self, messages: NdmpMessages, flow: int) -> None:
        self._messages = messages
        self._flow = flow
        self._jobs: list[Job] = []
        self._open: _Open | None = None
        self._name = ""

    def read(self) -> tuple[Job, ...]:
        """Return the operations in order."""
        for row in self._messages.rows(self._flow, CODES):
            if len(self._jobs) >= MOST_JOBS:
                break
            self._take(int(row), int(self._messages["message"][row]))
        self._finish()
        return tuple(self._jobs)

    def _take(self, row: int, code: int) -> None:
        reply = bool(self._messages["reply"][row])
        if code == JOB_ENVIRONMENT:
            self._name = _text(self._messages.fields(row), _NAMES) or self._name
        elif code in STARTS:
            self._start_answered(row) if reply else self._start(row, code)
        elif code in OPENS:
            self._prepare(row, code, reply=reply)
        elif code in (DATA_ABORT, MOVER_ABORT):
            if reply and int(self._messages["error"][row]) == NO_ERROR:
                self._halt(row, (Outcome.ABORTED, "aborted on request"), certain=False)
        elif code in HALTS:
            self._halted(row, code)
        elif reply and int(self._messages["error"][row]) == NO_ERROR:
            self._state(row, code)

    def _prepare(self, row: int, code: int, *, reply: bool) -> None:
        """Open an operation at LISTEN or CONNECT; both sides of a local one may be prepared before its start."""
        if reply and code in (DATA_CONNECT, MOVER_CONNECT):
            if int(self._messages["error"][row]) != NO_ERROR:
                self._halt(row, (Outcome.FAILED, self._error(row)), certain=True)
            return
        if self._open is None or self._open.halted or self._open.data_started:
            if reply:
                return
            self._begin(row)
        assert self._open is not None
        if reply and int(self._messages["error"][row]) != NO_ERROR:
            self._halt(row, (Outcome.REFUSED, self._error(row)), certain=True)
        modes = self._messages.fields(row).get("mode", []) if code in (MOVER_LISTEN, MOVER_CONNECT) else []
        if modes and not reply and not self._open.told.get("operation"):
            self._change(operation=_MOVER_MODES.get(modes[0].number, ""), mover=True)

    def _start(self, row: int, code: int) -> None:
        if self._open is None or self._open.halted or self._open.data_started:
            self._begin(row)
        assert self._open is not None
        self._open.data_started = True
        fields = self._messages.fields(row)
        where = _text(fields, _FILE_SYSTEMS)
        host = re.match(_UNC_HOST, where)
        self._change(
            operation=STARTS[code],
            mover=False,
            started=int(self._messages["time"][row]),
            packet=int(self._messages["packet"][row]),
            name=_text(fields, _NAMES) or self._name,
            file_system=where,
            host=host["host"] if host else "",
            account=_text(fields, ("env_username", "env_user")),
            type=_word(_text(fields, ("bu_type", "env_type"))),
            level=_word(_text(fields, ("env_level",))),
            direct=_text(fields, ("env_direct",)).lower().startswith("y"),
            named=_number(fields, "nlist_count"),
        )

    def _start_answered(self, row: int) -> None:
        if int(self._messages["error"][row]) != NO_ERROR:
            self._halt(row, (Outcome.REFUSED, self._error(row)), certain=True)

    def _halted(self, row: int, code: int) -> None:
        """Take a HALTED notice. Of a local operation the data server's word counts, whichever comes first."""
        if self._open is None:
            return
        reasons = self._messages.fields(row).get("reason", [])
        halts = DATA_HALTS if code == DATA_HALTED else MOVER_HALTS
        ending = halts.get(reasons[0].number) if reasons else (Outcome.UNKNOWN, "halted, the reason was not captured")
        if ending is not None:
            self._halt(row, ending, certain=code == DATA_HALTED or not self._open.data_started)

    def _state(self, row: int, code: int) -> None:
        fields = self._messages.fields(row)
        if self._open is None:
            # Joined mid-way: a report tells that an operation runs.
            if not _number(fields, "operation"):
                return
            self._begin(row)
            self._change(operation="backup" if _number(fields, "operation") == 1 else "restore")
        data = code == DATA_GET_STATE
        counted = _number(fields, "bytes_processed" if data else "bytes_moved")
        if counted is not None:
            self._change(**{"bytes_processed" if data else "bytes_moved": counted})
        halted = _number(fields, "state") == (_DATA_STATE_HALTED if data else _MOVER_STATE_HALTED)
        ending = (DATA_HALTS if data else MOVER_HALTS).get(_number(fields, "halt_reason") or 0)
        assert self._open is not None
        if halted and data:
            self._change(counted_at_end=True)
        if halted and ending is not None and self._open.told.get("outcome", Outcome.OPEN) is Outcome.OPEN:
            self._halt(row, ending, certain=data or not self._open.data_started)

    def _begin(self, row: int) -> None:
        self._finish()
        began, packet = int(self._messages["time"][row]), int(self._messages["packet"][row])
        self._open = _Open({"packet": packet, "began": began})

    def _halt(self, row: int, ending: tuple[Outcome, str], *, certain: bool) -> None:
        """Take note of an end; what is not certain stands until something certain comes."""
        if self._open is None or self._open.halted:
            return
        self._open.halted = certain
        self._change(
            outcome=ending[0],
            reason=ending[1],
            ended=int(self._messages["time"][row]),
            end_packet=int(self._messages["packet"][row]),
        )

    def _change(self, **values: object) -> None:
        assert self._open is not None
        self._open.told.update(values)

    def _finish(self) -> None:
        if self._open is not None:
            self._jobs.append(Job(**self._open.told))
        self._open = None

    def _error(self, row: int) -> str:
        return f"{_native.ndmp_error_name(int(self._messages['error'][row]))} (packet {int(self._messages['packet'][row])})"


def _text(fields: Fields, names: tuple[str, ...]) -> str:
    """Return the first of these fields that has a text."""
    return next((text for name in names for field in fields.get(name, []) if (text := field.text)), "")


def _word(text: str) -> str:
    """Return the text if it is one short word, as a type or a level is."""
    return text if re.fullmatch(_WORD, text) else ""


def _number(fields: Fields, name: str) -> int | None:
    values = fields.get(name, [])
    return values[0].number if values else None
