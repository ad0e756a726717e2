"""Wireshark's reading of a capture: where tshark is, and the conversations in its lines of fields.

A line per packet is summed up as it comes, so that memory grows with conversations and not with packets. The same
conversations through pyshark are those of ``auditor.dissection``, which takes longer (docs/crosscheck.md).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from auditor.errors import CaptureError, UsageError

TRANSPORTS = ("tcp", "udp")
Endpoint = tuple[str, int]
Pair = tuple[str, Endpoint, Endpoint]
"""Transport, smaller end, larger end."""
Segment = tuple[str, str, Endpoint, Endpoint, int | None, int, int]
"""Transport, stream (empty where a header is malformed), sender, receiver, time in ns, length, number."""
SETTINGS = "WIRESHARK_CONFIG_DIR"
"""Variable of the environment that tells Wireshark where a user's settings are."""

_FIELDS: tuple[str, ...] = (
    "frame.time_epoch",
    "frame.len",
    "frame.number",
    "frame.protocols",
    "tcp.stream",
    "udp.stream",
)
_FIELDS += ("ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport")
ONLY = "(tcp or udp) and not icmp and not icmpv6"
"""What an ICMP error quotes belongs to no conversation, as in ``tshark -z conv``."""
_HINT = (
    "install Wireshark's command line: the package is called tshark or wireshark-cli (on Windows and macOS: Wireshark)"
)
_PLACES = (
    r"C:\Program Files\Wireshark\tshark.exe",
    "/Applications/Wireshark.app/Contents/MacOS/tshark",
)


@contextmanager
def no_settings() -> Iterator[str]:
    """Give an empty folder for the time of a reading, to stand in for the user's settings, plug-ins and scripts.

    Wireshark is told of it by ``SETTINGS``. It belongs to the user alone: in a folder that others can write,
    they would have their scripts run.
    """
    with tempfile.TemporaryDirectory(prefix="auditor-") as folder:
        yield folder


@dataclass(slots=True)
class Conversation:
    """One conversation as somebody counts it; side ``a`` is the smaller end. Times in ns since the epoch."""

    pair: Pair
    first: int
    last: int
    packets_a: int = 0
    bytes_a: int = 0
    packets_b: int = 0
    bytes_b: int = 0
    packet: int = 0
    """Its first packet, from 1 in the file."""
    untimed: bool = False
    """One of its packets has no time (pcapng's simple packets)."""

    @property
    def counters(self) -> tuple[int, ...]:
        """Return what is compared: first and last time, packets and bytes of each side."""
        return (self.first, self.last, self.packets_a, self.bytes_a, self.packets_b, self.bytes_b)

    def add(self, time: int, length: int, *, from_a: bool) -> None:
        """Count one more packet."""
        self.first, self.last = min(self.first, time), max(self.last, time)
        if from_a:
            self.packets_a += 1
            self.bytes_a += length
        else:
            self.packets_b += 1
            self.bytes_b += length


@dataclass(slots=True)
class SecondReading:
    """What tshark makes of a capture. ``complaint`` is its last word where it did not read to the end, else empty."""

    version: str
    conversations: list[Conversation] = field(default_factory=list)
    malformed: dict[Pair, Conversation] = field(default_factory=dict)
    """What tshark gives to no conversation because it finds a transport header too short or its length impossible; ports
    that are not whole are 0."""
    complaint: str = ""

    def take(self, segments: Iterable[Segment]) -> None:
        """Sum up what tshark sees, segment by segment."""
        found: dict[tuple[str, ...], Conversation] = {}
        for segment in segments:
            _count(found, *segment)
        self.conversations = [conversation for key, conversation in found.items() if key[1]]
        self.malformed = {conversation.pair: conversation for key, conversation in found.items() if not key[1]}


def find_tshark() -> str:
    """Return the path of tshark. Raises UsageError, with what to install, when there is none."""
    for path in (shutil.which("tshark"), *_PLACES):
        if path and os.path.isfile(path):  # noqa: PTH113 - a Windows path is no Path elsewhere
            return path
    raise UsageError("tshark is not installed, or not on the search path", fix=_HINT)


def pair_of(transport: str, one: Endpoint, other: Endpoint) -> Pair:
    """Return both ends in the order that does not depend on who spoke."""
    return (transport, one, other) if one <= other else (transport, other, one)


def read_with_tshark(path: str) -> SecondReading:
    """Return the TCP and UDP conversations of a capture, innermost ones where packets came in tunnels.

    Raises
    ------
    UsageError
        tshark is not installed.
    CaptureError
        tshark cannot be started.
    """
    tshark = find_tshark()
    reading = SecondReading(version_of(tshark))
    words = [
        tshark,
        "-n",
        "-r",
        as_argument(path),
        "-Y",
        ONLY,
        "-o",
        "ip.defragment:TRUE",
        "-T",
        "fields",
        "-E",
        "occurrence=a",
    ]
    words += [word for name in _FIELDS for word in ("-e", name)]
    with no_settings() as settings, tempfile.TemporaryFile() as said:
        try:
            process = subprocess.Popen(  # noqa: S603
                words,
                stdout=subprocess.PIPE,
                stderr=said,
                stdin=subprocess.DEVNULL,
                env={**os.environ, SETTINGS: settings},
            )
        except OSError as error:
            raise CaptureError(f"{tshark} cannot be started: {error.strerror}") from None
        with process:
            reading.take(_segments(process.stdout or ()))
        said.seek(0)
        reading.complaint = _complaint(process.returncode, said.read(65_536))
    return reading


def complaint_about(tshark: str, path: str) -> str:
    """Return tshark's last word about a capture that it cannot read to its end, else nothing. Nothing is dissected."""
    words = [tshark, "-n", "-q", "-r", as_argument(path)]
    with no_settings() as settings:
        done = subprocess.run(  # noqa: S603
            words, capture_output=True, check=False, stdin=subprocess.DEVNULL, env={**os.environ, SETTINGS: settings}
        )
    return _complaint(done.returncode, done.stderr)


def _complaint(code: int, said: bytes) -> str:
    lines = said.decode("utf-8", "replace").strip().splitlines()
    if not code:
        return ""
    return lines[-1] if lines else f"it ended with code {code}"


def as_argument(path: str) -> str:
    """Name a path so that it is never an option."""
    return path if os.path.isabs(path) else os.path.join(".", path)  # noqa: PTH117, PTH118 - a leading "./" must stay


def version_of(tshark: str) -> str:
    """Return ``TShark (Wireshark) 4.0.17`` or the like."""
    try:
        done = subprocess.run([tshark, "--version"], capture_output=True, check=False, stdin=subprocess.DEVNULL)  # noqa: S603
    except OSError as error:
        raise CaptureError(f"{tshark} cannot be started: {error.strerror}") from None
    return " ".join(done.stdout.decode("utf-8", "replace").split("\n", 1)[0].split()[:3]).rstrip(".")


def _segments(lines: Iterable[bytes]) -> Iterator[Segment]:
    for line in lines:
        values = line.decode("utf-8", "replace").rstrip("\r\n").split("\t")
        if len(values) == len(_FIELDS):
            segment = _segment(dict(zip(_FIELDS, values, strict=True)))
            if segment is not None:
                yield segment


def _segment(row: dict[str, str]) -> Segment | None:
    """Return the innermost TCP segment or UDP datagram of a line; None where tshark shows none with its addresses."""
    layers = row["frame.protocols"].split(":")
    place = max((at for at, layer in enumerate(layers) if layer in TRANSPORTS), default=-1)
    below = max((at for at, layer in enumerate(layers[: max(place, 0)]) if layer in {"ip", "ipv6"}), default=-1)
    if below < 0:
        return None
    transport, network = layers[place], layers[below]
    nth, outer = layers[: place + 1].count(transport) - 1, layers[: below + 1].count(network) - 1
    try:
        source, target = (_nth(row[f"{network}.{end}"], outer) for end in ("src", "dst"))
        ports = [_nth(row[f"{transport}.{end}port"], nth) for end in ("src", "dst")]
        sending, receiving = map(int, ports) if all(ports) else (0, 0)
        time = nanoseconds(row["frame.time_epoch"])
        length, number = int(row["frame.len"]), int(row["frame.number"])
    except (ValueError, InvalidOperation):
        return None
    streams = row[f"{transport}.stream"].split(",")
    # A header that is malformed has no stream, though one around it in a tunnel may have.
    stream = streams[nth] if nth < len(streams) else ""
    return transport, stream, (source, sending), (target, receiving), time, length, number


def nanoseconds(text: str) -> int | None:
    """Return a time since the epoch in ns; None for none. Raises InvalidOperation for anything else."""
    return int(Decimal(text) * 1_000_000_000) if text else None


def _nth(values: str, place: int) -> str:
    """Return one of tshark's values between commas; the last where there are fewer."""
    several = values.split(",")
    return several[min(place, len(several) - 1)]


def _count(
    found: dict[tuple[str, ...], Conversation],
    transport: str,
    stream: str,
    sender: Endpoint,
    receiver: Endpoint,
    time: int | None,
    length: int,
    number: int,
) -> None:
    pair = pair_of(transport, sender, receiver)
    key = (transport, stream) if stream else (transport, "", *map(str, pair))
    conversation = found.get(key)
    if conversation is None:
        conversation = found[key] = Conversation(pair, time or 0, time or 0, packet=number)
    conversation.untimed |= time is None
    conversation.add(time or 0, length, from_a=sender == conversation.pair[1])
