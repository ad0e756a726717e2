"""Count packets and flows with scapy, as its users do: a loop and a dictionary."""

from __future__ import annotations

import sys

from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.utils import PcapReader

if __name__ == "__main__":
    packets, flows = 0, set()
    with PcapReader(sys.argv[1]) as reader:
        for packet in reader:
            packets += 1
            ip = packet.getlayer(IP) or packet.getlayer(IPv6)
            if ip is not None:
                ends = ((ip.src, getattr(ip.payload, "sport", 0)), (ip.dst, getattr(ip.payload, "dport", 0)))
                flows.add((getattr(ip, "proto", None) or ip.nh, min(ends), max(ends)))
    print(f"packets {packets} flows {len(flows)}")
