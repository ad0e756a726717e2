"""Holds what the control connection said of an operation against what its data connections carried."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

import numpy as np

from auditor import _native
from auditor.arrays import NDArray
from auditor.flows import FlowTable
from auditor.records import record
from auditor.sessions.link import LOOK_BACK
from auditor.sessions.model import DataLink, Job, Outcome, Session

SILENCE = 60 * 1_000_000_000
"""A connection without a word for this long before the capture's end is silent; a running one polls every few seconds."""

_NANOSECONDS = 1_000_000_000
_RESETS = {"RSTO": "originator", "RSTOS0": "originator", "RSTR": "responder", "RSTRH": "responder"}
_CLOSED = frozenset({"SF", "S2", "S3"})


@record
class Measured:
    """An operation with what was measured of it.

    ``outcome`` is a word for people: that of the messages, else what became of the connections. ``links`` carried its
    data; ``from_server`` and ``to_server`` are their payload bytes, each once, seen from the NDMP server; ``wire_time`` ns from the
    first of their packets to the last. ``counted`` is what the NDMP server says it moved, ``agrees`` whether that is
    what the wire carried: None where either is not known to be final.
    """

    job: Job
    outcome: str
    reason: str
    links: tuple[DataLink, ...]
    from_server: int
    to_server: int
    wire_time: int
    first: int
    last: int
    counted: int | None
    agrees: bool | None

    @property
    def carried(self) -> int:
        """Payload bytes in both directions."""
        return self.from_server + self.to_server

    @property
    def duration(self) -> int:
        """Nanoseconds from the first of its messages or data packets to the last."""
        return self.last - self.first

    @property
    def throughput(self) -> int | None:
        """Payload bytes per second while its data connections were open; None where nothing was carried."""
        return self.carried * _NANOSECONDS // self.wire_time if self.carried and self.wire_time > 0 else None


def measure_sessions(table: FlowTable, sessions: Sequence[Session]) -> tuple[tuple[Measured, ...], ...]:
    """Return the operations of each session, in the order of the sessions."""
    end = capture_end(table)
    return tuple(measure_jobs(table, session, end) for session in sessions)


def measure_jobs(table: FlowTable, session: Session, capture_end: int) -> tuple[Measured, ...]:
    """Measure the operations of a session. ``capture_end``: time of the last packet of the capture, ns."""
    shares = _shares(table, session)
    return tuple(_measure(table, session, job, shares[n], capture_end) for n, job in enumerate(session.jobs))


def how_ended(table: FlowTable, flow: int, capture_end: int) -> str:
    """Say how a connection ended: closed, reset by one end, silent, or open when the capture ended."""
    state = _native.STATES[int(table["state"][flow])]
    if state in _RESETS:
        return f"reset by {table.address_text(int(table[f'{_RESETS[state][:4]}_addr'][flow]))}"
    if state in _CLOSED:
        return "closed"
    if capture_end - int(table["last_time"][flow]) > SILENCE:
        return "silent"
    return "open"


def capture_end(table: FlowTable) -> int:
    """Return the time of the last packet of the last capture."""
    return int(table["last_time"].max(initial=0))


def _shares(table: FlowTable, session: Session) -> list[list[DataLink]]:
    """Give each data connection to the operation that had begun when it opened, the last such; to the first if none."""
    shares: list[list[DataLink]] = [[] for _ in session.jobs]
    began = [job.began for job in session.jobs]
    for link in session.data if shares else ():
        at = int(table["first_time"][link.flow])
        exact = bisect_right(began, at) - 1
        # Packets of two queues are not always in order: the very next announcement may be recorded after its SYN.
        late = bisect_right(began, at + LOOK_BACK) - 1
        chosen = late if late > exact and exact >= 0 and shares[exact] else max(exact, 0)
        shares[chosen].append(link)
    return shares


def _measure(table: FlowTable, session: Session, job: Job, links: list[DataLink], end: int) -> Measured:
    flows = [link.flow for link in links]
    sent = [_from_server(table, session.control, flow) for flow in flows]
    first = min([job.began, *(int(table["first_time"][flow]) for flow in flows)])
    last = max([job.ended or job.began, *(int(table["last_time"][flow]) for flow in flows)])
    carrying = [flow for flow, share in zip(flows, sent, strict=True) if sum(share)]
    wire_time = sum(int(table["last_time"][flow]) - int(table["first_time"][flow]) for flow in carrying)
    outcome, reason = _outcome(table, session, job, flows, end)
    counted = job.bytes_moved if job.mover or job.bytes_processed is None else job.bytes_processed
    from_server, to_server = sum(one for one, _ in sent), sum(other for _, other in sent)
    whole = bool(carrying) and not any(_partly_seen(table, flow) for flow in carrying)
    final = job.counted_at_end and counted is not None and not job.mover and whole
    return Measured(
        job=job,
        outcome=outcome,
        reason=reason,
        links=tuple(links),
        from_server=from_server,
        to_server=to_server,
        wire_time=wire_time,
        first=first,
        last=last,
        counted=counted,
        agrees=counted == max(from_server, to_server) if final else None,
    )


def _from_server(table: FlowTable, control: int, flow: int) -> tuple[int, int]:
    """Return payload bytes from and to the NDMP server of the control connection.

    It is the end with the server's address; else, with translated or further addresses, the end that is not the client.
    """
    server, client = int(table["resp_addr"][control]), int(table["orig_addr"][control])
    orig, resp = int(table["orig_addr"][flow]), int(table["resp_addr"][flow])
    payload = table.carried(flow)
    originates = orig == server or (resp != server and orig != client)
    return payload if originates else (payload[1], payload[0])


def _partly_seen(table: FlowTable, flow: int) -> bool:
    """Whether bytes of a connection may be missing: begun before the capture, holes, or not seen to its end."""
    holes = int(table["orig_missed"][flow]) + int(table["resp_missed"][flow])
    state = _native.STATES[int(table["state"][flow])]
    return bool(holes) or not int(table["syn_packets"][flow]) or state in ("OTH", "S1")


def _outcome(table: FlowTable, session: Session, job: Job, flows: list[int], end: int) -> tuple[str, str]:
    """Return the word for how an operation ended, and why."""
    if job.outcome is not Outcome.OPEN:
        return job.outcome.value, job.reason
    control = how_ended(table, session.control, end)
    data = [how_ended(table, flow, end) for flow in flows]
    broken = next((text for text in data if text.startswith("reset")), "")
    if job.started is None and not job.mover and not any(sum(_from_server(table, session.control, f)) for f in flows):
        tried = "its data connection did not come about" if flows else "no data connection was seen"
        return "not started", tried
    if control.startswith("reset"):
        return "reset", f"the control connection was {control}"
    if broken:
        return "reset", f"a data connection was {broken}"
    if control == "silent":
        return "silent", "neither end said anything more"
    if control == "closed":
        return "unknown", "the control connection was closed and no halt was read"
    return "running", "when the capture ended"


def peaks(intervals: Iterable[tuple[int, int]]) -> int:
    """Return how many intervals (first, last) overlap at most; one that ends as another begins does not."""
    spans = np.array(sorted(intervals), np.int64).reshape(-1, 2)
    if not len(spans):
        return 0
    times: NDArray[np.int64] = np.concatenate([spans[:, 0], np.maximum(spans[:, 1], spans[:, 0] + 1)])
    steps = np.repeat(np.array([1, -1], np.int64), len(spans))
    order = np.lexsort((steps, times))
    return int(np.cumsum(steps[order]).max())
