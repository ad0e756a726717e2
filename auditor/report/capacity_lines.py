"""The section of the text report on capacity: data ports at once, against what was declared and advised."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.model import HostCapacity
from auditor.report.layout import Column, Page
from auditor.report.session_lines import show_more
from auditor.text import counted, period

_HOSTS = 6
"""Hosts shown at verbosity 0: the fullest."""


def show_capacity(page: Page, capacity: Sequence[HostCapacity], verbosity: int) -> None:
    """Show the hosts with data ports, the fullest first; with -v all, and the arithmetic of each."""
    used = [host for host in capacity if host.peak_held]
    if not used:
        return
    ranked = sorted(used, key=lambda host: (host.full_at is None, -host.peak_held))
    shown = ranked if verbosity else ranked[:_HOSTS]
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
        for host in shown
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
    for host in shown:
        for text in _remarks(host, verbosity):
            page.paragraph(f"{host.host}: {text}", indent=4, hang=2)
    show_more(page, len(ranked) - len(shown), "host")


def _limit(host: HostCapacity) -> str:
    if host.declared:
        return f"{host.declared} ({host.limit})"
    return f"none; advised {host.advised}" if host.advised else "none"


def _remarks(host: HostCapacity, verbosity: int) -> list[str]:
    """Return what a reader must know of a host, and with -v how its number came about."""
    texts = []
    if host.full_at is not None:
        texts.append(f"no port of {host.limit} would have been free from {period(host.full_at, host.full_at)} on")
    if host.strained:
        texts.append(f"{counted(host.strained, 'connection')} blocked or delayed while no port was free")
    if verbosity:
        texts.append(host.arithmetic)
        if host.unknown_close:
            texts.append(f"nobody was seen to close {counted(host.unknown_close, 'connection')}; none of them waits")
    return texts
