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
from collections import defaultdict
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

FRAGMENTS = "fragments"
TUNNEL = "tunnel"
DIFFERENCES: dict[str, str] = {}
"""File of the corpus -> cause."""


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

    reading = _native.read_flows([str(path)])
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


@pytest.mark.skipif(not reference(), reason="no ../shared/corpus beside the checkout")
@pytest.mark.parametrize("name", sorted(set(reference()) - set(DIFFERENCES)) or ["none"])
def test_corpus(name: str, tmp_path: Path) -> None:
    assert counted_by_us(unpacked(name, tmp_path)) == counted_in_reference(reference()[name])


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
    assert counted_by_us(case.capture) == counted_by_tshark(case.capture)
