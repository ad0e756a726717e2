"""The live view: hosts, sessions, ports, findings and the latest news of a watch, in a terminal of 80 by 24 and beyond."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import DataTable, Footer, Static, TabbedContent, TabPane

from auditor.model import HostCapacity, Report, SessionSummary
from auditor.text import byte_count, escape, number
from auditor.watch.loop import State, Watcher
from auditor.watch.news import KINDS, News

_TICK = 0.5
_KEPT = 200
"""News that can be looked back on."""
_BAND = 20
"""Columns of a band of data ports."""
_TABLES = {
    "findings": ("Severity", "Finding"),
    "sessions": ("Control connection", "State", "Data", "Carried", "Rate"),
    "hosts": ("Host", "Zone", "Roles"),
    "ports": ("Host", "Declared", "In use", "Peak", "Band"),
    "news": ("Time", "What", "Text"),
}
_SEVERITIES = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "info": "dim"}

Row = tuple[str | Text, ...]


class Recent:
    """An outlet that keeps the latest news for the view. It has shown nothing to anybody for certain."""

    name, trouble = "view", ""

    def __init__(self) -> None:
        self.news: deque[News] = deque(maxlen=_KEPT)
        self._last: int | None = None

    def begin(self, last: int) -> int | None:
        """Know nothing."""
        del last
        return None

    def room(self) -> int:
        """Return how many are kept."""
        return _KEPT

    def offer(self, news: Sequence[News]) -> int:
        """Keep them."""
        self.news.extendleft(news)
        self._last = news[-1].number
        return len(news)

    def delivered(self) -> int | None:
        """Return the latest number."""
        return self._last

    def close(self) -> None:
        """Keep what is there: it can be looked at until the view is closed."""


class Board:
    """Where the thread of the watch leaves its state for the view; ``show`` replaces it as a whole."""

    def __init__(self) -> None:
        self.state = State()
        self.at = time.monotonic()

    def show(self, state: State) -> None:
        """Put up a new state."""
        self.state, self.at = state, time.monotonic()


class WatchView(App[None]):
    """The view. Ends when the watch ends or with ``q``, which ends the watch cleanly."""

    CSS = "#head { height: 2; } TabbedContent { height: 1fr; } DataTable { height: 1fr; }"
    ENABLE_COMMAND_PALETTE = False
    TITLE = "auditor watch"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "leave", "Quit"),
        Binding("r", "report", "Report"),
        Binding("l", "reload", "Reload"),
        *(Binding(str(key), f"tab('{name}')", name.title()) for key, name in enumerate(_TABLES, 1)),
    ]

    def __init__(self, watcher: Watcher, board: Board, recent: Recent, source: str) -> None:
        super().__init__()
        self._watcher, self._board, self._recent, self._source = watcher, board, recent, source
        self._shown: dict[str, list[Row]] = {}
        self._packets, self._packets_at, self._rate = 0, time.monotonic(), 0.0
        self._carried: dict[str, tuple[float, int, float]] = {}
        self.report: Report | None = None
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._watch, name="auditor watch", daemon=True)

    def compose(self) -> ComposeResult:
        """Lay out head, tables and keys."""
        yield Static("", id="head", markup=False)
        with TabbedContent(initial="findings"):
            for name in _TABLES:
                with TabPane(name.title(), id=name):
                    yield DataTable(id=f"table-{name}", cursor_type="row", zebra_stripes=False)
        yield Footer()

    def on_mount(self) -> None:
        """Start the watch."""
        for name, columns in _TABLES.items():
            self._table(name).add_columns(*columns)
        self._thread.start()
        self.set_interval(_TICK, self.refresh_now)

    def _watch(self) -> None:
        try:
            self.report = self._watcher.run()
        except BaseException as error:  # noqa: BLE001 - raised again by run_view, in the main thread
            self.failure = error

    def action_leave(self) -> None:
        """End the watch; the view follows."""
        self._watcher.asked.stop = True

    def action_report(self) -> None:
        """Write the reports now."""
        self._watcher.asked.report = True

    def action_reload(self) -> None:
        """Read policy, rules and waivers anew."""
        self._watcher.asked.reload = True

    def action_tab(self, name: str) -> None:
        """Show a table and put the cursor into it."""
        self.query_one(TabbedContent).active = name
        self._table(name).focus()

    def refresh_now(self) -> None:
        """Show the state as it is."""
        if not self._thread.is_alive() and (self._watcher.asked.stop or self.failure is not None):
            self.exit()
            return
        state = self._board.state
        self.query_one("#head", Static).update(self._head(state))
        self._fill(
            "news", [(one.time[11:19], KINDS[one.kind], escape(one.text, limit=200)) for one in self._recent.news]
        )
        report = state.report
        if report is None:
            return
        rows: list[Row] = [
            (Text(one.severity.word, _SEVERITIES[one.severity.word]), escape(f"{one.code} {one.message}", limit=300))
            for one in report.findings
            if not one.waived
        ]
        self._fill("findings", rows)
        self._fill("sessions", [self._session(one) for one in report.sessions])
        self._fill("hosts", [(one.address, escape(one.zone), ", ".join(one.process_roles)) for one in report.hosts])
        self._fill("ports", [_band(one) for one in report.capacity])

    def _head(self, state: State) -> str:
        packets = state.counters.get("packets", 0)
        packets = packets if isinstance(packets, int) else 0
        passed = self._board.at - self._packets_at
        if passed > 0:
            self._rate = max(0.0, (packets - self._packets) / passed)
            self._packets, self._packets_at = packets, self._board.at
        verdict = state.report.verdict.value.upper() if state.report is not None else "nothing judged yet"
        over = "" if self._thread.is_alive() else "  ended, q leaves"
        return (
            f"{escape(self._source, limit=40)}  {verdict}{over}\n{number(packets)} packets  {number(round(self._rate))}/s  "
            f"lost {number(state.lost)}  {number(state.open_sessions)} sessions open  {number(state.news)} news"
        )

    def _session(self, session: SessionSummary) -> Row:
        control = session.control
        key = f"{control.originator} {control.first}"
        carried = sum(one.originator_bytes + one.responder_bytes for one in session.data)
        at, before, rate = self._carried.get(key, (self._board.at, carried, 0.0))
        if self._board.at > at:
            rate = max(0, carried - before) / (self._board.at - at)
        self._carried[key] = (self._board.at, carried, rate)
        now = f"{byte_count(int(rate))}/s" if session.ended in ("", "open") else ""
        ends = f"{control.originator} → {control.responder}"
        return ends, escape(session.ended or "open", limit=20), str(len(session.data)), byte_count(carried), now

    def _fill(self, name: str, rows: Sequence[Row]) -> None:
        """Put rows into a table, the cursor staying where it was; nothing is drawn where nothing changed."""
        if self._shown.get(name) == list(rows):
            return
        self._shown[name] = list(rows)
        table = self._table(name)
        row = table.cursor_row
        table.clear()
        for one in rows:
            table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in one))
        if rows:
            table.move_cursor(row=min(row, len(rows) - 1))

    def _table(self, name: str) -> DataTable[Text]:
        return self.query_one(f"#table-{name}", DataTable)


def _band(host: HostCapacity) -> Row:
    """Return a host's row of ports: how many are held now, and the share of the range as a bar."""
    held = host.curve[-1].open + host.curve[-1].waiting if host.curve else 0
    if not host.limit:
        return host.host, "no range", str(held), str(host.peak_held), ""
    filled = min(_BAND, -(-held * _BAND // host.limit))
    bar = f"{'#' * filled}{'.' * (_BAND - filled)} {held * 100 // host.limit}%"
    return host.host, host.declared or "advised", f"{held} of {host.limit}", str(host.peak_held), bar


def run_view(watcher: Watcher, board: Board, recent: Recent, source: str) -> Report:
    """Run a watch behind the view and return its report; raises what the watch raised."""
    view = WatchView(watcher, board, recent, source)
    view.run()
    if view.report is None and view.failure is None:
        watcher.asked.stop = True
        view._thread.join()  # noqa: SLF001 - of this module
    if view.failure is not None:
        raise view.failure
    assert view.report is not None
    return view.report
