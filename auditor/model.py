"""The finished document: ``Report`` and its parts. Frozen, plain types only, no behaviour beyond order and names.

Addresses are text, IPv6 in brackets before a port; times are RFC 3339 UTC with nanoseconds; packet numbers count
from 1 in each file. Renderers read nothing else than this.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

SCHEMA = "auditor.report/1"


class Severity(enum.IntEnum):
    """How much a finding matters; ordered. INFO never makes a report non-conforming."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def word(self) -> str:
        """The word that reports and rule files use."""
        return self.name.lower()


class ReportVerdict(enum.StrEnum):
    """The answer of a whole report."""

    CONFORMS = "conforms"
    VIOLATIONS = "violations"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class FlowReference:
    """A flow as evidence names it: ``10.0.0.1:40000`` to ``10.0.0.2:10000``."""

    transport: str
    originator: str
    responder: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a finding is believed: one flow and the numbers of its telling packets in ``capture``."""

    flow: FlowReference
    packets: tuple[int, ...]
    capture: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One deviation, with its proof, its likely consequence for the backups and its remedy.

    ``key`` is stable between runs over the same traffic: code and subject, no packet numbers. ``flows`` is how many
    flows show it, of which ``evidence`` holds the first. ``undermines``: the capture cannot support a verdict.
    """

    code: str
    name: str
    severity: Severity
    message: str
    subject: dict[str, str]
    key: str
    consequence: str
    remedy: str
    evidence: tuple[Evidence, ...] = ()
    flows: int = 0
    waived: bool = False
    title: str = ""
    undermines: bool = False


@dataclass(frozen=True, slots=True)
class CaptureSummary:
    """One capture as read. ``problems`` maps a problem's name to its count; ``status`` is
    ``read``, ``partial`` or ``unreadable`` and ``error`` says why."""

    path: str
    format: str
    sha256: str | None
    packets: int
    bytes: int
    first: str | None
    last: str | None
    link_types: tuple[str, ...]
    problems: dict[str, int]
    status: str = "read"
    error: str | None = None
    snaplen: int | None = None
    drops: int | None = None


@dataclass(frozen=True, slots=True)
class HostSummary:
    """One host of interest, where it belongs and what it does, each with the reason.

    ``operations`` counts the backups and restores that it took part in, ``peak_operations`` those at the same time,
    ``ports_per_operation`` the data ports of the host that one of them used at most.
    """

    address: str
    zone: str
    process_roles: tuple[str, ...]
    because: tuple[str, ...]
    name: str = ""
    operations: int = 0
    peak_operations: int = 0
    ports_per_operation: int = 0


@dataclass(frozen=True, slots=True)
class ServiceSummary:
    """Traffic of one service, port, direction and verdict."""

    service: str
    process: str
    transport: str
    port: str
    direction: str
    flows: int
    packets: int
    bytes: int
    verdict: str
    term: str = ""
    note: str = ""
    originator_zone: str = ""
    responder_zone: str = ""


@dataclass(frozen=True, slots=True)
class TermSummary:
    """One line of the policy and how often it decided. No flow means: not exercised in what was captured.

    ``text`` is the line as a sentence of the policy, ``origin`` ``vendor`` or ``site``.
    """

    name: str
    text: str
    action: str
    origin: str
    flows: int


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Authentication:
    """An authentication attempt; secrets are never kept. ``accepted`` is None where the answer was not seen."""

    type: str
    accepted: bool | None


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """One control connection with what followed it. ``ndmp_version`` is None where it was not readable.

    ``data`` are connections that came about; ``attempts`` those that were announced or tried and then not answered, or
    refused. ``ended`` says how the control connection ended; ``story`` tells the session in one line.
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


@dataclass(frozen=True, slots=True)
class PolicySummary:
    """What the traffic was held against. ``inferred`` when no policy was given: roles were read from the
    traffic and the vendor's advice is the yardstick."""

    path: str | None
    inferred: bool
    generation: str
    zones: dict[str, tuple[str, ...]] = field(default_factory=dict)
    ndmp_port: int = 10000
    dynamic_ports: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """The finished document. ``summary`` is the verdict in one sentence with what it covers;
    ``limits`` says what it cannot say."""

    verdict: ReportVerdict
    summary: str
    policy: PolicySummary
    captures: tuple[CaptureSummary, ...]
    hosts: tuple[HostSummary, ...]
    services: tuple[ServiceSummary, ...]
    sessions: tuple[SessionSummary, ...]
    findings: tuple[Finding, ...]
    terms: tuple[TermSummary, ...] = ()
    limits: tuple[str, ...] = ()
    totals: dict[str, int] = field(default_factory=dict)
    version: str = ""
    schema: str = SCHEMA
