"""Our flows of a capture beside tshark's conversations, and a cause for each difference.

The causes are those of docs/flow-counters.md. A cause is given only where what it predicts holds for the counters;
anything else is ``unexplained``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from auditor import _native
from auditor.dissection import is_usable, read_with_pyshark
from auditor.errors import CaptureError
from auditor.flows import TCP, UDP, FlowTable
from auditor.records import record
from auditor.wireshark import Conversation, Pair, SecondReading, pair_of, read_with_tshark

CAUSES = {
    "SNMP": "tshark begins a new conversation after an SNMP message; joined again, the two agree exactly",
    "cut elsewhere": "the same packets in all, but a new conversation begins at another place",
    "no times": "packets without a time (pcapng's simple packets): here they have that of the packet before them",
    "rounded times": "the format was converted for us, and the converter keeps whole microseconds",
    "malformed": "packets whose transport header is too short or says an impossible length count here, not in tshark",
    "fragments": "every fragment counts here; tshark counts the frame that completes a datagram",
    "tunnel": "one of the two sees a packet inside what the other counts as the outermost",
    "undecoded": "frames that are not decoded here, and that the report counts as problems of the capture",
}
"""Cause of a difference -> what it means."""

UNEXPLAINED = "unexplained"
_SNMP_PORTS = {161, 162}
_CONVERTED = "(editcap)"
_MICROSECOND = 1000
_NAMES = {TCP: "tcp", UDP: "udp"}


@record
class Difference:
    """One port pair on which the two disagree: what each counts, ``None`` where one has it not at all."""

    pair: Pair
    cause: str
    ours: Conversation | None
    theirs: Conversation | None
    our_flows: int
    their_flows: int


@record
class Crosscheck:
    """One capture, looked at twice. ``agreed`` counts flows that are the same in all counters and both times."""

    path: str
    status: str
    error: str
    version: str
    complaint: str
    flows: int
    conversations: int
    agreed: int
    duplicates: int
    differences: tuple[Difference, ...]

    @property
    def unexplained(self) -> int:
        """Return the number of differences without a cause."""
        return sum(difference.cause == UNEXPLAINED for difference in self.differences)

    @property
    def whole(self) -> bool:
        """Return whether both read the capture to its end."""
        return self.status == "read" and not self.complaint


@record
class _Marks:
    """What our flows of one port pair have about them."""

    fragments: bool = False
    tunnel: bool = False


def crosscheck(path: str, through: str = "") -> Crosscheck:
    """Return both readings of a capture, compared; TCP and UDP alone, every packet as often as it was captured.

    ``through`` is ``pyshark``, or ``tshark`` for its own lines; unsaid, pyshark where that can be used.

    Raises
    ------
    UsageError
        tshark is not installed.
    MissingExtra
        pyshark is asked for and not installed.
    CaptureError
        Our own reading finds no capture.
    """
    through = through or ("pyshark" if is_usable() else "tshark")
    theirs = read_with_pyshark(path) if through == "pyshark" else read_with_tshark(path)
    reading = _native.read_flows([path], keep_duplicates=True)
    (facts,) = reading.files
    if facts.status == "unreadable":
        raise CaptureError(f"{path}: {facts.error}")
    mine, marks = _ours(FlowTable.from_reading(reading))
    flows, differences = _compare(mine, marks, theirs, facts)
    once = _native.read_flows([path]).files[0].duplicates
    return Crosscheck(
        path=path,
        status=facts.status,
        error=facts.error or "",
        version=theirs.version,
        complaint=theirs.complaint,
        flows=len(mine),
        conversations=len(theirs.conversations),
        agreed=flows,
        duplicates=once,
        differences=differences,
    )


def _ours(table: FlowTable) -> tuple[list[Conversation], dict[Pair, _Marks]]:
    """Return the flows of TCP and UDP as conversations, and what the flows of each pair have about them."""
    found: list[Conversation] = []
    marks: dict[Pair, _Marks] = {}
    texts = [table.address_text(code) for code in range(len(table.addresses))]
    names: tuple[str, ...] = (
        "transport",
        "orig_addr",
        "orig_port",
        "resp_addr",
        "resp_port",
        "first_time",
        "last_time",
    )
    names += ("orig_packets", "orig_bytes", "resp_packets", "resp_bytes", "first_packet", "flags", "tunnel")
    for transport, orig, orig_port, resp, resp_port, first, last, *counts, packet, flags, tunnel in zip(
        *(table[name].tolist() for name in names), strict=True
    ):
        if transport not in _NAMES:
            continue
        one, other = (texts[orig], orig_port), (texts[resp], resp_port)
        pair = pair_of(_NAMES[transport], one, other)
        packets_a, bytes_a, packets_b, bytes_b = counts if pair[1] == one else (*counts[2:], *counts[:2])
        found.append(Conversation(pair, first, last, packets_a, bytes_a, packets_b, bytes_b, packet))
        before = marks.get(pair, _Marks())
        fragments = before.fragments or bool(flags & _native.FLAG_FRAGMENTS)
        marks[pair] = _Marks(fragments, before.tunnel or tunnel > 0)
    return found, marks


def _compare(
    mine: Iterable[Conversation], marks: dict[Pair, _Marks], theirs: SecondReading, facts: _native.FileFacts
) -> tuple[int, tuple[Difference, ...]]:
    """Return how many flows agree, and the differences, one per port pair, in order of their first packets."""
    ours, others = _by_pair(mine), _by_pair(theirs.conversations)
    agreed, found = 0, []
    for pair in {**ours, **others}:
        left, right = ours.get(pair, []), others.get(pair, [])
        if sorted(flow.counters for flow in left) == sorted(flow.counters for flow in right):
            agreed += len(left)
            continue
        one, other = _joined(left), _joined(right)
        known = _Circumstances(
            marks.get(pair, _Marks()),
            theirs.malformed.get(pair),
            converted=facts.format.endswith(_CONVERTED),
            problems=sum(facts.problems.values()) + sum(facts.undecoded.values()),
            headless=facts.problems.get("malformed-transport-header", 0),
        )
        cause = _cause(pair, one, other, known)
        found.append(Difference(pair, cause, one, other, len(left), len(right)))
    _pair_tunnels(found)
    return agreed, tuple(sorted(found, key=_place))


def _place(difference: Difference) -> tuple[int, Pair]:
    known = difference.ours or difference.theirs
    return (known.packet if known else 0, difference.pair)


def _by_pair(conversations: Iterable[Conversation]) -> dict[Pair, list[Conversation]]:
    found: dict[Pair, list[Conversation]] = defaultdict(list)
    for conversation in conversations:
        found[conversation.pair].append(conversation)
    return found


def _joined(flows: list[Conversation]) -> Conversation | None:
    """Return the conversations of one pair as one."""
    if not flows:
        return None
    whole = Conversation(flows[0].pair, flows[0].first, flows[0].last, packet=flows[0].packet)
    for flow in flows:
        whole.first, whole.last = min(whole.first, flow.first), max(whole.last, flow.last)
        whole.packet = min(whole.packet, flow.packet)
        whole.untimed |= flow.untimed
        whole.packets_a += flow.packets_a
        whole.bytes_a += flow.bytes_a
        whole.packets_b += flow.packets_b
        whole.bytes_b += flow.bytes_b
    return whole


@record
class _Circumstances:
    """What a cause may rest on besides the counters: our flows' marks, tshark's malformed packets, the file's facts."""

    marks: _Marks
    malformed: Conversation | None
    converted: bool
    problems: int
    headless: int


def _cause(pair: Pair, ours: Conversation | None, theirs: Conversation | None, known: _Circumstances) -> str:
    """Return the cause of a difference, or ``UNEXPLAINED``."""
    if ours is not None and theirs is not None and ours.counters[2:] == theirs.counters[2:]:
        return _cause_of_times(pair, ours, theirs, known)
    if ours is not None:
        if known.malformed is not None:
            whole = _joined([*([theirs] if theirs else []), known.malformed])
            if whole is not None and whole.counters == ours.counters:
                return "malformed"
        # Where not even the ports are whole, tshark shows no transport at all.
        if theirs is None and pair[1][1] == pair[2][1] == 0 and _packets(ours) <= known.headless:
            return "malformed"
        if known.marks.fragments and _at_least(ours, theirs):
            return "fragments"
        if known.marks.tunnel and theirs is None:
            return "tunnel"
    # What was not decoded can only be missing here.
    if theirs is not None and _at_least(theirs, ours):
        missing = _packets(theirs) - _packets(ours)
        if 0 < missing <= known.problems:
            return "undecoded"
    return UNEXPLAINED


def _cause_of_times(pair: Pair, ours: Conversation, theirs: Conversation, known: _Circumstances) -> str:
    """Return why the same packets and bytes are not the same: parted elsewhere, or at other times."""
    if ours.counters == theirs.counters:
        return "SNMP" if _SNMP_PORTS & {pair[1][1], pair[2][1]} else "cut elsewhere"
    if theirs.untimed:
        return "no times"
    apart = max(abs(ours.first - theirs.first), abs(ours.last - theirs.last))
    return "rounded times" if known.converted and apart < _MICROSECOND else UNEXPLAINED


def _packets(conversation: Conversation | None) -> int:
    return conversation.packets_a + conversation.packets_b if conversation else 0


def _at_least(more: Conversation, less: Conversation | None) -> bool:
    """Return whether one conversation holds all that the other does."""
    if less is None:
        return True
    counts = zip(more.counters[2:], less.counters[2:], strict=True)
    return more.first <= less.first and less.last <= more.last and all(one >= other for one, other in counts)


def _pair_tunnels(found: list[Difference]) -> None:
    """Explain a conversation of tshark's that we have under other ends: the same frames, in or around a tunnel."""
    here = {_frames(difference.ours): at for at, difference in enumerate(found) if difference.theirs is None}
    for at, difference in enumerate(found):
        other = here.get(_frames(difference.theirs)) if difference.ours is None else None
        if difference.cause == UNEXPLAINED and other is not None:
            for place in (at, other):
                known = found[place]
                found[place] = Difference(
                    known.pair, "tunnel", known.ours, known.theirs, known.our_flows, known.their_flows
                )


def _frames(conversation: Conversation | None) -> tuple[int, ...]:
    """Return what is the same of the same frames under whatever ends."""
    if conversation is None:
        return ()
    sides = sorted([(conversation.packets_a, conversation.bytes_a), (conversation.packets_b, conversation.bytes_b)])
    return (conversation.packet, conversation.first, conversation.last, *sides[0], *sides[1])
