"""The conversation of a control connection made ready for the report."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.model import CountedName, ExchangeSummary, RefusalSummary
from auditor.sessions import Session

_MICROSECOND = 1000


def summarise_exchange(session: Session) -> ExchangeSummary | None:
    """Return what was said on a control connection, counted; None where nothing was read."""
    said = session.exchange
    if not said.spoken and not said.answered:
        return None
    return ExchangeSummary(
        messages=_counted(said.spoken),
        answered=said.answered,
        unanswered=said.waiting,
        unanswered_first=tuple(f"{name} (packet {packet})" for name, packet in said.unanswered),
        errors=tuple(RefusalSummary(one.message, one.error, one.count, one.packet) for one in said.refusals),
        reply_median_us=None if said.median is None else said.median // _MICROSECOND,
        reply_slowest_us=None if said.slowest is None else said.slowest.took // _MICROSECOND,
        reply_slowest_at="" if said.slowest is None else f"{said.slowest.message} (packet {said.slowest.packet})",
        longest_silence_us=said.silence // _MICROSECOND if said.silence_packet else None,
        longest_silence_packet=said.silence_packet,
        logs=_counted(said.logs),
        files_reported=said.files,
        files_lost=_counted(said.lost),
        file_history=said.history,
        mover_pauses=_counted(said.pauses),
        record_size=said.record_size,
        window=() if said.window is None else said.window,
        extensions=said.extensions,
        client_closed=said.closed,
    )


def _counted(pairs: Iterable[tuple[str, int]]) -> tuple[CountedName, ...]:
    return tuple(CountedName(name, count) for name, count in pairs)
