"""Link headers and tunnels against tshark: it finds the same packet in the same frames."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from auditor import _native

SYN = (
    "45000028123440004006149a0a0000010a000002"  # 10.0.0.1 > 10.0.0.2, TCP
    "9c4027100000006400000000" + "5002ffff00000000"  # 40000 > 10000, SYN
)
MACS = "020000000002" + "020000000001"
SNAP = "aaaa030000000800"
WLAN = "08000000" + "020000000001" + "020000000002" + "020000000003" + "1000"


def outer(protocol: int, inside: str) -> str:
    length = 20 + len(inside) // 2
    return f"4500{length:04x}0000000040{protocol:02x}0000c0000201c0000202{inside}"


def udp(port: int, inside: str) -> str:
    return outer(17, f"c000{port:04x}{8 + len(inside) // 2:04x}0000{inside}")


FRAMES = {
    "token-ring": (6, f"1040{MACS}{SNAP}{SYN}", "none"),
    "fddi": (10, f"50{MACS}{SNAP}{SYN}", "none"),
    "wlan": (105, f"{WLAN}{SNAP}{SYN}", "none"),
    "radiotap": (127, f"0000080000000000{WLAN}{SNAP}{SYN}", "none"),
    "frame-relay": (107, f"184103cc{SYN}", "none"),
    "juniper-ethernet": (178, f"4d474300{MACS}0800{SYN}", "none"),
    "llc": (1, f"{MACS}0030{SNAP}{SYN}", "none"),
    "gre": (1, f"{MACS}0800" + outer(47, f"200008000000002a{SYN}"), "gre"),
    "nvgre": (1, f"{MACS}0800" + outer(47, f"2000655800002a01{MACS}0800{SYN}"), "gre-ethernet"),
    "erspan-2": (1, f"{MACS}0800" + outer(47, f"100088be000000011000000100000000{MACS}0800{SYN}"), "erspan"),
    "ip-in-ip": (101, outer(4, SYN), "ip-in-ip"),
    "vxlan": (101, udp(4789, f"0800000000002a00{MACS}0800{SYN}"), "vxlan"),
    "geneve": (101, udp(6081, f"0000655800002a00{MACS}0800{SYN}"), "geneve"),
    "gtp-u": (101, udp(2152, f"30ff002800000001{SYN}"), "gtp-u"),
}


def write(path: Path, link: int, frames: list[tuple[int, bytes]]) -> Path:
    """Write frames with their times in microseconds."""
    written = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link)
    for time, frame in frames:
        written += struct.pack("<IIII", time // 1_000_000, time % 1_000_000, len(frame), len(frame)) + frame
    path.write_bytes(written)
    return path


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize("name", FRAMES)
def test_tshark_finds_the_same_packet(name: str, tmp_path: Path) -> None:
    link, text, tunnel = FRAMES[name]
    path = write(tmp_path / "frame.pcap", link, [(0, bytes.fromhex(text))])
    words = ["tshark", "-n", "-r", str(path), "-E", "occurrence=l", "-T", "fields"]
    for field in ("ip.src", "ip.dst", "tcp.srcport", "tcp.dstport"):
        words += ["-e", field]
    told = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout.split()
    reading = _native.read_flows([path])
    columns = reading.flow_columns()
    assert len(reading) == 1
    ours = [reading.address_text(int(columns[f"{end}_addr"][0])) for end in ("orig", "resp")]
    assert [*ours, str(columns["orig_port"][0]), str(columns["resp_port"][0])] == told
    assert _native.TUNNELS[columns["tunnel"][0]] == tunnel
    assert reading.files[0].tunnels == ({} if tunnel == "none" else {tunnel: 1})


def test_a_link_type_that_is_not_decoded_is_named_and_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "usb.pcap", 189, [(0, bytes(64)), (1, bytes(64))])
    (facts,) = _native.read_flows([path]).files
    assert facts.undecoded == {"USB_LINUX": 2} == facts.link_types
