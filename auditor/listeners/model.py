"""What a listing says, whatever program printed it."""

from __future__ import annotations

import ipaddress

from auditor.records import record

ALL_ADDRESSES = ""
"""Address of a socket that is bound to every address of its host."""

LSOF_WIDTH = 9
"""Characters of a program's name that lsof shows unless told otherwise."""


@record
class Listener:
    """One listening socket. ``address`` is an IP address, ``localhost`` or another name, or ``ALL_ADDRESSES``; ``program``
    the file name as listed, empty where the listing does not tell; ``line`` counts from 1."""

    transport: str
    address: str
    port: int
    program: str = ""
    pid: int = 0
    line: int = 0
    shortened: bool = False

    @property
    def bound(self) -> str:
        """How widely the socket is bound: ``loopback``, ``one`` address, or ``all``."""
        if self.address == ALL_ADDRESSES:
            return "all"
        if self.address == "localhost":
            return "loopback"
        try:
            return "loopback" if ipaddress.ip_address(self.address).is_loopback else "one"
        except ValueError:
            return "one"

    def runs(self, process: str) -> bool:
        """Return whether the program is ``process``, a file name with or without its suffix ``.exe``."""
        own, wanted = program_key(self.program), program_key(process)
        if self.shortened and len(self.program) >= LSOF_WIDTH:
            return wanted.startswith(own)
        return own == wanted


@record
class Listing:
    """The listening sockets of one host. ``host`` is its address as ``ipaddress`` writes it, ``kind`` what printed it."""

    host: str
    path: str
    kind: str
    listeners: tuple[Listener, ...]


def program_key(name: str) -> str:
    """Return a program's name for comparison: no folder, no ``.exe``, small letters."""
    base = name.replace("\\", "/").rpartition("/")[2].strip().lower()
    return base.removesuffix(".exe")
