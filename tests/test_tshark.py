"""Flow counters against tshark: packets and bytes each way, first and last time, of every conversation.

Where the two count differently on purpose, the file is listed in ``DIFFERENCES`` with its cause, and what still has
to hold is tested. ``docs/flow-counters.md`` tells the same list to people; a test keeps the two together.
"""

from __future__ import annotations

import csv
import gzip
import json
import shutil
import subprocess
from collections import Counter, defaultdict
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support import ROOT, SHARED, committed_cases

Json = dict[str, Any]
Pair = tuple[str, tuple[str, int], tuple[str, int]]

CORPUS = SHARED / "corpus"
PROTOCOLS = {6: "tcp", 17: "udp"}

SNMP_PORTS = {161, 162}
TUNNEL_PORTS = {4789, 6081}

FRAGMENTS = "fragments"
TUNNEL = "tunnel"
TUNNEL_FRAGMENTS = "tunnel in fragments"
SNMP = "SNMP"
DIFFERENCES = {
    "PcapPlusPlus/Tests/ExamplesTest/pcap_examples/ip-frag.pcap": FRAGMENTS,
    "PcapPlusPlus/Tests/Packet++Test/PacketExamples/IPv4Frag.pcap": FRAGMENTS,
    "dnscap/src/test/frags.pcap": FRAGMENTS,
    "kholia-my-pcaps/captures/b6300a.cap": SNMP,
    "suricata-verify/tests/snmp-v3-encrypted/SNMPv3.pcap": SNMP,
    "suricata-verify/tests/vxlan-non-zero-reserved-fields/input.pcap": TUNNEL,
    "tcpdump/tests/geneve.pcap": TUNNEL,
    "zeek/testing/btest/Traces/erspan.pcap": TUNNEL_FRAGMENTS,
    "zeek/testing/btest/Traces/snmp/snmpv1_get_short.pcap": SNMP,
}
"""File of the corpus -> cause. The other files of the reference agree to the byte and the nanosecond."""


class Counters(NamedTuple):
    """One conversation: ``a`` is the smaller endpoint of the pair. Times in ns since the epoch."""

    first: int
    last: int
    packets_a: int
    bytes_a: int
    packets_b: int
    bytes_b: int


Conversations = dict[Pair, list[Counters]]


def pair_of(protocol: str, one: tuple[str, int], other: tuple[str, int]) -> Pair:
    return (protocol, *sorted((one, other)))


def counted_by_us(path: Path) -> Conversations:
    """Return the TCP and UDP flows of a capture, without regard to who opened them."""
    from auditor import _native

    reading = _native.read_flows([str(path)], keep_duplicates=True)
    columns = {name: values.tolist() for name, values in reading.flow_columns().items()}
    found: Conversations = defaultdict(list)
    for row, transport in enumerate(columns["transport"]):
        if transport not in PROTOCOLS:
            continue
        ends = [(reading.address_text(columns[f"{e}_addr"][row]), columns[f"{e}_port"][row]) for e in ("orig", "resp")]
        sides = [(columns[f"{end}_packets"][row], columns[f"{end}_bytes"][row]) for end in ("orig", "resp")]
        if ends[0] > ends[1]:
            sides.reverse()
        times = columns["first_time"][row], columns["last_time"][row]
        found[pair_of(PROTOCOLS[transport], *ends)].append(Counters(*times, *sides[0], *sides[1]))
    return {pair: sorted(flows) for pair, flows in found.items()}


def nanoseconds(epoch: str) -> int:
    return int(Decimal(epoch) * 1_000_000_000)


def counted_in_reference(conversations: list[Json]) -> Conversations:
    """Return tshark's conversations as recorded in the corpus' reference."""
    found: Conversations = defaultdict(list)
    for told in conversations:
        ends = [(told["addr_a"], told["port_a"]), (told["addr_b"], told["port_b"])]
        sides = [
            (told["packets_a_to_b"], told["bytes_a_to_b"]),
            (told["packets_b_to_a"], told["bytes_b_to_a"]),
        ]
        if ends[0] > ends[1]:
            sides.reverse()
        times = nanoseconds(told["first_epoch"]), nanoseconds(told["last_epoch"])
        found[pair_of(told["proto"], *ends)].append(Counters(*times, *sides[0], *sides[1]))
    return {pair: sorted(flows) for pair, flows in found.items()}


@cache
def reference() -> dict[str, list[Json]]:
    path = CORPUS / "reference.json"
    if not path.is_file():
        return {}
    files = json.loads(path.read_text(encoding="utf-8"))["files"]
    return {told["path"]: told["conversations"] for told in files}


def unpacked(name: str, folder: Path) -> Path:
    """Return a corpus file, unpacked if need be: compression is not what is compared here."""
    path = CORPUS / name
    if path.suffix != ".gz":
        return path
    plain = folder / path.stem
    plain.write_bytes(gzip.decompress(path.read_bytes()))
    return plain


def with_cause(cause: str | None) -> Any:
    """Parametrise a test with the files of the reference that differ for a cause, or that do not differ."""
    names = sorted(name for name in reference() if DIFFERENCES.get(name) == cause)
    absent = pytest.param("", marks=pytest.mark.skip(reason="no ../shared/corpus beside the checkout"), id="none")
    return pytest.mark.parametrize("name", names or [absent])


def without_snmp_splits(conversations: Conversations) -> Conversations:
    """Join the conversations of one port pair where SNMP is spoken: tshark begins a new one after a message."""
    return {
        pair: [joined(flows)] if SNMP_PORTS & {pair[1][1], pair[2][1]} else flows
        for pair, flows in conversations.items()
    }


def joined(flows: list[Counters]) -> Counters:
    times = min(flow.first for flow in flows), max(flow.last for flow in flows)
    return Counters(*times, *(sum(numbers) for numbers in list(zip(*flows, strict=True))[2:]))


@with_cause(None)
def test_corpus(name: str, tmp_path: Path) -> None:
    assert counted_by_us(unpacked(name, tmp_path)) == counted_in_reference(reference()[name])


@with_cause(SNMP)
def test_corpus_snmp(name: str, tmp_path: Path) -> None:
    told = counted_in_reference(reference()[name])
    assert counted_by_us(unpacked(name, tmp_path)) == without_snmp_splits(told) != told


@with_cause(TUNNEL)
def test_corpus_tunnels(name: str, tmp_path: Path) -> None:
    """What is inside a tunnel counts; tshark counts the tunnel's datagrams as well, and each frame twice that way."""
    ours, told = counted_by_us(unpacked(name, tmp_path)), counted_in_reference(reference()[name])
    assert ours == {pair: flows for pair, flows in told.items() if pair in ours}
    assert all(TUNNEL_PORTS & {pair[1][1], pair[2][1]} for pair in set(told) - set(ours))


@with_cause(TUNNEL_FRAGMENTS)
def test_corpus_fragments_of_tunnels(name: str, tmp_path: Path) -> None:
    """The fragments of a tunnel count with the flow inside, as those of a datagram do with its own."""
    test_corpus_fragments(name, tmp_path)


@with_cause(FRAGMENTS)
def test_corpus_fragments(name: str, tmp_path: Path) -> None:
    """Every fragment counts with the flow of its datagram; tshark counts only the frame that completes one."""
    ours, told = counted_by_us(unpacked(name, tmp_path)), counted_in_reference(reference()[name])
    strays = {pair for pair in ours if pair[1][1] == 0 == pair[2][1]}
    assert set(ours) - strays == set(told)
    for pair, flows in told.items():
        mine, theirs = joined(ours[pair]), joined(flows)
        assert mine.first <= theirs.first <= theirs.last <= mine.last
        assert all(more >= less for more, less in zip(mine[2:], theirs[2:], strict=True))


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@with_cause(FRAGMENTS)
def test_no_fragment_is_lost_or_counted_twice(name: str, tmp_path: Path) -> None:
    """Frames and bytes between two hosts are those of tshark when it does not reassemble."""
    path = unpacked(name, tmp_path)
    ours: Counter[tuple[str, str, str]] = Counter()
    sizes: Counter[tuple[str, str, str]] = Counter()
    for (protocol, one, other), flows in counted_by_us(path).items():
        for flow in flows:
            for source, target, packets, size in (
                (one[0], other[0], flow.packets_a, flow.bytes_a),
                (other[0], one[0], flow.packets_b, flow.bytes_b),
            ):
                ours[protocol, source, target] += packets
                sizes[protocol, source, target] += size
    words = ["tshark", "-n", "-r", str(path), "-o", "ip.defragment:FALSE", "-Y", "ip.proto in {6, 17} and not icmp"]
    words += ["-T", "fields", "-e", "ip.proto", "-e", "ip.src", "-e", "ip.dst", "-e", "frame.len"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    frames: Counter[tuple[str, str, str]] = Counter()
    lengths: Counter[tuple[str, str, str]] = Counter()
    for line in done.stdout.splitlines():
        protocol, source, target, length = line.split("\t")
        key = PROTOCOLS[int(protocol)], source, target
        frames[key] += 1
        lengths[key] += int(length)
    assert ours == frames
    assert sizes == lengths


def test_differences_are_told_in_the_docs() -> None:
    text = (ROOT / "docs" / "flow-counters.md").read_text(encoding="utf-8")
    for name, cause in DIFFERENCES.items():
        (line,) = (line for line in text.splitlines() if f"`{name}`" in line)
        assert f"| {cause} |" in line


FIELDS = ("frame.time_epoch", "frame.len", "tcp.stream", "udp.stream")
FIELDS += ("ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport")


def counted_by_tshark(path: Path) -> Conversations:
    """Return tshark's conversations, summed up from its own stream numbers (its summary rounds the bytes).

    Packets quoted inside ICMP errors belong to no conversation, as in ``tshark -z conv``.
    """
    words = ["tshark", "-n", "-r", str(path), "-Y", "(tcp or udp) and not icmp and not icmpv6", "-T", "fields"]
    words += ["-E", "occurrence=f", *(word for field in FIELDS for word in ("-e", field))]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    streams: dict[tuple[str, str], list[tuple[Pair, int, int, bool]]] = defaultdict(list)
    for row in csv.DictReader(done.stdout.splitlines(), FIELDS, delimiter="\t"):
        protocol = "tcp" if row["tcp.stream"] else "udp"
        ends = [
            (row["ip.src"] or row["ipv6.src"], int(row[f"{protocol}.srcport"])),
            (row["ip.dst"] or row["ipv6.dst"], int(row[f"{protocol}.dstport"])),
        ]
        packet = pair_of(protocol, *ends), nanoseconds(row["frame.time_epoch"]), int(row["frame.len"])
        streams[protocol, row[f"{protocol}.stream"]].append((*packet, ends[0] <= ends[1]))
    found: Conversations = defaultdict(list)
    for packets in streams.values():
        times = [time for _, time, _, _ in packets]
        sizes = [[size for _, _, size, from_a in packets if from_a is side] for side in (True, False)]
        sums = (number for side in sizes for number in (len(side), sum(side)))
        found[packets[0][0]].append(Counters(min(times), max(times), *sums))
    return {pair: sorted(flows) for pair, flows in found.items()}


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize("case", committed_cases(), ids=lambda case: case.name)
def test_our_captures(case: Any) -> None:
    assert counted_by_us(case.capture) == without_snmp_splits(counted_by_tshark(case.capture))
