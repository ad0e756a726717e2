"""Where a packet is: a report's numbers count over all captures, Wireshark's in one file."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable

from auditor.model import CaptureSummary, Evidence, Report
from auditor.text import counted, joined, number, packet_list

_MOST_FILES = 4
"""Files that are named in a line."""

_SEEN_IN = re.compile(r"\(packet (\d{1,18})\)", re.ASCII)


class Places:
    """Finds packets of a report in its files."""

    def __init__(self, report: Report) -> None:
        self.several = len(report.captures) > 1
        runs = sorted((run.number, run, capture.path) for capture in report.captures for run in capture.runs)
        self._starts = [start for start, *_ in runs]
        self._runs = [(run, path) for _, run, path in runs]

    def find(self, packet: int) -> tuple[str, int] | None:
        """Return path and number in the file of a packet; None where the report has a single capture, or does not say."""
        at = bisect_right(self._starts, packet) - 1
        if at < 0:
            return None
        run, path = self._runs[at]
        within = packet - run.number
        return (path, run.number_in_file + within) if within < run.packets else None

    def by_file(self, evidence: Evidence) -> dict[str, list[tuple[int, int]]]:
        """Return the telling packets by path: number in the file, and number over all. Packet 0 is none."""
        found: dict[str, list[tuple[int, int]]] = {}
        for packet in sorted(packet for packet in evidence.packets if packet > 0):
            path, in_file = self.find(packet) or (evidence.capture, packet)
            found.setdefault(path, []).append((in_file, packet))
        return found

    def text(self, evidence: Evidence, *, limit: int = 6) -> str:
        """Return where the telling packets are: ``packets 3, 4 of b.pcap and packet 1 of c.pcap``.

        Empty where there is a single capture; of a report of several that does not say, its capture alone.
        """
        if not self.several:
            return ""
        if not self._runs:
            return evidence.capture
        files = self.by_file(evidence)
        told = [
            f"{packet_list((in_file for in_file, _ in packets), limit=limit)} of {path}"
            for path, packets in files.items()
        ]
        more = len(told) - _MOST_FILES
        return joined([*told[:_MOST_FILES], *([f"packets of {counted(more, 'further file')}"] if more > 0 else [])])

    def told(self, text: str) -> str:
        """Return a text that ends with ``(packet 12)`` with the place of that packet; as it is, of a single capture."""
        return (
            _SEEN_IN.sub(lambda match: f"(packet {match[1]}{self._which(int(match[1]))})", text) if self._runs else text
        )

    def _which(self, packet: int) -> str:
        found = self.find(packet)
        return "" if found is None else f", which is packet {found[1]} of {found[0]}"

    def in_files(self, evidence: Iterable[Evidence]) -> dict[str, list[int]]:
        """Return the telling packets of all evidence by path, with the numbers that they have there, each once."""
        found: dict[str, set[int]] = {}
        for one in evidence:
            for path, packets in self.by_file(one).items():
                found.setdefault(path, set()).update(in_file for in_file, _ in packets)
        return {path: sorted(numbers) for path, numbers in found.items()}


def numbered_text(capture: CaptureSummary) -> str:
    """Return which numbers the packets of one of several captures have; empty where nothing is to be said."""
    told = sum(run.packets for run in capture.runs)
    if not told:
        return ""
    first, last = capture.runs[0], capture.runs[-1]
    if len(capture.runs) > 1 or told < capture.packets:
        return f"numbered in turns with others, from {number(first.number)} on"
    return f"numbered {number(first.number)}–{number(last.number + last.packets - 1)}"
