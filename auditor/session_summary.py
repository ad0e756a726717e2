"""Sessions made ready for the report: what was tied and measured in, plain records and a story of one line out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from auditor import _native
from auditor.arrays import NDArray
from auditor.exchange_summary import summarise_exchange
from auditor.flows import ORIGINATOR_BY, FlowTable, time_text
from auditor.handshakes import Handshakes
from auditor.model import Authentication, ControlSummary, DataEnd, DataSummary, JobSummary, SessionSummary
from auditor.policy.model import Policy
from auditor.ports import PortSet
from auditor.records import replace
from auditor.sessions import DataLink, Session, SessionSet
from auditor.sessions.measure import Measured, capture_end, how_ended
from auditor.text import byte_count, counted, duration, joined, number, path_text
from auditor.tls_summary import summarise_authority, summarise_tls

_ENDED = {"open": "still open when the capture ended", "silent": "silent to the end of the capture"}


def summarise_sessions(
    table: FlowTable,
    sessions: SessionSet,
    measured: Iterable[tuple[Measured, ...]],
    policy: Policy,
    handshakes: Handshakes | None = None,
) -> tuple[SessionSummary, ...]:
    """Return the control connections with the data connections tied to each, in the order of their first packets.

    ``measured`` holds the operations of each session, in the order of ``sessions``.
    """
    attempted = table.attempts()
    end = capture_end(table)
    ranges = _Ranges(table, policy)
    shown = handshakes or Handshakes()
    return tuple(
        replace(
            _session(table, session, jobs, attempted, end, ranges), tls_details=summarise_tls(table, session, shown)
        )
        for session, jobs in zip(sessions.sessions, measured, strict=True)
    )


class _Ranges:
    """The dynamic range of each host of a flow table, looked up once for each address."""

    def __init__(self, table: FlowTable, policy: Policy) -> None:
        self._table = table
        self._policy = policy
        self._known: dict[int, tuple[bool, PortSet | None]] = {}

    def end(self, row: int, side: str) -> DataEnd | None:
        """Return the end ``orig`` or ``resp`` of a data connection, None where no zone has its host."""
        code = int(self._table[f"{side}_addr"][row])
        if code not in self._known:
            address = self._table.address(code)
            self._known[code] = self._policy.zone_of(address) is not None, self._policy.dynamic_ports_of(address)
        declared_host, ports = self._known[code]
        if not declared_host:
            return None
        port = int(self._table[f"{side}_port"][row])
        return DataEnd(
            host=self._table.address_text(code),
            port=port,
            side="connects" if side == "orig" else "listens",
            declared="" if ports is None else str(ports),
            inside=None if ports is None else port in ports,
        )


def _session(
    table: FlowTable,
    session: Session,
    jobs: tuple[Measured, ...],
    attempted: NDArray[np.bool_],
    end: int,
    ranges: _Ranges,
) -> SessionSummary:
    row = session.control
    links = [(bool(attempted[link.flow]), _data(table, link, ranges)) for link in session.data]
    control = ControlSummary(
        originator=table.endpoint(row, "orig"),
        responder=table.endpoint(row, "resp"),
        first_packet=int(table["first_packet"][row]),
        last_packet=int(table["last_packet"][row]),
        capture=path_text(table.file_text(int(table["first_file"][row]))),
        first=time_text(int(table["first_time"][row])),
        last=time_text(int(table["last_time"][row])),
        originator_known_by=ORIGINATOR_BY[int(table["originator_by"][row])],
        state=_native.STATES[int(table["state"][row])],
    )
    ended = how_ended(table, row, end)
    return SessionSummary(
        control=control,
        ndmp_version=session.version,
        authentication=tuple(Authentication(login.type, login.accepted) for login in session.authentications),
        tls=session.tls,
        data=tuple(summary for failed, summary in links if not failed),
        attempts=tuple(summary for failed, summary in links if failed),
        readable=session.readable.value,
        operations=session.dialogue.operations,
        agent=session.dialogue.agent,
        notes=session.notes,
        jobs=tuple(_job(table, job) for job in jobs),
        ended=ended,
        story=_story(table, session, jobs, ended),
        authority=summarise_authority(session),
        messages=session.messages,
        bodies_missing=session.bodies_missing,
        skipped_bytes=session.skipped_bytes,
        exchange=summarise_exchange(session),
    )


def _data(table: FlowTable, link: DataLink, ranges: _Ranges) -> DataSummary:
    row = link.flow
    carried = table.carried(row)
    return DataSummary(
        originator=table.endpoint(row, "orig"),
        responder=table.endpoint(row, "resp"),
        first_packet=int(table["first_packet"][row]),
        grade=link.grade.value,
        because=link.because,
        last_packet=int(table["last_packet"][row]),
        capture=path_text(table.file_text(int(table["first_file"][row]))),
        originator_bytes=carried[0],
        responder_bytes=carried[1],
        state=_native.STATES[int(table["state"][row])],
        first=time_text(int(table["first_time"][row])),
        last=time_text(int(table["last_time"][row])),
        ends=tuple(end for side in ("orig", "resp") if (end := ranges.end(row, side)) is not None),
        score=link.score,
        margin=link.margin,
    )


def _job(table: FlowTable, measured: Measured) -> JobSummary:
    job = measured.job
    return JobSummary(
        operation=job.operation,
        outcome=measured.outcome,
        reason=measured.reason,
        name=job.name,
        file_system=job.file_system,
        host=job.host,
        account=job.account,
        first_packet=job.packet,
        end_packet=job.end_packet,
        first=time_text(measured.first),
        last=time_text(measured.last),
        from_server_bytes=measured.from_server,
        to_server_bytes=measured.to_server,
        counted_bytes=measured.counted,
        counts_agree=measured.agrees,
        bytes_per_second=measured.throughput,
        data=tuple(table.reference(link.flow) for link in measured.links),
        backup_type=job.type,
        level=job.level,
        direct_access=job.direct,
        files_named=job.named,
    )


def _story(table: FlowTable, session: Session, jobs: tuple[Measured, ...], ended: str) -> str:
    """Tell a session in one line: who did what to whom, how much in what time, and how it ended."""
    client, server = (table.address_text(int(table[f"{side}_addr"][session.control])) for side in ("orig", "resp"))
    if not jobs:
        return _without_job(table, session, client, server, ended)
    if len(jobs) == 1:
        return f"{client} {_deed(jobs[0], server)}: {_amount(jobs)}{_counts(jobs[0])}; {_end(jobs[0])}"
    kinds = Counter(_kind(job) for job in jobs)
    deeds = joined(counted(times, kind) for kind, times in kinds.items())
    ends = Counter(job.outcome for job in jobs)
    outcomes = ", ".join(f"{number(times)} {outcome}" for outcome, times in ends.items())
    return f"{client} ran {deeds} on {server}, one after another: {_amount(jobs)}; {outcomes}"


def _kind(measured: Measured) -> str:
    kind = measured.job.operation or "transfer"
    return f"tape side of a {kind}" if measured.job.mover else kind


def _deed(measured: Measured, server: str) -> str:
    """Return ``backed up "Monday", C: of HOST on 10.0.2.9``."""
    job = measured.job
    what = " of ".join(part for part in (job.file_system, job.host) if part)
    what = ", ".join(part for part in (f'"{job.name}"' if job.name else "", what) if part)
    if job.mover:
        return f"ran the tape's side of a {job.operation or 'transfer'} on {server}"
    deeds = {"backup": "backed up", "restore": "restored"}
    deed = deeds.get(job.operation, "prepared a transfer")
    return f"{deed} {what} on {server}" if what else f"{deed} {'something ' if job.operation else ''}on {server}"


def _amount(jobs: tuple[Measured, ...]) -> str:
    first, last = min(job.first for job in jobs), max(job.last for job in jobs)
    carried = byte_count(sum(job.carried for job in jobs))
    if not any(job.links for job in jobs):
        carried = "no data on the wire"
    speed = jobs[0].throughput if len(jobs) == 1 else None
    rate = f" ({byte_count(speed)}/s while data flowed)" if speed is not None else ""
    return f"{carried} in {duration(time_text(first), time_text(last))}{rate}"


def _counts(measured: Measured) -> str:
    if measured.agrees is None or measured.counted is None:
        return ""
    if measured.agrees:
        return ", as the NDMP server counted"
    return f", the NDMP server counted {byte_count(measured.counted)}"


def _end(measured: Measured) -> str:
    """Return outcome and reason; the reason only where it says more than the outcome."""
    if not measured.reason or measured.reason in ("successful", measured.outcome):
        return measured.outcome
    return f"{measured.outcome}: {measured.reason}"


def _without_job(table: FlowTable, session: Session, client: str, server: str, ended: str) -> str:
    """Tell of a session on which no operation was seen."""
    how = _ENDED.get(ended, ended)
    if session.readable.value in ("tls", "not-seen"):
        what = "inside TLS" if session.tls else "no message of it was captured"
        ties = counted(len(session.data), "data connection")
        carried = sum(sum(table.carried(link.flow)) for link in session.data)
        amount = f", {ties} tied by time with {byte_count(carried)}" if session.data else ""
        return f"{client} spoke with {server}, {what}{amount}; {how}"
    logins = session.authentications
    if any(login.accepted for login in logins):
        login = "was let in"
    elif logins:
        login = "was not let in" if all(login.accepted is False for login in logins) else "asked to be let in"
    else:
        login = "did not log in" if session.readable.value == "read" else "was heard in part"
    return f"{client} {login} on {server} and started no transfer; {how}"
