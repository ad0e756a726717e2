"""The programs that are measured: how each is run, and what it says of packets and flows."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.measure import shell

LOOPS = Path(__file__).resolve().parent / "loops"
Seen = tuple[int | None, int | None]
"""Packets and flows that a program counted; None for what it does not count."""
Truth = dict[str, int]
_CONVERSATION = re.compile(r" <-> .*? (?:bytes|[kMG]B) .*? (?:bytes|[kMG]B) +(\d+) ")
_LONG = "604800"
"""Timeouts that no workload reaches, so that no flow is split (a week)."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A program. ``command`` takes a capture and a folder of its own; ``seen`` what was printed, capture and folder.

    ``packets`` and ``flows`` say what it counts by its own definition, given the truth; ``why`` how that differs.
    ``cut_why`` says why it counts otherwise where frames were cut, ``odd_why`` why it may anywhere.
    ``most`` is the largest capture, in packets, that it is given.
    """

    name: str
    needs: str
    command: Callable[[Path, Path], list[str | Path]]
    seen: Callable[[str, Path, Path], Seen]
    packets: Callable[[Truth], int] = lambda truth: truth["packets"]
    flows: Callable[[Truth], int] = lambda truth: truth["flows"]
    why: str = ""
    most: int = 10**9
    cut_why: str = ""
    odd_why: str = ""

    def installed(self) -> bool:
        """Return whether the program, or the package, is there."""
        return bool(shutil.which(self.needs) or importlib.util.find_spec(self.needs))


def _number(pattern: str, text: str) -> int | None:
    found = re.search(pattern, text)
    return int(found.group(1)) if found else None


def _told(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _ours(_: str, __: Path, folder: Path) -> Seen:
    totals = json.loads((folder / "report.json").read_text())["totals"]
    return totals["packets"], totals["flows"]


def _auditor(*options: str) -> Callable[[Path, Path], list[str | Path]]:
    program = Path(sys.executable).parent / "auditor"

    def command(capture: Path, folder: Path) -> list[str | Path]:
        return [program, "audit", capture, "--format", "json", "--output", folder / "report.json", *options]

    return command


def _tcpdump(_: str, capture: Path, __: Path) -> Seen:
    return _number(r"(\d+) packet", _told("tcpdump", "--count", "-r", capture)), None


def _softflowd(capture: Path, folder: Path) -> list[str | Path]:
    # Exported to a port where nobody listens; -6 counts IPv6 too, and no flow is expired before the end.
    kinds = ("tcp", "tcp.fin", "tcp.rst", "udp", "icmp", "general", "maxlife")
    spans = [word for kind in kinds for word in ("-t", f"{kind}={_LONG}")]
    where = ["-n", "127.0.0.1:9995", "-v", "9", "-c", "none", "-p", folder / "pid"]
    return ["softflowd", "-d", "-6", "-m", "100000000", *spans, *where, "-r", capture]


def _softflowd_seen(text: str, _: Path, __: Path) -> Seen:
    return _number(r"Packets processed: (\d+)", text), _number(r"Flows expired: (\d+)", text)


def _nfpcapd(capture: Path, folder: Path) -> list[str | Path]:
    # An hour is the longest that it takes; a file for a day. Its files must lie in an empty folder.
    made = folder / "nf"
    return shell(
        ["rm", "-rf", made],
        ["mkdir", made],
        ["nfpcapd", "-t", "86400", "-e", "3600,3600", "-r", capture, "-w", made],
    )


def _nfpcapd_seen(_: str, __: Path, folder: Path) -> Seen:
    packets = _number(r"Packets: (\d+)", _told("nfdump", "-R", folder / "nf", "-I"))
    # It counts each direction by itself, once for every hour and end of connection; nfdump brings them together.
    command = ("nfdump", "-R", folder / "nf", "-B", "-q", "-o", "csv")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        return packets, sum(row.startswith("20") for row in process.stdout)


def _ndpi_seen(text: str, _: Path, __: Path) -> Seen:
    return _number(r"IP packets:\s+(\d+)", text), _number(r"Unique flows:\s+(\d+)", text)


def _argus(capture: Path, folder: Path) -> list[str | Path]:
    raw, whole = folder / "argus.raw", folder / "argus.whole"
    return shell(
        ["rm", "-f", raw, whole],
        ["argus", "-F", "/dev/null", "-r", capture, "-w", raw],
        # It reports on each flow every few seconds: racluster makes one of the reports.
        ["racluster", "-F", "/dev/null", "-M", "norep", "-r", raw, "-w", whole],
    )


def _argus_seen(_: str, __: Path, folder: Path) -> Seen:
    counted = _told("racount", "-r", folder / "argus.whole", "-", "not", "arp").split("sum", 1)[-1].split()
    # One record is about argus itself.
    return (int(counted[1]), int(counted[0]) - 1) if len(counted) > 1 else (None, None)


def _tshark_seen(_: str, __: Path, folder: Path) -> Seen:
    # Line by line: what this process holds counts in the peak of those that it starts.
    packets = flows = 0
    with (folder / "out.txt").open(errors="replace") as lines:
        for line in lines:
            found = _CONVERSATION.search(line)
            if found:
                packets, flows = packets + int(found.group(1)), flows + 1
    return packets, flows


def _loop(name: str) -> Callable[[Path, Path], list[str | Path]]:
    return lambda capture, _: [sys.executable, LOOPS / f"{name}_loop.py", capture]


def _loop_seen(text: str, _: Path, __: Path) -> Seen:
    return _number(r"packets (\d+)", text), _number(r"flows (\d+)", text)


def _both_ways(truth: Truth) -> int:
    return truth["flows"] + truth["icmp_flows"]


def _ip(truth: Truth) -> int:
    return truth["ip_packets"]


_ECHO = "an echo and its reply are two flows to it"
_NO_ARP = "what is no IP is not counted"
_CUT_TCP = "it passes over a TCP header that was cut: a SYN by IPv6 in a VLAN takes 98 bytes"

PEERS = (
    Peer("auditor audit", "auditor", _auditor(), _ours),
    Peer("auditor audit --hash", "auditor", _auditor("--hash"), _ours),
    Peer("tcpdump -w", "tcpdump", lambda capture, _: ["tcpdump", "-r", capture, "-w", "/dev/null"], _tcpdump),
    Peer("softflowd", "softflowd", _softflowd, _softflowd_seen, _ip, _both_ways, f"{_NO_ARP}; {_ECHO}"),
    Peer("nfpcapd", "nfpcapd", _nfpcapd, _nfpcapd_seen, _ip, _both_ways, f"{_NO_ARP}; {_ECHO}",
         cut_why=_CUT_TCP),
    Peer("ndpiReader", "ndpiReader", lambda capture, _: ["ndpiReader", "-i", capture], _ndpi_seen, _ip, why=_NO_ARP,
         cut_why="it passes over frames that were cut"),
    Peer("argus, racluster", "argus", _argus, _argus_seen, _ip, why="ARP is left out of the count"),
    Peer("tshark -z conv", "tshark",
         lambda capture, _: ["tshark", "-n", "-q", "-r", capture, "-z", "conv,tcp", "-z", "conv,udp"], _tshark_seen,
         lambda truth: truth["ip_packets"] - truth["icmp_packets"], lambda truth: truth["flows"] - truth["icmp_flows"],
         "it lists no ICMP", cut_why=_CUT_TCP),
    Peer("nfstream", "nfstream", _loop("nfstream"), _loop_seen, _ip, why=_NO_ARP,
         cut_why="it passes over frames that were cut"),
    Peer("dpkt, a loop", "dpkt", _loop("dpkt"), _loop_seen),
    Peer("scapy, a loop", "scapy", _loop("scapy"), _loop_seen, most=100_000),
)  # fmt: skip
"""Us first, then the others, roughly by speed."""
