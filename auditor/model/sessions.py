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
class JobSummary:
    """One operation of a session: who moved what, how much, how fast, and how it ended.

    ``outcome``: complete, aborted, failed, refused (told by NDMP messages); reset, silent, running, not started (told by
    the connections); unknown. Bytes are payload of its data connections, seen from the NDMP server; ``counted_bytes``
    is what the server says it moved, ``counts_agree`` whether the wire carried the same: None where that is not known.
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


@record
class SessionSummary:
    """One control connection with what followed it. ``ndmp_version`` is None where it was not readable.

    ``data`` are connections that came about; ``attempts`` those that were announced or tried and then not answered, or
    refused. ``ended`` says how the control connection ended; ``story`` tells the session in one line.
    ``authority`` is whose certificate was delivered in clear with message 0xf383. ``messages`` were read,
    ``bodies_missing`` of them without their body; ``skipped_bytes`` of both directions could not be read as NDMP.
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
