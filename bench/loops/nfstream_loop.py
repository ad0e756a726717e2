"""Count packets and flows with nfstream, alone: no recognition of applications, no statistics, no timeouts."""

from __future__ import annotations

import sys

from nfstream import NFStreamer

if __name__ == "__main__":
    packets = flows = 0
    for flow in NFStreamer(
        sys.argv[1], idle_timeout=10**6, active_timeout=10**6, n_dissections=0, n_meters=1, decode_tunnels=False
    ):
        flows += 1
        packets += flow.bidirectional_packets
    print(f"packets {packets} flows {flows}")
