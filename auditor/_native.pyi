"""The Rust core: capture files, headers, flows, NDMP. Facts only; no policy, no names of products."""

import os
from collections.abc import Callable, Sequence
from typing import Any, final

import numpy as np
import numpy.typing as npt

__all__ = [
    "APPS",
    "FIELD_NAMES",
    "FLAG_CUT",
    "FLAG_FRAGMENTS",
    "FileFacts",
    "LiveReading",
    "MESSAGE_STATUS",
    "NAME_KINDS",
    "ORIGINATOR_BY",
    "PROBLEMS",
    "REFUSALS",
    "Reading",
    "ReadingAhead",
    "STATES",
    "TUNNELS",
    "__version__",
    "begin_reading",
    "capture_format",
    "carve",
    "decode_ndmp",
    "drop_privileges",
    "holds_net_raw",
    "message_name",
    "ndmp_error_name",
    "network_filter",
    "pseudonyms",
    "read_flows",
    "revived",
    "sha256",
    "sha256_of_files",
]
__version__: str

# Enumerations, each a tuple of names; a column of codes indexes into it.
ORIGINATOR_BY: tuple[str, ...]
"""("syn", "syn-ack", "ndmp-greeting", "known-port", "guess")"""
STATES: tuple[str, ...]
"""Zeek's conn_state: ("OTH", "S0", "S1", "SF", "REJ", "S2", "S3", "RSTO", "RSTR", "RSTOS0", "RSTRH", "SH", "SHR")"""
REFUSALS: tuple[str, ...]
"""("none", "rst", "icmp-net-unreachable", "icmp-host-unreachable", "icmp-protocol-unreachable",
"icmp-port-unreachable", "icmp-admin-prohibited", "icmp-other")"""
APPS: tuple[str, ...]
"""("unknown", "ndmp", "tls", "http", "smtp", "ssh", "smb", "dcerpc", "snmp", "mtf", …)"""
PROBLEMS: tuple[str, ...]
"""Names of everything in a capture that could not be decoded, as used in FileFacts.problems."""
TUNNELS: tuple[str, ...]
"""("none", "gre", "gre-ethernet", "erspan", "ip-in-ip", "6in4", "etherip", "vxlan", "geneve", "teredo", "gtp-u", …)"""
FIELD_NAMES: tuple[str, ...]
"""Names of the fields of NDMP bodies, as used in the column ``name`` of Reading.ndmp_fields()."""
MESSAGE_STATUS: tuple[str, ...]
"""("decoded", "not-captured", "malformed", "opaque"): what became of a message's body."""
NAME_KINDS: tuple[str, ...]
"""Where a name of a host stood: ("dns", "mdns", "llmnr", "netbios", "dhcp", "smtp", "tls-server-name",
"agent-announcement")."""
FLAG_CUT: int
"""Bit of column ``flags``: a frame of the flow was cut by the snaplen, payload was not captured."""
FLAG_FRAGMENTS: int
"""Bit of column ``flags``: IP fragments belong to the flow."""

@final
class FileFacts:
    """What one capture file is, and how much of it was read."""

    path: str
    """As it was given; bytes that are no UTF-8 are surrogates (``os.fsdecode``)."""
    format: str
    """"pcap", "pcapng", "snoop", "erf", or one that was converted; with the compression, "pcap (gzip)"; "" when not
    recognised."""
    packets: int
    bytes: int
    """Bytes on the wire, all frames."""
    captured_bytes: int
    first: int | None
    """Time of the earliest frame, ns since the epoch."""
    last: int | None
    snaplen: int | None
    link_types: dict[str, int]
    """Name of the link type -> packets; ``others`` are those beyond the 64th."""
    undecoded: dict[str, int]
    """Those of link_types that are not decoded at all."""
    tunnels: dict[str, int]
    """Name of the tunnel (TUNNELS) -> packets that came in it."""
    duplicates: int
    """Packets that were captured already; they are in no flow a second time."""
    cut: int
    """Frames of which not all bytes were captured."""
    unordered: int
    """Frames earlier than one before them."""
    clock_steps: int
    """Times that the clock went back by a second or more."""
    longest_silence: int
    """Longest time between two frames, ns."""
    longest_silence_at: int
    """When that began, ns since the epoch."""
    silences: list[int]
    """Times between two frames of at least 1, 2, 4, 8 … seconds, below the next."""
    problems: dict[str, int]
    """Name of the problem -> count; zero counts are left out."""
    drops: int | None
    """Packets that the capturing program says it dropped (pcapng interface statistics), or None."""
    status: str
    """"read", "partial" (damaged or cut: what came before counts) or "unreadable"."""
    error: str | None
    """One sentence with the offset, when status is not "read"."""
    sha256: str | None
    """Of the file as it lies, compressed or not."""
    names: list[tuple[str, str]]
    """Addresses and the names that the file gives them (pcapng name blocks), at most 10,000; hostile text."""

@final
class Reading:
    """The flows and NDMP messages of one or more captures, in columns.

    Addresses are codes: rows of ``addresses()``.
    """

    files: list[FileFacts]
    def __len__(self) -> int: ...
    def place(self, packet: int) -> tuple[int, int]:
        """File (row of ``files``) of a packet, and its number there from 1. Raises IndexError."""
    def runs(self) -> list[tuple[int, int, int, int]]:
        """Packets that follow each other in one file: (first packet, file, its number there, how many). Packets of files
        that take turns are in none."""
    def addresses(self) -> npt.NDArray[np.uint8]:
        """Shape (n, 16): IPv6 in network order, IPv4 mapped as ::ffff:a.b.c.d."""
    def address_text(self, code: int) -> str: ...
    def flow_columns(self) -> dict[str, npt.NDArray[Any]]:
        """One array per column of ``auditor.flows.COLUMNS``, in order of each flow's first packet."""
    def history_text(self, flow: int) -> str:
        """Zeek's history letters: upper case originator, lower case responder."""
    def ndmp_messages(self) -> dict[str, npt.NDArray[Any]]:
        """One array per column of ``auditor.ndmp.MESSAGE_COLUMNS``; in order of packet within each flow."""
    def ndmp_fields(self) -> dict[str, npt.NDArray[Any]]:
        """One array per column of ``auditor.ndmp.FIELD_COLUMNS``; sorted by ``message``."""
    def texts(self) -> list[str]:
        """Strings that the column ``text`` of ndmp_fields indexes into. Secrets never enter."""
    def ndmp_streams(self) -> dict[str, npt.NDArray[Any]]:
        """One array per column of ``auditor.ndmp.STREAM_COLUMNS``: one row per NDMP control stream."""
    def control_beats(self) -> dict[str, npt.NDArray[Any]]:
        """One array per column of ``auditor.ndmp.BEAT_COLUMNS``; in order of capture within each flow."""
    def names(self) -> dict[str, npt.NDArray[Any]]:
        """One array per column of ``auditor.traffic_names.NAME_COLUMNS``, in order of packets."""
    def name_texts(self) -> list[str]:
        """The names themselves, row by row."""
    def tls_flows(self) -> npt.NDArray[np.uint32]:
        """Row of the flow table for each TLS handshake, sorted; at most 65,536 outside control streams."""
    def tls_handshake(self, row: int) -> dict[str, Any]:
        """One handshake, by its position in ``tls_flows()``.

        ``flow``, ``number`` (from 1 on its connection), ``packet``, ``file``, ``time`` (ns); ``version``, ``offered`` and
        ``cipher`` as on the wire, 0 where not read; ``server_name``, ``alpn``, ``ja3``, ``ja4``, empty likewise;
        ``alpn_offered``; ``chain`` (certificates of the server); ``server_certificate`` and ``client_certificate``: None, or
        ``subject``, ``issuer``, ``self_issued``, ``names``, ``not_before`` and ``not_after`` (seconds). Raises IndexError.
        """

@final
class LiveReading:
    """Captures that go on: taken in batches, looked at in between, with bounded memory (docs/live-sources.md tells the order in
    which flows are forgotten). One source at a time; what was read of those before stays. Calls from several threads wait
    for one another."""

    def __new__(
        cls,
        *,
        known_ports: Sequence[int] = ...,  # none
        ndmp_ports: Sequence[int] = ...,  # 10000
        max_flows: int = ...,  # 262144
        max_messages: int = ...,  # 262144
        keep_duplicates: bool = False,
        unanswered_timeout: float = 300.0,
        datagram_timeout: float = 300.0,
        closed_timeout: float = 900.0,
        idle_timeout: float = 86400.0,
        session_timeout: float = 86400.0,
        silent_timeout: float = 604800.0,
    ) -> LiveReading:
        """Timeouts in seconds of silence. Raises ValueError for limits below 16."""
    def open_stream(self, path: str | os.PathLike[str]) -> None:
        """Read on from a file, a FIFO or standard input (``-``). Raises OSError."""
    def open_fd(self, fd: int, name: str) -> None:
        """Read on from an open file descriptor, which is duplicated. Raises OSError. Not on Windows."""
    def open_ring(
        self,
        interface: str,
        *,
        snaplen: int = ...,  # 262144
        promiscuous: bool = False,
        rings: int = 1,
        block_size: int = ...,  # 1 MiB
        blocks: int = 64,
        program: list[tuple[int, int, int, int]] | None = None,
        hardware_times: bool = False,
    ) -> None:
        """Read from packet rings on an interface (Linux). ``program``: classic BPF (code, jt, jf, k). Raises OSError, whose
        text says what was tried."""
    def open_frames(self, name: str, link_type: int, snaplen: int | None = None) -> None:
        """Frames of a link type will be handed in."""
    def push(self, frames: Sequence[tuple[int, bytes, int]]) -> int:
        """Hand in frames: time in ns, bytes, length on the wire. Raises ValueError unless ``open_frames`` was the latest."""
    def add_statistics(self, received: int, dropped: int) -> None:
        """Add what the kernel counted for a source that hands frames in."""
    def pump(self, milliseconds: int) -> int:
        """Take what comes within the time and return the number of packets; sooner at the end of the source, and after a
        signal, whose handler's exception is raised here."""
    @property
    def ended(self) -> bool:
        """The source has no more, or there is none."""
    @property
    def error(self) -> str:
        """What is wrong with the latest source, in a sentence, or nothing."""
    def snapshot(self) -> Reading:
        """What was seen so far, as reading the same packets gives it, less what was forgotten."""
    def evict(self, now_ns: int | None = None) -> dict[str, int]:
        """Forget flows of which nothing was heard for long before then (None: the time of the latest frames); return how
        many, by reason: unanswered, datagram, closed, idle, session-ended, session-open, messages."""
    def counters(self) -> dict[str, Any]:
        """``packets``, ``bytes``, ``received``, ``kernel_drops``, ``ring_freezes``, ``own_drops``, ``flows``, ``messages``,
        ``evicted`` and ``pressed`` (those of them for want of room) by reason, ``problems`` by name, ``clock_steps``,
        ``unordered``, ``interface_downs``, ``reopened``, ``interface_up``, ``latest`` (ns or None)."""
    def aggregates(self) -> list[dict[str, Any]]:
        """Forgotten flows that were never established, by the end that did not answer, at most 1024 and the rest under no
        address: ``address``, ``port``, ``flows``, ``packets``, ``first`` and ``last`` (ns)."""
    def close(self) -> None:
        """Close the source; what was read stays."""

def read_flows(
    paths: Sequence[str | os.PathLike[str]],
    *,
    known_ports: Sequence[int] = ...,  # none
    ndmp_ports: Sequence[int] = ...,  # 10000
    hash_files: bool = False,
    keep_duplicates: bool = False,
    threads: int = 0,
    tshark: tuple[str | os.PathLike[str], str | os.PathLike[str]] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Reading:
    """Read captures into one flow table, in the order of their packets' times.

    ``known_ports`` are responder ports that settle the direction of a flow without handshake; ``ndmp_ports`` lower the
    bar for recognising a control stream that began before the capture. ``threads``: 1 or 2 read; 0 means two where the
    captures are large and there is a second core. The result is the same. ``progress(bytes_read, bytes_total)`` is called
    about every 16 MiB; an exception from it (KeyboardInterrupt included) stops the reading and is raised here.
    ``tshark``: its path and an empty folder in place of settings; Wireshark then says where IP begins in each frame.
    A file that cannot be read is told in ``files``, never raised.
    """

@final
class ReadingAhead:
    """Captures that are being read in a thread of its own, which never waits for Python. Dropped, it stops."""

    def wait(self, milliseconds: int) -> bool:
        """Wait for the end of the reading, at most so long; whether it has come."""
    def progress(self) -> tuple[int, int]:
        """Bytes read and bytes in all, as they were told last, about every 16 MiB; zeros before."""
    def take(self) -> Reading:
        """What was read, as ``read_flows`` returns it; waits for the end. Only once. Raises RuntimeError where it was stopped."""
    def stop(self) -> None:
        """Read no further, and wait until that is so: while some 16 MiB are read."""

def begin_reading(
    paths: Sequence[str | os.PathLike[str]],
    *,
    known_ports: Sequence[int] = ...,  # none
    ndmp_ports: Sequence[int] = ...,  # 10000
    hash_files: bool = False,
    keep_duplicates: bool = False,
    threads: int = 0,
) -> ReadingAhead:
    """Begin to read captures as ``read_flows`` does, while Python does something else. For regular files: a read that waits
    for another program cannot be stopped. NumPy need not be imported before ``take``. Raises OSError where no thread can be
    started.
    """

def capture_format(path: str | os.PathLike[str]) -> str:
    """Name of a file's container, as in ``FileFacts.format``; "" when it is no capture, or no regular file."""

def decode_ndmp(data: bytes, version: int = 0) -> list[dict[str, Any]]:
    """Decode NDMP records, record markers included, as one direction of a stream.

    Each dict has ``message`` (code), ``name``, ``reply``, ``sequence``, ``reply_sequence``, ``time``, ``header_error``,
    ``status`` (of MESSAGE_STATUS), ``length`` and ``fields`` (name -> int, str or list). Raises ValueError,
    naming the offset and the rule that was broken, when ``data`` is not NDMP.
    """

def message_name(code: int, version: int = 0) -> str: ...
def ndmp_error_name(code: int) -> str: ...
def carve(
    captures: Sequence[tuple[str | os.PathLike[str], Sequence[tuple[int, str]]]],
    connections: Sequence[tuple[int, tuple[str, int], tuple[str, int], int, int]],
    output: str | os.PathLike[str],
    *,
    hash_files: bool = False,
    key: bytes | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> list[tuple[int, int, str | None, str | None]]:
    """Write packets of captures into a new pcapng file, one capture after another.

    Wanted are packets by number, each with a comment, and all packets of ``connections``: IP protocol number, both ends,
    first and last time (ns, both included). With a ``key`` (32 bytes) addresses are replaced and payload is left out.
    Returned for each capture: packets written, those of them that were wanted by number, the file's SHA-256 where it
    was asked for, and why it was not read to its end. Raises OSError where the file cannot be written.
    """

def pseudonyms(key: bytes, addresses: Sequence[str]) -> list[str]:
    """The addresses that stand for these under a key of 32 bytes: IPv4, IPv6 (Crypto-PAn) or hardware addresses."""

def revived(text: bytes, kinds: dict[str, type]) -> Any:
    """JSON without spaces and floating point as values: lists as tuples, each ``{"@": NAME, "=": [VALUES]}`` as what the kind of
    that name returns for the values. Raises ValueError for anything else, KeyError for another name, and what kinds raise."""

def sha256(data: bytes) -> str:
    """SHA-256 in hexadecimal, without the library of ciphers that hashlib loads."""

def sha256_of_files(paths: Sequence[str | os.PathLike[str]]) -> list[str]:
    """SHA-256 of each file, read as a whole, in hexadecimal. Raises OSError where one cannot be read."""

def network_filter(
    networks: Sequence[tuple[str, int]], *, snaplen: int = ..., link_type: int = 1
) -> list[tuple[int, int, int, int]] | None:
    """Classic BPF (code, jt, jf, k) that lets through packets from or to the networks (address, length of the prefix), and
    what may hide such a packet: VLAN tags, MPLS, PPPoE, IP in IP, GRE. ``snaplen`` is 262144 by default; ``link_type``: 1 Ethernet, 101 bare IP. None when
    the kernel takes no program as long as that. Raises ValueError."""

def drop_privileges(keep: Sequence[int]) -> None:
    """Give up, for good, all privileges of this thread and of those it starts, but for capabilities (Linux's numbers) that are
    named and held. Raises OSError."""

def holds_net_raw() -> bool:
    """Whether this thread may open packet sockets (Linux)."""
