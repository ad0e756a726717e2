"""Control connections with what followed them."""

from __future__ import annotations

from auditor.model.findings import FlowReference
from auditor.model.tls import CertificateSummary, TlsSummary
from auditor.records import record


@record
class ControlSummary:
    """The control connection of a session. ``state`` is Zeek's connection state."""

    originator: str
    responder: str
    first_packet: int
    last_packet: int
    capture: str = ""
    first: str = ""
    last: str = ""
    originator_known_by: str = ""
    state: str = ""


@record
class DataEnd:
    """An end of a data connection at a host of the policy: its own port, held against its own range.

    ``side`` is ``connects`` or ``listens``; ``declared`` the range declared for the host, empty where there is none, and
    ``inside`` None then.
    """

    host: str
    port: int
    side: str
    declared: str = ""
    inside: bool | None = None


@record
class DataSummary:
    """A data connection tied to its control connection, with grade, reasons and the ends at hosts of the policy.

    ``score`` and ``margin`` to the next best explanation are set where the control connection could not be read.
    """

    originator: str
    responder: str
    first_packet: int
    grade: str
    because: tuple[str, ...]
    last_packet: int = 0
    capture: str = ""
    originator_bytes: int = 0
    responder_bytes: int = 0
    state: str = ""
    first: str = ""
    last: str = ""
    ends: tuple[DataEnd, ...] = ()
    score: int | None = None
    margin: int | None = None


@record
class Authentication:
    """An authentication attempt; secrets are never kept. ``accepted`` is None where the answer was not seen."""

    type: str
    accepted: bool | None


@record
class CountedName:
    """Something by name, and how often it occurred."""

    name: str
    count: int


@record
class RefusalSummary:
    """Replies of one message with one error, by the names of the specification; ``packet`` is the first of them."""

    message: str
    error: str
    count: int
    packet: int


@record
class ExchangeSummary:
    """How a control connection went as a conversation, counted; no text of a log and no name of a file is kept.

    ``unanswered`` requests have no reply though no byte of the connection is missing; the first are in
    ``unanswered_first`` as ``DATA_LISTEN (packet 12)``. Times are microseconds. ``messages`` by name, replies not counted again.
    ``files_reported`` of a restore, ``files_lost`` of them by reason. ``client_closed``: the client took its leave.
    """

    messages: tuple[CountedName, ...] = ()
    answered: int = 0
    unanswered: int = 0
    unanswered_first: tuple[str, ...] = ()
    errors: tuple[RefusalSummary, ...] = ()
    reply_median_us: int | None = None
    reply_slowest_us: int | None = None
    reply_slowest_at: str = ""
    longest_silence_us: int | None = None
    longest_silence_packet: int = 0
    logs: tuple[CountedName, ...] = ()
    files_reported: int = 0
    files_lost: tuple[CountedName, ...] = ()
    file_history: int = 0
    mover_pauses: tuple[CountedName, ...] = ()
    record_size: int | None = None
    window: tuple[int, ...] = ()
    extensions: tuple[int, ...] = ()
    client_closed: bool = False


@record
class JobSummary:
    """One operation of a session: who moved what, how much, how fast, and how it ended.

    ``outcome``: complete, aborted, failed, refused (told by NDMP messages); reset, silent, running, not started (told by
    the connections); unknown. Bytes are payload of its data connections, seen from the NDMP server; ``counted_bytes``
    is what the server says it moved, ``counts_agree`` whether the wire carried the same: None where that is not known.
    ``backup_type`` (dump, tar), ``level`` (0 full) and ``direct_access`` are what the start asked for, ``files_named`` how many
    names a restore gave.
    """

    operation: str
    outcome: str
    reason: str = ""
    name: str = ""
    file_system: str = ""
    host: str = ""
    account: str = ""
    first_packet: int = 0
    end_packet: int = 0
    first: str = ""
    last: str = ""
    from_server_bytes: int = 0
    to_server_bytes: int = 0
    counted_bytes: int | None = None
    counts_agree: bool | None = None
    bytes_per_second: int | None = None
    data: tuple[FlowReference, ...] = ()
    backup_type: str = ""
    level: str = ""
    direct_access: bool = False
    files_named: int | None = None


@record
class SessionSummary:
    """One control connection with what followed it. ``ndmp_version`` is None where it was not readable.

    ``data`` are connections that came about; ``attempts`` those that were announced or tried and then not answered, or
    refused. ``ended`` says how the control connection ended; ``story`` tells the session in one line.
    ``authority`` is whose certificate was delivered in clear with message 0xf383. ``messages`` were read,
    ``bodies_missing`` of them without their body; ``skipped_bytes`` of both directions could not be read as NDMP.
    ``exchange`` counts what was said, None where nothing was read, or not all that was is kept.
    """

    control: ControlSummary
    ndmp_version: int | None
    authentication: tuple[Authentication, ...]
    tls: bool
    data: tuple[DataSummary, ...]
    attempts: tuple[DataSummary, ...] = ()
    readable: str = ""
    operations: tuple[str, ...] = ()
    agent: str = ""
    notes: tuple[str, ...] = ()
    jobs: tuple[JobSummary, ...] = ()
    ended: str = ""
    story: str = ""
    tls_details: tuple[TlsSummary, ...] = ()
    authority: CertificateSummary | None = None
    messages: int = 0
    bodies_missing: int = 0
    skipped_bytes: int = 0
    exchange: ExchangeSummary | None = None


@record
class UndecidedSummary:
    """A data connection that is tied to no control connection, because the evidence fits several or is too little.

    ``candidates`` control connections could have opened it; ``controls`` names the first of them.
    """

    originator: str
    responder: str
    first_packet: int
    last_packet: int
    reason: str
    candidates: int
    controls: tuple[FlowReference, ...]
    capture: str = ""
    originator_bytes: int = 0
    responder_bytes: int = 0
    state: str = ""
    first: str = ""
    last: str = ""
