"""What was captured, as far as it could be read."""

from __future__ import annotations

from auditor.records import record


@record
class PacketRun:
    """Packets that follow each other in one file: ``packets`` of them, the first with ``number`` over all captures of the
    report and with ``number_in_file`` in its file."""

    number: int
    number_in_file: int
    packets: int


@record
class CaptureSummary:
    """One capture as read. ``problems`` maps a problem's name to its count; ``status`` is
    ``read``, ``partial`` or ``unreadable`` and ``error`` says why.

    ``runs`` say where in it the packets are that the report names: of several captures, for a single one's packets have
    the numbers that they have in the file. Where captures took turns, only packets that the report names are in them.
    """

    path: str
    format: str
    sha256: str | None
    packets: int
    bytes: int
    first: str | None
    last: str | None
    link_types: tuple[str, ...]
    problems: dict[str, int]
    status: str = "read"
    error: str | None = None
    snaplen: int | None = None
    drops: int | None = None
    runs: tuple[PacketRun, ...] = ()
