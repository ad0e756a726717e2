"""Wireshark's reading of a capture: the one place that starts tshark.

tshark writes a line per packet, which is summed up as it comes, so that memory grows with conversations and not with
packets. Its objects per packet, as libraries wrap them, take some thirty times as long (docs/crosscheck.md).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from auditor.errors import CaptureError, UsageError

TRANSPORTS = ("tcp", "udp")
Endpoint = tuple[str, int]
Pair = tuple[str, Endpoint, Endpoint]
"""Transport, smaller end, larger end."""

_FIELDS: tuple[str, ...] = (
    "frame.time_epoch",
    "frame.len",
    "frame.number",
    "frame.protocols",
    "tcp.stream",
    "udp.stream",
)
_FIELDS += ("ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport")
_ONLY = "(tcp or udp) and not icmp and not icmpv6"
"""What an ICMP error quotes belongs to no conversation, as in ``tshark -z conv``."""
_HINT = (
    "install Wireshark's command line: the package is called tshark or wireshark-cli (on Windows and macOS: Wireshark)"
)
_PLACES = (
    r"C:\Program Files\Wireshark\tshark.exe",
    "/Applications/Wireshark.app/Contents/MacOS/tshark",
)


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
    reading = SecondReading(_version(tshark))
    # Settings of the user's that would change what is counted are set here; "./" keeps a name from being an option.
    source = path if os.path.isabs(path) else os.path.join(".", path)  # noqa: PTH117, PTH118 - a leading "./" must stay
    words = [tshark, "-n", "-r", source, "-Y", _ONLY, "-o", "ip.defragment:TRUE", "-T", "fields", "-E", "occurrence=a"]
    words += [word for name in _FIELDS for word in ("-e", name)]
    found: dict[tuple[str, ...], Conversation] = {}
    with tempfile.TemporaryFile() as said:
        try:
            process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=said, stdin=subprocess.DEVNULL)  # noqa: S603
        except OSError as error:
            raise CaptureError(f"{tshark} cannot be started: {error.strerror}") from None
        with process:
            for packet in _packets(process.stdout or ()):
                _count(found, *packet)
        said.seek(0)
        complaints = said.read(65_536).decode("utf-8", "replace").strip().splitlines()
    if process.returncode:
        reading.complaint = complaints[-1] if complaints else f"it ended with code {process.returncode}"
    reading.conversations = [conversation for key, conversation in found.items() if key[1]]
    reading.malformed = {conversation.pair: conversation for key, conversation in found.items() if not key[1]}
    return reading


def _version(tshark: str) -> str:
    """Return ``TShark (Wireshark) 4.0.17`` or the like."""
    try:
        done = subprocess.run([tshark, "--version"], capture_output=True, check=False, stdin=subprocess.DEVNULL)  # noqa: S603
    except OSError as error:
        raise CaptureError(f"{tshark} cannot be started: {error.strerror}") from None
    return " ".join(done.stdout.decode("utf-8", "replace").split("\n", 1)[0].split()[:3]).rstrip(".")


_Packet = tuple[str, str, Endpoint, Endpoint, int | None, int, int]
"""Transport, stream, sender, receiver, time, length, number."""


def _packets(lines: Sequence[bytes] | Iterator[bytes]) -> Iterator[_Packet]:
    for line in lines:
        values = line.decode("utf-8", "replace").rstrip("\r\n").split("\t")
        if len(values) == len(_FIELDS):
            packet = _packet(dict(zip(_FIELDS, values, strict=True)))
            if packet is not None:
                yield packet


def _packet(row: dict[str, str]) -> _Packet | None:
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
        time = int(Decimal(row["frame.time_epoch"]) * 1_000_000_000) if row["frame.time_epoch"] else None
        length, number = int(row["frame.len"]), int(row["frame.number"])
    except (ValueError, InvalidOperation):
        return None
    streams = row[f"{transport}.stream"].split(",")
    # A header that is malformed has no stream, though one around it in a tunnel may have.
    stream = streams[nth] if nth < len(streams) else ""
    return transport, stream, (source, sending), (target, receiving), time, length, number


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
