"""How good the captures are, where they were taken, and what therefore stays open. Facts in, plain records out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from auditor import _native
from auditor.blocks import occurring, picking
from auditor.distinct import among, distinct, tallied
from auditor.flows import TCP, FlowTable, time_text
from auditor.model import CaptureQuality, Finding, Quality
from auditor.model.quality import UNKNOWN_VANTAGE, VANTAGES
from auditor.policy.match import Verdicts
from auditor.records import draft, replace
from auditor.stretches import gap_seconds
from auditor.tables.captures import talking_directions
from auditor.text import counted, number, path_text

_MILLION, _SECOND = 1_000_000, 1_000_000_000
_HANDSHAKE = tuple(_native.ORIGINATOR_BY.index(word) for word in ("syn", "syn-ack"))
_LOSSY = 1
"""Percent of dropped packets, or of missing bytes, from which on an answer that was not seen may have been given. As rule
BX903 has it."""
_ONE_SIDED = 50
"""Percent of one-sided connections from which on the same holds. As rule BX902 has it."""
_LEAST_PEERS, _NEARLY_ALL = 2, 99
"""A host that talks with so many others, in so many percent of all flows, is where the capture was taken."""

_SINGLE_HOSTS = {"media-servers": "media-server", "agents": "agent"}
"""Role of a zone -> vantage of a capture that was taken on a host of it."""


def summarise_quality(
    files: Sequence[_native.FileFacts], table: FlowTable, verdicts: Verdicts, stated: str | None = None
) -> Quality:
    """Return how good the captures are. ``stated`` is the vantage as the user tells it; without, it is inferred."""
    talking, alone = talking_directions(table, len(files))
    tcp = table["transport"] == TCP
    late = tcp & ~among(table["originator_by"], _HANDSHAKE)
    began = np.bincount(table["first_file"][late], minlength=len(files))
    missed = _missed(table, len(files))
    captures = tuple(
        replace(
            _of_file(facts),
            tcp_flows=int(talking[row]),
            one_sided=int(alone[row]),
            without_handshake=int(began[row]),
            missed_bytes=missed[row],
        )
        for row, facts in enumerate(files)
    )
    if stated is not None:
        vantage, known_by, because = stated, "unknown" if stated == UNKNOWN_VANTAGE else "stated", ""
    else:
        vantage, because = _inferred(table, verdicts)
        known_by = "unknown" if vantage == UNKNOWN_VANTAGE else "inferred"
    total = _with_silences(_in_all(captures), files)
    return Quality(vantage, known_by, because, total, captures)


def _missed(table: FlowTable, files: int) -> list[int]:
    """Return the TCP bytes that the capture lacks of the flows that began in each file."""
    lost = np.zeros(files)
    for side in ("orig_missed", "resp_missed"):
        rows = np.flatnonzero(table[side])
        lost += np.bincount(table["first_file"][rows], weights=table[side][rows], minlength=files)[:files]
    return [int(count) for count in lost]


def _of_file(facts: _native.FileFacts) -> CaptureQuality:
    gaps, least = _gaps(facts.silences, facts.first, facts.last, facts.packets)
    return CaptureQuality(
        path=path_text(facts.path),
        packets=facts.packets,
        longest_silence_ms=facts.longest_silence // _MILLION,
        longest_silence_at=time_text(facts.longest_silence_at) if facts.longest_silence else None,
        gaps=gaps,
        gap_seconds=least,
        drops=facts.drops,
        cut=facts.cut,
        duplicates=facts.duplicates,
        unordered=facts.unordered,
        clock_steps=facts.clock_steps,
        tunnels=dict(sorted(facts.tunnels.items())),
        undecoded=dict(sorted(facts.undecoded.items())),
    )


def _gaps(silences: Sequence[int], first: int | None, last: int | None, packets: int) -> tuple[int, int]:
    """Return how many silences are well beyond usual, and from how many seconds on: a power of two, for the core counts
    silences by those."""
    if first is None or last is None or packets < 2:
        return 0, 0
    least = gap_seconds(first, last, packets)
    return sum(silences[least.bit_length() - 1 :]), least


def _with_silences(total: CaptureQuality, files: Sequence[_native.FileFacts]) -> CaptureQuality:
    """Return the captures taken together with their silences, those from one file to the next among them."""
    timed = [(facts.first, facts.last, facts) for facts in files if facts.first is not None and facts.last is not None]
    if not timed:
        return total
    silences = [sum(counts) for counts in zip(*(facts.silences for _, _, facts in timed), strict=True)]
    longest, begins = max((facts.longest_silence, -facts.longest_silence_at) for _, _, facts in timed)
    for (_, before, _), (after, _, _) in pairwise(timed):
        pause = after - before
        if pause >= _SECOND:
            silences[min((pause // _SECOND).bit_length() - 1, len(silences) - 1)] += 1
        longest, begins = max((longest, begins), (pause, -before))
    first, last = min(one for one, _, _ in timed), max(one for _, one, _ in timed)
    gaps, least = _gaps(silences, first, last, total.packets)
    return replace(
        total,
        longest_silence_ms=longest // _MILLION,
        longest_silence_at=time_text(-begins) if longest else None,
        gaps=gaps,
        gap_seconds=least,
    )


def _in_all(captures: Sequence[CaptureQuality]) -> CaptureQuality:
    """Return the captures taken together, but for their silences."""
    told = [capture.drops for capture in captures if capture.drops is not None]
    sums = {
        name: sum(getattr(capture, name) for capture in captures)
        for name in (
            "packets",
            "cut",
            "duplicates",
            "unordered",
            "clock_steps",
            "tcp_flows",
            "one_sided",
            "without_handshake",
            "missed_bytes",
        )
    }
    return CaptureQuality(
        drops=sum(told) if told else None,
        tunnels=_added(capture.tunnels for capture in captures),
        undecoded=_added(capture.undecoded for capture in captures),
        **sums,
    )


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(sorted(total.items()))


def _inferred(table: FlowTable, verdicts: Verdicts) -> tuple[str, str]:
    """Return the vantage that the flows show, and why: a host that nearly all of them have as an end, or none."""
    tcp = table["transport"] == TCP
    if not tcp.any():
        return UNKNOWN_VANTAGE, ""
    one, other = (table[end][picking(tcp)] for end in ("orig_addr", "resp_addr"))
    size = len(table.addresses)
    ends = tallied(one, size) + tallied(other[picking(one != other)], size)
    host = int(ends.argmax())
    share = int(ends[host]) * 100 // len(one)
    opened, addressed = one == host, other == host
    peers = np.count_nonzero(occurring(other[opened], size) | occurring(one[addressed], size))
    if share >= _NEARLY_ALL and peers >= _LEAST_PEERS:
        row = int(np.flatnonzero(tcp)[np.argmax(opened | addressed)])
        side = "orig" if table["orig_addr"][row] == host else "resp"
        role = verdicts.roles[int(getattr(verdicts, f"{side}_role")[row])]
        vantage = _SINGLE_HOSTS.get(role, UNKNOWN_VANTAGE)
        return vantage, f"{table.address_text(host)} is an end of {share} percent of {counted(len(one), 'TCP flow')}"
    pairs = len(distinct(np.minimum(one, other).astype(np.uint64) << np.uint64(32) | np.maximum(one, other)))
    if pairs > _LEAST_PEERS:
        return "span", f"no host is an end of all: {number(pairs)} pairs of hosts talk over TCP"
    return UNKNOWN_VANTAGE, ""


def weaken(
    found: Iterable[Finding],
    quality: Quality,
    *,
    stretches: Sequence[int] = (),
    lost: int = 0,
    table: FlowTable | None = None,
) -> tuple[Finding, ...]:
    """Return the findings, those marked as inconclusive that rest on an answer which the capture may have lost.

    ``stretches`` holds for each capture the first of those that it goes on with, where several are one: connections of
    them all count. ``lost`` packets are known to be lost, wherever: each of them may have been the answer. ``table`` holds
    the flows of the captures: where bytes are missing in those that were answered, so may whole answers.
    """
    files = len(quality.captures)
    rows = stretches or range(files)
    # What was carried is held against what is missing: mostly nothing is.
    lacks = any(one.missed_bytes for one in quality.captures)
    carried = _carried(table, files) if table is not None and lacks else [0] * files
    sums = [_Connections() for _ in range(files)]
    for one, row, held in zip(quality.captures, rows, carried, strict=True):
        sums[row].add(one, held)
    doubts = {one.path: _doubt(one, sums[row]) for one, row in zip(quality.captures, rows, strict=True)}
    if lost:
        doubts = dict.fromkeys(
            doubts, f"{counted(lost, 'packet')} were lost on the way, and the answer may be among them"
        )
    return tuple(_weakened(finding, doubts) for finding in found)


def _weakened(finding: Finding, doubts: Mapping[str, str]) -> Finding:
    if not finding.absence:
        return finding
    reasons = dict.fromkeys(doubts.get(evidence.capture, "") for evidence in finding.evidence)
    # One capture that is sound is enough.
    if not reasons or "" in reasons:
        return finding
    return replace(finding, inconclusive="; ".join(reasons))


@draft
class _Connections:
    """What the TCP connections of captures that go on with each other show; bytes are those of payload."""

    one_sided: int = 0
    flows: int = 0
    missed_bytes: int = 0
    carried_bytes: int = 0

    def add(self, capture: CaptureQuality, carried: int) -> None:
        """Add those of one capture, and the bytes that it holds of them."""
        self.one_sided += capture.one_sided
        self.flows += capture.tcp_flows
        self.missed_bytes += capture.missed_bytes
        self.carried_bytes += carried


def _carried(table: FlowTable, files: int) -> list[int]:
    """Return the payload bytes of the TCP flows that began in each capture, what was sent again counted once."""
    payload = table["orig_payload"] + table["resp_payload"] - table["orig_repeated"] - table["resp_repeated"]
    tcp = table["transport"] == TCP
    held = np.bincount(table["first_file"][tcp], weights=payload[tcp].astype(np.float64), minlength=files)
    return [int(count) for count in held[:files]]


def _doubt(capture: CaptureQuality, seen: _Connections) -> str:
    """Return why an answer that is not in a capture may have been given all the same; empty where it should be there."""
    drops = capture.drops or 0
    if drops and drops * 100 // (capture.packets + drops) >= _LOSSY:
        return f"the capturing program dropped {counted(drops, 'packet')}, and the answer may be among them"
    if seen.one_sided > 1 and seen.one_sided * 100 // seen.flows >= _ONE_SIDED:
        return "the capture shows one direction only, and the answer may have gone the other way"
    missed, carried = seen.missed_bytes, seen.carried_bytes
    if missed and carried and missed * 100 // (carried + missed) >= _LOSSY:
        return f"the capture lacks {counted(missed, 'byte')} of TCP that must have passed, and the answer may be among them"
    return ""


def lacking(quality: Quality, *, guessed: int = 0, undetermined: int = 0, lost: int = 0) -> tuple[str, ...]:
    """Return what the captures do not hold of the traffic that passed, one part of a sentence each; empty where they are
    whole as far as they tell.

    ``guessed`` TCP flows in scope came without a handshake, on ``undetermined`` flows there is no verdict; ``lost`` packets
    are known to be lost, wherever.
    """
    total = quality.total
    undecoded = sum(total.undecoded.values())
    parts = (
        (lost, f"{counted(lost, 'packet')} lost on the way"),
        (total.drops or 0, f"{counted(total.drops or 0, 'packet')} dropped by the capturing program"),
        (total.missed_bytes, f"{counted(total.missed_bytes, 'byte')} of TCP connections not captured"),
        (total.one_sided, f"{counted(total.one_sided, 'TCP flow')} in one direction only"),
        (guessed, f"{counted(guessed, 'TCP flow')} begun before the capture"),
        (undetermined, f"{counted(undetermined, 'flow')} of which too little was captured to judge them"),
        (undecoded, f"{counted(undecoded, 'frame')} of link types that are not decoded"),
    )
    return tuple(said for count, said in parts if count)


def quality_limits(quality: Quality) -> tuple[str, ...]:
    """Return what the captures cannot show, one sentence each."""
    said = []
    if quality.vantage == "firewall-inside":
        said.append("The captures were taken behind the firewall: what it blocks never came there and cannot be shown.")
    elif quality.vantage == "firewall-outside":
        said.append("The captures were taken before the firewall: whether an attempt passed shows by its answer alone.")
    elif quality.vantage in ("media-server", "agent") and quality.vantage_by == "stated":
        said.append(f"The captures were taken {VANTAGES[quality.vantage]}: traffic between other hosts is not there.")
    total = quality.total
    if total.undecoded:
        names = ", ".join(f"{name} {number(count)}" for name, count in total.undecoded.items())
        said.append(f"Frames of link types that are not decoded were not judged: {names}.")
    return tuple(said)
