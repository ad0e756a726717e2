"""What sessions are made of: a control connection, what was said on it, and the data connections tied to it."""

from __future__ import annotations

import enum

from auditor.records import record
from auditor.sessions.exchange import NOTHING_SAID, Exchange

NEVER = (1 << 63) - 1
"""A time that does not come, ns."""


class Grade(enum.StrEnum):
    """How sure a tie is.

    PROVED: address and port were read from the NDMP messages. PROBABLE: part of that proof is missing (the message
    was cut, stood before the capture, or named a translated address) and the rest agrees; or nothing could be read and
    the blind scorer is clear. POSSIBLE: host pair and time.
    """

    PROVED = "proved"
    PROBABLE = "probable"
    POSSIBLE = "possible"


class Readable(enum.StrEnum):
    """How much of the control stream could be read."""

    READ = "read"
    CUT = "cut"
    MID_STREAM = "mid-stream"
    TLS = "tls"
    NOT_SEEN = "not-seen"


@record
class Login:
    """One CONNECT_CLIENT_AUTH; ``accepted`` is None where the answer was not seen. No secret is ever kept."""

    type: str
    accepted: bool | None
    packet: int


@record
class Announcement:
    """An end of a data connection as an NDMP message names it.

    ``addresses`` are codes of the flow table, none where the body was not captured; ``port`` is 0 then. ``connects`` is
    true where the NDMP server was told to open the connection (DATA_CONNECT, MOVER_CONNECT, version 2 starts), false
    where it listens (LISTEN replies); ``state`` where it is only a state report (GET_STATE) and announces nothing.
    ``lost``: the reply that names the end is not in the capture, which lacks bytes; packet and time are its request's.
    ``until`` (ns) is when it is void: the operation had ended, or the same end was announced anew.
    """

    message: str
    packet: int
    time: int
    addresses: tuple[int, ...]
    port: int
    connects: bool
    state: bool = False
    lost: bool = False
    until: int = NEVER

    @property
    def captured(self) -> bool:
        """Whether address and port were read."""
        return bool(self.addresses)


class Outcome(enum.StrEnum):
    """How an operation ended, as its control connection tells it.

    OPEN: no end was read; what the connections then did is for ``auditor.sessions.measure`` to say.
    """

    COMPLETE = "complete"
    ABORTED = "aborted"
    FAILED = "failed"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    OPEN = "open"


@record
class Job:
    """One operation on a control connection, from its first LISTEN, CONNECT or start to its end; times in ns.

    ``operation`` is ``backup`` or ``restore``, empty where none was started; ``mover`` where only the tape's side was on
    this connection. ``name``, ``file_system``, ``host`` and ``account`` are what environment pairs said in clear.
    ``counted_at_end``: ``bytes_processed`` was reported after the data server had halted, so that it is final.
    ``type`` of the backup (dump, tar), its ``level`` (0 full), ``direct`` access asked for, ``named`` files to restore.
    """

    packet: int
    began: int
    operation: str = ""
    mover: bool = False
    name: str = ""
    file_system: str = ""
    host: str = ""
    account: str = ""
    started: int | None = None
    ended: int | None = None
    end_packet: int = 0
    outcome: Outcome = Outcome.OPEN
    reason: str = ""
    bytes_processed: int | None = None
    bytes_moved: int | None = None
    counted_at_end: bool = False
    type: str = ""
    level: str = ""
    direct: bool = False
    named: int | None = None


@record
class Dialogue:
    """What was said on one control connection, as far as it could be read.

    ``started``: a backup or a restore was started. ``local``: the data stays on the NDMP server, so that no data
    connection follows. ``operations``: ``backup``, ``restore`` in order, without repeats.
    """

    version: int | None = None
    logins: tuple[Login, ...] = ()
    announcements: tuple[Announcement, ...] = ()
    operations: tuple[str, ...] = ()
    local: bool = False
    agent: str = ""
    cut_messages: int = 0

    @property
    def started(self) -> bool:
        """Whether a backup or a restore was started on this connection."""
        return bool(self.operations)


@record
class Authority:
    """The authority whose certificate was delivered in clear (0xf383): what it says of itself, nothing verified.

    ``not_before`` and ``not_after`` are seconds since the epoch; ``time`` of its packet, ns.
    """

    subject: str
    issuer: str
    not_before: int
    not_after: int
    packet: int
    time: int


@record
class Posture:
    """What a control connection shows of its ends' security, as far as it was in clear.

    ``offered``: authentication types that the server lists. ``early``: names of requests answered with success before
    a login was. ``commands``: kinds of file and command messages. ``revision``: what an agent of this product calls
    itself. ``root_without_challenge``: a digest for ``root`` was sent though no challenge had been asked for.
    ``known_digest``: that digest was the one that tools for CVE-2005-2611 send, whatever the challenge.
    ``trust_exchange``: certificates were asked for or delivered. ``tls_starts``: times that TLS was asked to begin.
    ``authority``: the last whose certificate was delivered with them.
    ``tls_version``: lowest that a server chose on it; ``certificate_invalid``: one of that server was not valid then.
    ``connect_to``: address codes that the server was told to connect to. ``packets``: where all of this is to be seen.
    """

    offered: tuple[int, ...] = ()
    early: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    revision: str = ""
    root_without_challenge: bool = False
    known_digest: bool = False
    authority: Authority | None = None
    trust_exchange: bool = False
    tls_starts: int = 0
    connect_to: tuple[tuple[int, ...], ...] = ()
    tls_version: str = ""
    certificate_invalid: bool = False
    packets: tuple[int, ...] = ()


NOTHING_SHOWN = Posture()


@record
class DataLink:
    """A data connection (row of the flow table) tied to a session, with the grade and the reasons.

    ``reversed``: the message names the end that the flow table, by a guess, has as originator; it is the listener.
    ``score`` and ``margin`` are those of the blind scorer, None where a message tells of the connection.
    """

    flow: int
    grade: Grade
    because: tuple[str, ...]
    reversed: bool = False
    score: int | None = None
    margin: int | None = None

    @property
    def blind(self) -> bool:
        """Whether no message tells of the connection: hosts, time and shape are all there is."""
        return self.score is not None or self.grade is Grade.POSSIBLE


@record
class Undecided:
    """A data connection (row of the flow table) that is tied to none of the control connections that could have opened it.

    ``controls``: rows of those, sorted. ``reason`` says why the evidence does not decide.
    """

    flow: int
    controls: tuple[int, ...]
    reason: str


@record
class Session:
    """A control connection (row of the flow table), what was said on it, and what followed it.

    ``messages``: NDMP messages whose header was read; ``bodies_missing`` of them lack the body, cut or lost;
    ``skipped_bytes`` of both directions could not be read as NDMP.
    """

    control: int
    readable: Readable
    dialogue: Dialogue
    data: tuple[DataLink, ...] = ()
    notes: tuple[str, ...] = ()
    jobs: tuple[Job, ...] = ()
    posture: Posture = NOTHING_SHOWN
    exchange: Exchange = NOTHING_SAID
    messages: int = 0
    bodies_missing: int = 0
    skipped_bytes: int = 0

    @property
    def tls(self) -> bool:
        """Whether the control connection went over to TLS, or was TLS from its first byte."""
        return self.readable is Readable.TLS

    @property
    def version(self) -> int | None:
        """NDMP version in force; None where it was not readable."""
        return self.dialogue.version

    @property
    def authentications(self) -> tuple[Login, ...]:
        """Logins in order."""
        return self.dialogue.logins

    @property
    def started(self) -> bool:
        """Whether a backup or a restore was started."""
        return self.dialogue.started

    @property
    def local(self) -> bool:
        """Whether the data stays on the NDMP server."""
        return self.dialogue.local
