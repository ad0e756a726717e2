"""What was captured, as far as it could be read."""

from __future__ import annotations

from auditor.records import record


@record
class CaptureSummary:
    """One capture as read. ``problems`` maps a problem's name to its count; ``status`` is
    ``read``, ``partial`` or ``unreadable`` and ``error`` says why."""

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
