"""Reads how a control connection went as a conversation: what was asked, answered, refused, logged, and how fast.

Codes and numbers: draft-skardal-ndmp4-04 (log types 3.8.3, recovery statuses 3.8.2, pause reasons 3.7.2) and the documents of
versions 2 and 3. Names of files and texts of logs are counted, never kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from auditor import _native
from auditor.arrays import NDArray
from auditor.distinct import among, distinct
from auditor.ndmp import NdmpMessages, Rows
from auditor.records import record

CONNECT_CLOSE = 0x902
LOG_LOG, LOG_DEBUG, LOG_FILE, LOG_MESSAGE = 0x600, 0x601, 0x602, 0x603
MOVER_PAUSED, SET_RECORD_SIZE, SET_WINDOW = 0x504, 0xA08, 0xA05
SET_EXTENSIONS, GET_EXTENSIONS = 0x109, 0x10A
HISTORY = frozenset(range(0x700, 0x706))
POSTS = (
    frozenset({0x501, 0x502, 0x503, 0x504, 0x505, LOG_LOG, LOG_DEBUG, LOG_FILE, LOG_MESSAGE, CONNECT_CLOSE}) | HISTORY
)
"""Messages that nobody answers."""
LOG_TYPES = {0: "normal", 1: "debug", 2: "error", 3: "warning"}
RECOVERY = {1: "permission", 2: "not found", 3: "no directory", 4: "out of memory", 5: "I/O error", 6: "other"}
"""Why a file was not restored, version 4. Earlier versions give an error code."""
PAUSES = {1: "end of medium", 2: "end of file", 3: "seek", 4: "media error", 5: "end of window"}

MOST = 20
"""Kinds of errors, and unanswered requests, that are told one by one."""


@record
class Refusal:
    """Replies with an error: which message, which error, how many, and the packet of the first."""

    message: str
    error: str
    count: int
    packet: int


@record
class Slowest:
    """The reply that took longest: of which message, how long (ns), its packet."""

    message: str
    took: int
    packet: int


@record
class Exchange:
    """What was said on one control connection, counted.

    ``spoken``: name and number of all messages, replies not counted again. ``answered`` requests have their reply;
    ``unanswered``, name and packet, have none (empty where bytes are missing: it may have been lost), ``waiting`` of them
    all. ``median`` ns from request to reply. ``logs`` by type. ``files`` restored were reported, ``lost`` of them failed, by
    reason. ``history`` entries. ``pauses`` of the mover by reason. ``closed``: the client took its leave (CONNECT_CLOSE).
    ``silence`` ns is the longest between two messages, and ``silence_packet`` broke it. ``window`` is offset and length.
    """

    spoken: tuple[tuple[str, int], ...] = ()
    answered: int = 0
    waiting: int = 0
    unanswered: tuple[tuple[str, int], ...] = ()
    refusals: tuple[Refusal, ...] = ()
    median: int | None = None
    slowest: Slowest | None = None
    logs: tuple[tuple[str, int], ...] = ()
    files: int = 0
    lost: tuple[tuple[str, int], ...] = ()
    history: int = 0
    pauses: tuple[tuple[str, int], ...] = ()
    record_size: int | None = None
    window: tuple[int, int] | None = None
    extensions: tuple[int, ...] = ()
    closed: bool = False
    silence: int = 0
    silence_packet: int = 0


NOTHING_SAID = Exchange()
_MOST_KINDS = 100
_NO_ANSWER: Iterator[int] = iter(())
_VENDOR = 0xF000
"""Codes of vendors begin here: which of their messages are answered is not known."""


def read_exchange(messages: NdmpMessages, flow: int, *, whole: bool) -> Exchange:
    """Count what was said on control connection ``flow``. ``whole``: no byte is missing, so that no answer means something.

    Nothing is counted where not all messages were kept (a watch under pressure, a capture made to have millions).
    """
    rows = messages.rows(flow)
    if not len(rows) or len(rows) < messages.stream_counts(flow).messages:
        return NOTHING_SAID
    present = frozenset(messages["message"][rows].tolist())

    def of(*codes: int) -> Rows:
        """Return the rows of these message codes; of most there are none, and then nothing is searched."""
        wanted = present.intersection(codes)
        return rows[among(messages["message"][rows], list(wanted))] if wanted else rows[:0]

    asked, got, left = _pairs(messages, rows)
    waiting = left if whole else left[:0]
    median, slowest = _speed(messages, asked, got)
    silence, broken = _silence(messages, rows)
    files = of(LOG_FILE)
    extensions = messages.numbers(of(SET_EXTENSIONS, GET_EXTENSIONS), "ext_classes")
    return Exchange(
        spoken=_spoken(messages, rows),
        answered=len(asked),
        waiting=len(waiting),
        unanswered=tuple((_name(messages, row), int(messages["packet"][row])) for row in waiting[:MOST].tolist()),
        refusals=_refusals(messages, rows),
        median=median,
        slowest=slowest,
        logs=_logs(messages.numbers(of(LOG_MESSAGE), "log_type"), len(of(LOG_LOG)), len(of(LOG_DEBUG))),
        files=len(files),
        lost=_lost(messages, files),
        history=int(messages.numbers(of(*HISTORY), "fh_count").sum()),
        pauses=_counts(messages.numbers(of(MOVER_PAUSED), "reason"), PAUSES),
        record_size=_last(messages, of(SET_RECORD_SIZE), "record_size"),
        window=_window(messages, of(SET_WINDOW)),
        extensions=tuple(int(one) for one in distinct(extensions)[:MOST]),
        closed=CONNECT_CLOSE in present,
        silence=silence,
        silence_packet=broken,
    )


def _name(messages: NdmpMessages, row: int) -> str:
    return _native.message_name(int(messages["message"][row]), int(messages["version"][row]))


def _spoken(messages: NdmpMessages, rows: Rows) -> tuple[tuple[str, int], ...]:
    said = rows[~messages["reply"][rows].astype(np.bool_)]
    version = int(messages["version"][rows[-1]])
    counts = Counter(messages["message"][said].tolist())
    return tuple((_native.message_name(code, version), count) for code, count in sorted(counts.items())[:_MOST_KINDS])


def _pairs(messages: NdmpMessages, rows: Rows) -> tuple[Rows, Rows, Rows]:
    """Return requests with an answer, those answers, and requests without one: the n-th answer is to the n-th request alike."""
    columns = (messages[name][rows].tolist() for name in ("reply", "message", "sequence", "reply_sequence"))
    requests: list[tuple[int, tuple[int, int]]] = []
    answers: dict[tuple[int, int], list[int]] = {}
    for row, reply, code, sequence, answered in zip(rows.tolist(), *columns, strict=True):
        if reply:
            answers.setdefault((answered, code), []).append(row)
        elif code < _VENDOR and code not in POSTS:
            requests.append((row, (sequence, code)))
    in_turn = {key: iter(found) for key, found in answers.items()}
    pairs = [(row, next(in_turn.get(key, _NO_ANSWER), None)) for row, key in requests]
    both = [(row, answer) for row, answer in pairs if answer is not None]
    left = np.array(sorted(row for row, answer in pairs if answer is None), np.intp)
    return np.array([row for row, _ in both], np.intp), np.array([answer for _, answer in both], np.intp), left


def _speed(messages: NdmpMessages, asked: Rows, got: Rows) -> tuple[int | None, Slowest | None]:
    """Return the median time from request to reply, and the slowest reply."""
    if not len(asked):
        return None, None
    # A reply may be recorded before its request.
    took = np.maximum(messages["time"][got] - messages["time"][asked], 0)
    row = int(got[int(took.argmax())])
    middle = int(np.sort(took)[len(took) // 2])
    return middle, Slowest(_name(messages, row), int(took.max()), int(messages["packet"][row]))


def _silence(messages: NdmpMessages, rows: Rows) -> tuple[int, int]:
    """Return the longest time between two messages, ns, and the packet of the one that ended it."""
    times = messages["time"][rows]
    order = np.argsort(times, kind="stable")
    gaps = times[order[1:]] - times[order[:-1]]
    if not len(gaps):
        return 0, 0
    widest = int(gaps.argmax())
    return int(gaps[widest]), int(messages["packet"][rows[order[widest + 1]]])


def _refusals(messages: NdmpMessages, rows: Rows) -> tuple[Refusal, ...]:
    wrong = rows[messages["reply"][rows].astype(np.bool_) & (messages["error"][rows] != 0)]
    first: dict[tuple[int, int], int] = {}
    counts: Counter[tuple[int, int]] = Counter()
    for row, code, error in zip(
        wrong.tolist(), messages["message"][wrong].tolist(), messages["error"][wrong].tolist(), strict=True
    ):
        first.setdefault((code, error), row)
        counts[code, error] += 1
    return tuple(
        Refusal(_name(messages, row), _native.ndmp_error_name(kind[1]), counts[kind], int(messages["packet"][row]))
        for kind, row in list(first.items())[:MOST]
    )


def _logs(types: NDArray[np.uint64], normal: int, debug: int) -> tuple[tuple[str, int], ...]:
    """Return how many log messages there are of each type; version 2 has two messages for two types."""
    counts = Counter(dict(_counts(types, LOG_TYPES)))
    counts["normal"] += normal
    counts["debug"] += debug
    return tuple((kind, counts[kind]) for kind in sorted(counts) if counts[kind])


def _lost(messages: NdmpMessages, files: Rows) -> tuple[tuple[str, int], ...]:
    statuses = _counts(messages.numbers(files, "recovery_status"), RECOVERY)
    errors = messages.numbers(files, "file_error")
    named = Counter(_native.ndmp_error_name(int(error)) for error in errors[errors != 0].tolist())
    return (*(one for one in statuses if one[0] != "0"), *sorted(named.items()))


def _counts(values: NDArray[np.uint64], names: dict[int, str]) -> tuple[tuple[str, int], ...]:
    """Return how often each value occurs, by name, a number where it has none."""
    counts = Counter(values.tolist())
    return tuple((names.get(value, str(value)), count) for value, count in sorted(counts.items())[:MOST])


def _last(messages: NdmpMessages, rows: Rows, name: str) -> int | None:
    values = messages.numbers(rows, name)
    return int(values[-1]) if len(values) else None


def _window(messages: NdmpMessages, rows: Rows) -> tuple[int, int] | None:
    offset, length = _last(messages, rows, "offset"), _last(messages, rows, "length")
    return None if offset is None or length is None else (offset, length)
