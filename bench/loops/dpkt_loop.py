"""Count packets and flows with dpkt, as its users do: a loop and a dictionary."""

from __future__ import annotations

import sys
from pathlib import Path

import dpkt

if __name__ == "__main__":
    packets, flows = 0, set()
    with Path(sys.argv[1]).open("rb") as file:
        for _, data in dpkt.pcap.Reader(file):
            packets += 1
            ip = dpkt.ethernet.Ethernet(data).data
            if isinstance(ip, dpkt.ip.IP | dpkt.ip6.IP6):
                ends = ((ip.src, getattr(ip.data, "sport", 0)), (ip.dst, getattr(ip.data, "dport", 0)))
                flows.add((ip.p, min(ends), max(ends)))
    print(f"packets {packets} flows {len(flows)}")
