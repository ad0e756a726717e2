"""Sessions as text: the story of each in one line, its control connection and its data connections below."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.model import CaptureSummary, SessionSummary, UndecidedSummary
from auditor.report.exchange_lines import exchange_lines, trouble
from auditor.report.interface import RenderOptions
from auditor.report.json_ import dump
from auditor.report.layout import Cell, Column, Page, Span
from auditor.report.packet_places import numbered_text
from auditor.report.seen_lines import certificate_lines, tls_lines
from auditor.text import byte_count, counted, data_connections, number

SESSIONS_SCHEMA = "auditor.sessions/1"

_SESSIONS = 20
"""Control connections shown at verbosity 0."""
_CAPTURES = 20
"""Likewise captures."""
_UNDECIDED = 10
"""Data connections without a tie shown at verbosity 0."""


def render_sessions(
    sessions: Sequence[SessionSummary],
    options: RenderOptions,
    undecided: Sequence[UndecidedSummary] = (),
    captures: Sequence[CaptureSummary] = (),
) -> bytes:
    """Return the sessions alone as UTF-8 text, the data connections that are tied to none, and which of several captures
    has which packets."""
    page = Page(options)
    if sessions:
        show_sessions(page, sessions, options.verbosity)
        show_undecided(page, undecided, options.verbosity)
    else:
        page.line(Span("No NDMP control connection was seen."))
    if len(captures) > 1 and sessions:
        _captures(page, captures, options.verbosity)
    return page.text().encode("utf-8", "backslashreplace")


def sessions_json(
    sessions: Sequence[SessionSummary],
    undecided: Sequence[UndecidedSummary] = (),
    captures: Sequence[CaptureSummary] = (),
) -> bytes:
    """Return the sessions alone as UTF-8 JSON; all lists are what the report has under those names.

    The schema is ``schemas/sessions-1.schema.json``.
    """
    document = {"schema": SESSIONS_SCHEMA, "sessions": sessions, "undecided": undecided, "captures": captures}
    return dump(document)


def _captures(page: Page, captures: Sequence[CaptureSummary], verbosity: int) -> None:
    page.heading("Captures", counted(len(captures), "file"))
    shown = captures if verbosity else captures[:_CAPTURES]
    for capture in shown:
        page.paragraph(" · ".join(filter(None, (capture.path, numbered_text(capture)))), indent=2, hang=2)
    show_more(page, len(captures) - len(shown), "file")


def show_sessions(page: Page, sessions: Sequence[SessionSummary], verbosity: int) -> None:
    """List the control connections, each with the data connections that followed it."""
    if not sessions:
        return
    grades = [link.grade == "proved" for session in sessions for link in session.data]
    data = data_connections(sum(grades), len(grades) - sum(grades))
    page.heading(
        "Sessions",
        f"{counted(len(sessions), 'control connection')}, {data}",
    )
    shown = sessions if verbosity else sessions[:_SESSIONS]
    columns = [
        Column("", style="dim"),
        Column("Connection", flex=True, least=37),
        Column("", flex=True, least=12),
        Column("Packets", right=True),
    ]
    rows: list[Sequence[Cell] | str] = []
    for session in shown:
        if session.story:
            rows.append(session.story)
        if beside := trouble(session):
            rows.append(f"  beside that: {beside}")
        rows.append(_control_row(session, verbosity))
        if verbosity:
            rows += [f"    {line}" for line in exchange_lines(session)]
            rows += [f"    {line}" for line in certificate_lines("0xf383: authority's", session.authority)]
            rows += [f"    {line}" for shown in session.tls_details for line in tls_lines(shown)]
        rows.extend(_data_rows(session, verbosity))
    page.table(columns, rows)
    show_more(page, len(sessions) - len(shown), "control connection")


def show_undecided(page: Page, undecided: Sequence[UndecidedSummary], verbosity: int) -> None:
    """List the data connections that could not be tied, each with the control connections that could have opened it."""
    if not undecided:
        return
    page.heading("Not tied", f"{counted(len(undecided), 'data connection')}")
    shown = undecided if verbosity else undecided[:_UNDECIDED]
    columns = [
        Column("", style="dim"),
        Column("Connection", flex=True, least=37),
        Column("", flex=True, least=12),
        Column("Packets", right=True),
    ]
    rows: list[Sequence[Cell] | str] = []
    reason = ""
    for one in shown:
        if one.reason != reason:
            reason = one.reason
            rows.append(reason[:1].upper() + reason[1:])
        carried = byte_count(one.originator_bytes + one.responder_bytes)
        ends, packets = f"{one.originator} → {one.responder}", f"{one.first_packet}–{one.last_packet}"
        rows.append(("  data", ends, f"{counted(one.candidates, 'candidate')}, {carried}", packets))
        if verbosity:
            rows += [f"      of {control.originator} → {control.responder}?" for control in one.controls]
            more = one.candidates - len(one.controls)
            rows += [f"      or of {counted(more, 'other')}"] if more > 0 else []
    page.table(columns, rows)
    show_more(page, len(undecided) - len(shown), "data connection")


def _control_row(session: SessionSummary, verbosity: int) -> tuple[Cell, ...]:
    """Return the row of a control connection."""
    control = session.control
    facts = [f"NDMP {session.ndmp_version}" if session.ndmp_version else "NDMP version not seen"]
    facts += [f"{login.type} {_accepted(login.accepted)}" for login in session.authentication]
    if not session.authentication and session.readable == "read":
        facts.append("no login")
    facts += session.operations
    if session.readable not in ("", "read"):
        facts.append(session.readable if session.readable != "tls" else "inside TLS")
    elif session.tls:
        facts.append("inside TLS")
    if session.bodies_missing:
        facts.append(f"{counted(session.bodies_missing, 'message body', 'message bodies')} missing")
    if session.skipped_bytes:
        facts.append(f"{byte_count(session.skipped_bytes)} skipped")
    lines = [", ".join(facts)]
    if verbosity > 1:
        lines += [f"originator known by {control.originator_known_by}"] if control.originator_known_by else []
        lines += session.notes
    return (
        "control",
        f"{control.originator} → {control.responder}",
        lines,
        f"{control.first_packet}–{control.last_packet}",
    )


def _accepted(accepted: bool | None) -> str:
    if accepted is None:
        return "with the answer not seen"
    return "accepted" if accepted else "refused"


def _data_rows(session: SessionSummary, verbosity: int) -> list[tuple[Cell, ...]]:
    """Return the rows of the data connections of a session."""
    rows: list[tuple[Cell, ...]] = []
    for data, failed in (*((one, False) for one in session.data), *((one, True) for one in session.attempts)):
        carried = "blocked" if failed else byte_count(data.originator_bytes + data.responder_bytes)
        lines = [f"{data.grade}, {carried}"]
        if verbosity:
            lines += data.because
        if verbosity > 1 and data.state:
            lines.append(f"{data.state}, bytes {number(data.originator_bytes)} / {number(data.responder_bytes)}")
        last = f"–{data.last_packet}" if data.last_packet else ""
        rows.append(("  data", f"{data.originator} → {data.responder}", lines, f"{data.first_packet}{last}"))
    return rows


def show_more(page: Page, count: int, noun: str, *, indent: int = 2, suffix: str = "") -> None:
    """Say how much was left out, and how to see it."""
    if count > 0:
        page.line(
            Span(f"… and {counted(count, f'more {noun}', f'more {noun}s')}{suffix}; -v shows all", "dim"), indent=indent
        )
