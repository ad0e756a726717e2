"""Filters in libpcap's language, compiled by tcpdump or libpcap, whichever is there."""

from __future__ import annotations

import ctypes
import ctypes.util
import shutil
import struct
import subprocess
from typing import Any

from auditor.errors import UsageError
from auditor.text import escape

Program = list[tuple[int, int, int, int]]
ETHERNET = 1


def compiler() -> str:
    """Return what would compile a filter: ``tcpdump``, ``libpcap``, or nothing."""
    if shutil.which("tcpdump"):
        return "tcpdump"
    return "libpcap" if ctypes.util.find_library("pcap") else ""


def compile_expression(expression: str, snaplen: int) -> Program:
    """Compile a filter for Ethernet frames. Raises UsageError for one that is none, and where nothing can compile it."""
    if by := compiler():
        return _by_tcpdump(expression, snaplen) if by == "tcpdump" else _by_libpcap(expression, snaplen)
    raise UsageError(
        "a filter expression needs tcpdump or libpcap to compile it, and neither is here",
        fix="install tcpdump, or leave the filter out: with a policy, the kernel passes on what concerns its hosts alone",
    )


def _refused(expression: str, complaint: str) -> UsageError:
    return UsageError(f'the filter "{escape(expression)}" is none: {escape(complaint)}', fix="see man 7 pcap-filter")


def _by_tcpdump(expression: str, snaplen: int) -> Program:
    # An empty capture tells link type and snaplen, so that no interface has to be opened.
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, snaplen, ETHERNET)
    done = subprocess.run(  # noqa: S603 - arguments, no shell; the expression comes after "--"
        ["tcpdump", "-ddd", "-r", "-", "--", expression],  # noqa: S607 - the user's own
        input=header,
        capture_output=True,
        timeout=20,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise _refused(expression, lines[-1].removeprefix("tcpdump: ") if lines else "tcpdump refused it")
    rows = [tuple(map(int, line.split())) for line in done.stdout.decode().splitlines()[1:]]
    return [(code, jt, jf, k & 0xFFFFFFFF) for code, jt, jf, k in rows]


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint), ("instructions", ctypes.POINTER(_Instruction)))


def _by_libpcap(expression: str, snaplen: int) -> Program:
    library: Any = ctypes.CDLL(ctypes.util.find_library("pcap"))
    library.pcap_open_dead.restype = ctypes.c_void_p
    library.pcap_geterr.restype = ctypes.c_char_p
    handle = ctypes.c_void_p(library.pcap_open_dead(ETHERNET, snaplen))
    program = _Program()
    try:
        if library.pcap_compile(handle, ctypes.byref(program), expression.encode(), 1, 0xFFFFFFFF):
            raise _refused(expression, library.pcap_geterr(handle).decode(errors="replace"))
        rows = (program.instructions[row] for row in range(program.length))
        return [(row.code, row.jt, row.jf, row.k) for row in rows]
    finally:
        library.pcap_freecode(ctypes.byref(program))
        library.pcap_close(handle)
