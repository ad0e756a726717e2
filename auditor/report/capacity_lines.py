"""The section of the text report on capacity: data ports at once, against what was declared and advised."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.model import HostCapacity
from auditor.report.layout import Column, Page
from auditor.text import counted, period


def show_capacity(page: Page, capacity: Sequence[HostCapacity]) -> None:
    """Show the hosts with data ports, the fullest first, and the arithmetic of each."""
    used = [host for host in capacity if host.peak_held]
    if not used:
        return
    ranked = sorted(used, key=lambda host: (host.full_at is None, -host.peak_held))
    page.heading("Capacity", f"operations, ports open, ports held (+{used[0].time_wait_seconds} s)")
    rows = [
        (
            host.host,
            str(host.peak_operations),
            str(host.peak_open),
            f"{host.peak_held} ({host.waiting_at_peak} waiting)",
            _limit(host),
            str(host.enough),
        )
        for host in ranked
    ]
    columns = [
        Column("Address", flex=True, least=12),
        Column("At once", right=True),
        Column("Open", right=True),
        Column("Held", right=True),
        Column("Range", flex=True, least=12),
        Column("Enough", right=True),
    ]
    page.table(columns, rows)
    for host in ranked:
        for text in _remarks(host):
            page.paragraph(f"{host.host}: {text}", indent=4, hang=2)


def _limit(host: HostCapacity) -> str:
    if host.declared:
        return f"{host.declared} ({host.limit})"
    return f"none; advised {host.advised}" if host.advised else "none"


def _remarks(host: HostCapacity) -> list[str]:
    """Return what a reader must know of a host, and how its number came about."""
    texts = []
    if host.full_at is not None:
        texts.append(f"no port of {host.limit} would have been free from {period(host.full_at, host.full_at)} on")
    if host.strained:
        texts.append(f"{counted(host.strained, 'connection')} blocked or delayed while no port was free")
    texts.append(host.arithmetic)
    if host.unknown_close:
        texts.append(f"nobody was seen to close {counted(host.unknown_close, 'connection')}; none of them waits")
    return texts
