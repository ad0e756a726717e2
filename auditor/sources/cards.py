"""What a network card says of its own clock (Linux: ethtool's interface)."""

from __future__ import annotations

import ctypes
import socket
import struct
import sys

_ETHTOOL, _GET_HARDWARE_TIMES = 0x8946, 0x89B1
"""SIOCETHTOOL and SIOCGHWTSTAMP of linux/sockios.h."""
_GET_TS_INFO = 0x41
"""ETHTOOL_GET_TS_INFO of linux/ethtool.h."""
_RX_HARDWARE, _RAW_HARDWARE = 1 << 2, 1 << 6
"""SOF_TIMESTAMPING_RX_HARDWARE and SOF_TIMESTAMPING_RAW_HARDWARE of linux/net_tstamp.h."""


def hardware_times(interface: str) -> str:
    """Return ``on``, ``off`` (the card could stamp what it receives), ``none`` (it cannot), or nothing where nobody tells."""
    if sys.platform != "linux":
        return ""
    # struct ethtool_ts_info: command, capabilities, number of the clock, and what follows them.
    told = ctypes.create_string_buffer(struct.pack("II", _GET_TS_INFO, 0), 64)
    if not _asked(interface, _ETHTOOL, told):
        return ""
    can: int = struct.unpack_from("II", told.raw)[1]
    if can & _RX_HARDWARE == 0 or can & _RAW_HARDWARE == 0:
        return "none"
    # struct hwtstamp_config: flags, what is stamped of that sent, and of that received.
    now = ctypes.create_string_buffer(12)
    received = struct.unpack("iii", now.raw)[2] if _asked(interface, _GET_HARDWARE_TIMES, now) else 0
    return "on" if received else "off"


def _asked(interface: str, request: int, answer: ctypes.Array[ctypes.c_char]) -> bool:
    """Ask the driver; return whether it answered."""
    import fcntl

    # struct ifreq: the name in 16 bytes, then a pointer in a union of 24.
    question = struct.pack("16sP16x", interface.encode()[:15], ctypes.addressof(answer))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        try:
            fcntl.ioctl(any_socket, request, question)
        except OSError:
            return False
    return True
