"""How a control connection went as a conversation, as text: what is out of the ordinary, and all of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditor.model import CountedName, ExchangeSummary, JobSummary, RefusalSummary, SessionSummary
from auditor.text import byte_count, counted, joined, number, period

_SLOW = 5_000_000
_SILENT = 60_000_000
"""Microseconds from which a reply is slow, and nothing said a silence: who runs a job polls every few seconds."""
_LOGIN = "CONNECT_CLIENT_AUTH"


def trouble(session: SessionSummary) -> str:
    """Return what went wrong beside the outcome of the operations, in one line; empty where nothing did."""
    said = session.exchange
    return "; ".join(_troubles(session, said)) if said else ""


def _troubles(session: SessionSummary, said: ExchangeSummary) -> Iterator[str]:
    told = {job.end_packet for job in session.jobs}
    complete = bool(session.jobs) and all(job.outcome == "complete" for job in session.jobs)
    for error in said.errors:
        # A login that failed and what ended an operation are told elsewhere; what comes after a good end hurts nobody.
        if error.message != _LOGIN and error.packet not in told and not (complete and error.packet > max(told)):
            yield _refused(error)
    lost = sum(one.count for one in said.files_lost)
    if lost:
        yield f"{number(lost)} of {counted(said.files_reported, 'file')} not restored ({_counts(said.files_lost)})"
    logs = {one.name: one.count for one in said.logs}
    logged = [counted(logs[kind], kind) for kind in ("error", "warning") if kind in logs]
    if logged:
        yield f"the server logged {joined(logged)}"
    if said.unanswered:
        more = "" if said.unanswered == 1 else f" and {number(said.unanswered - 1)} more"
        yield f"no answer to {said.unanswered_first[0]}{more}"
    if (said.reply_slowest_us or 0) >= _SLOW:
        yield f"slowest reply after {_seconds(said.reply_slowest_us)}: {said.reply_slowest_at}"
    if (said.longest_silence_us or 0) >= _SILENT:
        yield f"nothing was said for {_seconds(said.longest_silence_us)}, until packet {said.longest_silence_packet}"


def exchange_lines(session: SessionSummary) -> Iterator[str]:
    """Give when it was, what was asked for, and the conversation, in some lines."""
    yield period(session.control.first, session.control.last)
    for place, job in enumerate(session.jobs, 1):
        asked = _asked(job)
        if asked:
            yield f"operation {place}: {asked}" if len(session.jobs) > 1 else f"operation: {asked}"
    said = session.exchange
    if said is None:
        return
    yield f"said: {_counts(said.messages)}"
    if said.reply_median_us is not None:
        slowest = f"{_seconds(said.reply_slowest_us)}, {said.reply_slowest_at}"
        yield f"{counted(said.answered, 'reply', 'replies')}, median {_seconds(said.reply_median_us)}, slowest {slowest}"
    if said.errors:
        yield "; ".join(_refused(error) for error in said.errors)
    if said.longest_silence_us is not None:
        yield f"longest silence {_seconds(said.longest_silence_us)}, until packet {said.longest_silence_packet}"
    facts = [f"record size {byte_count(said.record_size)}"] if said.record_size is not None else []
    facts += [f"window {number(said.window[0])} + {_length(said.window[1])}"] if said.window else []
    facts += [f"mover paused: {_counts(said.mover_pauses)}"] if said.mover_pauses else []
    facts += [f"{number(said.file_history)} entries of file history"] if said.file_history else []
    facts += [f"logged: {_counts(said.logs)}"] if said.logs else []
    facts += [f"extensions {', '.join(f'{one:#x}' for one in said.extensions)}"] if said.extensions else []
    facts += [] if said.client_closed or session.ended != "closed" else ["closed without CONNECT_CLOSE"]
    if facts:
        yield "; ".join(facts)


def _refused(error: RefusalSummary) -> str:
    times = f", {number(error.count)} times" if error.count > 1 else ""
    return f"{error.message} was answered {error.error} (packet {error.packet}{times})"


def _asked(job: JobSummary) -> str:
    """Return what the start asked for: type, level, direct access, number of files."""
    level = "full" if job.level == "0" else f"level {job.level}" if job.level else ""
    named = f"{counted(job.files_named, 'name')} to restore" if job.files_named else ""
    parts = (job.backup_type, level, "direct access" if job.direct_access else "", named)
    return ", ".join(part for part in parts if part)


def _counts(counts: Iterable[CountedName]) -> str:
    return ", ".join(one.name if one.count == 1 else f"{one.name} ×{number(one.count)}" for one in counts)


def _length(value: int) -> str:
    """Return the length of a window; all bits set, or but the highest, is no limit."""
    return "no limit" if value >= (1 << 63) - 1 else number(value)


def _seconds(microseconds: int | None) -> str:
    value = microseconds or 0
    if value < 1000:
        return f"{value} µs"
    return f"{value / 1000:.3g} ms" if value < 1_000_000 else f"{value / 1_000_000:.3g} s"
