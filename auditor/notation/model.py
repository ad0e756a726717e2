"""What a line of the notation can say."""

from __future__ import annotations

from auditor.flows import FlowTable
from auditor.listeners import Listing
from auditor.records import record

WORDS = {
    "S0, SF, REJ, …": "Zeek's connection state; SF when not said",
    "xN": "N packets from the originator; N SYNs where none was answered",
    "app=NAME": "protocol recognised from payload",
    "refusal=NAME": "how it was refused; rst for REJ when not said",
    "by=NAME": "how the originator is known; syn when not said",
    "bytes=N/M": "payload bytes of originator and responder",
    "missed=N/M": "TCP bytes that the capture lacks, of originator and responder",
    "vlan=N": "outermost VLAN",
    "at=N": "first packet, seconds from the beginning; the line number when not said",
    "for=N": "seconds from first to last packet; 1 when not said",
    "syns=N": "SYNs of a connection that came about; 1 when not said",
    "history=LETTERS": "Zeek's history of the connection; the side of the first F or f closed first",
    "one-sided": "nothing of the responder was captured",
    "cut": "frames were cut by the snaplen",
    "control": "an NDMP control connection",
    "data=GRADE": "a data connection of the control connection above: proved, probable or possible",
    "login=WORD": "authentication seen on the control connection: accepted, refused or unanswered",
    "auth=TYPE": "type of that authentication: none, text, md5",
    "tls": "the control connection went over to TLS",
    "transfer": "the control connection started or announced a transfer",
    "local": "the transfer stayed within one host",
    "early": "a request was answered before any login",
    "offers=N": "authentication type that the server lists",
    "revision=N.N": "revision that the agent tells",
    "root": "a digest for root was sent without a challenge",
    "constant": "a digest for root was the known constant",
    "trust": "certificates were exchanged",
    "authority-days=N": "validity of the authority's certificate that was delivered, in days",
    "commands": "a command was sent in clear",
    "tls-starts=N": "times that TLS was asked to begin",
    "tls-version=WORD": "version of TLS that the server chose, as TLS-1.0",
    "expired": "the certificate of the server was not valid then",
    "connect-to=ADDRESS": "IPv4 or IPv6 address that the server was told to connect to, an end of some line",
    "readable=WORD": "how much of the control connection could be read: read, cut, mid-stream, tls, not-seen",
}
"""Words of the notation and their meaning."""

LOGINS = ("accepted", "refused", "unanswered")
GRADES = ("proved", "probable", "possible")
WAIVER_STATES = ("in-force", "expired", "pending", "undated")
READABLE = ("read", "cut", "mid-stream", "tls", "not-seen")


@record
class Marks:
    """What a line says beyond the flow itself."""

    control: bool = False
    data: str = ""
    login: str = ""
    auth: str = ""
    tls: bool = False
    transfer: bool = False
    local: bool = False
    readable: str = "read"
    early: bool = False
    offers: int = 0
    revision: str = ""
    root: bool = False
    constant: bool = False
    trust: bool = False
    authority_days: int = 0
    commands: bool = False
    tls_starts: int = 0
    connect_to: str = ""
    tls_version: str = ""
    expired: bool = False


@record
class Flow:
    """One line of the notation, as said; None where the line is silent. Times in seconds."""

    transport: int
    orig: tuple[str, int]
    resp: tuple[str, int]
    state: str = "SF"
    packets: int | None = None
    app: str = "unknown"
    refusal: str = ""
    by: str = "syn"
    bytes: tuple[int, int] | None = None
    missed: tuple[int, int] = (0, 0)
    vlan: int = 0
    at: float | None = None
    lasts: float = 1.0
    cut: bool = False
    one_sided: bool = False
    history: str = ""
    syns: int = 1
    marks: Marks = Marks()


@record
class CaptureLine:
    """A capture as a line ``capture …`` describes it; the attributes of ``_native.FileFacts`` that rules ask for."""

    path: str = "example.pcap"
    packets: int = 100
    status: str = "read"
    error: str | None = None
    drops: int | None = None
    snaplen: int | None = None
    first: int | None = None
    last: int | None = None


@record
class WaiverLine:
    """A waiver as a line ``waiver …`` describes it: what rules ask of one."""

    code: str = "BX301"
    covers: str = "10.0.2.9"
    owner: str = "operations"
    expires: str = "2026-12-31"
    place: str = "waivers.yaml:3"
    standing: str = "in-force"
    findings: int = 1
    days: int = 90
    warn: int = 30

    @property
    def state(self) -> str:
        """Whether it holds on the day of judgement."""
        return self.standing

    @property
    def soon(self) -> bool:
        """Whether it is in force and ends within its days of warning."""
        return self.standing == "in-force" and self.days <= self.warn


@record
class Scene:
    """What a text in the notation describes: flows, what is known of each, the captures, settings of the policy, and what
    hosts listen on."""

    table: FlowTable
    marks: tuple[Marks, ...]
    captures: tuple[CaptureLine, ...]
    policy: dict[str, str]
    listings: tuple[Listing, ...] = ()
    waivers: tuple[WaiverLine, ...] = ()
