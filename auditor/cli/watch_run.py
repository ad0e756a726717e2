"""Puts a watch together from the options of the command, and lets signals reach it."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import Any, BinaryIO

from auditor import exit_codes
from auditor.cli import output as output_
from auditor.cli.watch_files import dated, journal_path
from auditor.errors import MissingExtra
from auditor.model import Report, Severity
from auditor.pipeline import AuditOptions
from auditor.pipeline.yardstick import Yardstick, prepare
from auditor.report.registry import render, split_target
from auditor.verdict import exit_code
from auditor.watch.journal import Journal
from auditor.watch.lines import json_line_of, line_of
from auditor.watch.loop import Asked, Limits, State, Watcher
from auditor.watch.opening import Opened, is_interface, open_source
from auditor.watch.outlets import Outlet, StreamOutlet
from auditor.watch.privileges import give_up
from auditor.watch.settings import Settings
from auditor.watch.sinks.file import FileOutlet
from auditor.watch.sinks.metrics import Metrics
from auditor.watch.sinks.syslog import SyslogOutlet
from auditor.watch.sinks.webhook import WebhookOutlet
from auditor.watch.spans import bytes_of, seconds_of

_SPANS = ("interval", "settle", "observe", "repeat_every", "close_after")


def run_watch(source: str, policy_path: str | None, told: AuditOptions, stdout: BinaryIO, **options: Any) -> int:
    """Watch until the end and return the exit code. Raises what the parts do, before the first packet is taken."""

    def span(name: str) -> float:
        return seconds_of(options[name], f"--{name.replace('_', '-')}")

    spans: dict[str, Any] = {name: span(name) for name in _SPANS}
    settings = Settings(**spans)
    duration, every = (None if options[name] is None else span(name) for name in ("duration", "report_every"))
    listings = _processes() if options["processes"] else None
    yardstick = prepare(policy_path, told)
    with contextlib.ExitStack() as stack:
        # The journal first: a second watch is refused before it takes a packet.
        journal = Journal(journal_path(options["journal"], source, interface=is_interface(source)))
        stack.callback(lambda: journal.close(clean=finished) if began else journal.abandon())
        began = finished = False
        opened = _opened(source, yardstick, journal, **options)
        # What has threads of its own comes after the privileges went: a thread keeps those that it began with.
        outlets = _outlets(journal.identity, **options)
        metrics = None
        if options["metrics"]:
            metrics = Metrics(options["metrics"], anywhere=options["metrics_anywhere"])
            stack.callback(metrics.close)
        view = _View(source) if options["tui"] else None
        shown: Outlet = view.recent if view else StreamOutlet(stdout, _writer(**options))
        watcher = _watcher(
            opened,
            yardstick,
            journal,
            [shown, *outlets],
            settings=settings,
            limits=Limits(duration, options["count"]),
            options=told,
            reload=lambda: prepare(policy_path, told),
            on_report=_reporter(options["reports"], every),
            report_every=every if options["reports"] else None,
            listings=listings,
            on_state=_shown_to(metrics, view),
        )
        stack.enter_context(_signals(watcher.asked))
        began = True
        report = view.run(watcher) if view else watcher.run()
        finished = True
    if not options["reports"] and options["format_name"] == "lines" and not options["tui"]:
        looks = output_.terminal_options(plain=options["plain"])
        output_.write(render(report, "text", looks), None, text=True)
    if watcher.lost:
        return exit_codes.INCONCLUSIVE
    return exit_code(report, fail_on=Severity[options["fail_on"].upper()], exit_zero=options["exit_zero"])


def _opened(source: str, yardstick: Yardstick, journal: Journal, /, **options: Any) -> Opened:
    """Open the source; of an interface, give up the privileges that it no longer takes."""
    opened = open_source(
        source,
        yardstick,
        max_flows=options["max_flows"],
        snaplen=options["snaplen"],
        promiscuous=not options["no_promiscuous"],
        expression=options["filter_"],
        by=options["by"],
        rings=options["rings"],
        ring_bytes=options["buffer"] << 20,
        hardware_times=options["hardware_times"],
    )
    if opened.interface:
        written = [("--report", split_target(target)[1]) for target in options["reports"]]
        written += [("--log", path) for path in options["logs"]]
        written += [("--journal", journal.path)] if journal.path != ":memory:" else []
        give_up(processes=options["processes"], written=[(option, Path(path)) for option, path in written])
    return opened


def _watcher(opened: Opened, *parts: Any, **more: Any) -> Watcher:
    more |= {"source": opened.name, "interface": opened.interface, "again": opened.again, "note": opened.note}
    return Watcher(opened.live, *parts, **more)


class _View:
    """The live view; textual is imported when it is asked for. Raises MissingExtra without it."""

    def __init__(self, source: str) -> None:
        if find_spec("textual") is None:
            raise MissingExtra("textual", "tui")
        from auditor.watch import tui

        self._tui, self._source = tui, source
        self.board, self.recent = tui.Board(), tui.Recent()

    def run(self, watcher: Watcher) -> Report:
        """Run a watch behind the view."""
        return self._tui.run_view(watcher, self.board, self.recent, self._source)


def _writer(*, format_name: str, plain: bool, **_: Any) -> Callable[[Any], bytes]:
    if format_name == "jsonl":
        return json_line_of
    looks = output_.terminal_options(plain=plain)
    return lambda news: line_of(news, plain=looks.plain)


def _outlets(
    identity: str, *, logs: tuple[str, ...], syslog: tuple[str, ...], webhook: tuple[str, ...], **options: Any
) -> list[Outlet]:
    size = bytes_of(options["log_size"], "--log-size")
    made: list[Outlet] = []
    for path in logs:
        output_.check_output(path, [], option="--log")
        made.append(FileOutlet(path, most_bytes=size, keep=options["log_keep"]))
    made += [SyslogOutlet(target) for target in syslog]
    made += [WebhookOutlet(url, identity) for url in webhook]
    return made


def _reporter(targets: tuple[str, ...], every: float | None) -> Callable[[Report, str], list[str]] | None:
    """Return what writes the reports: those of a schedule with the date in their names."""
    if not targets:
        return None

    def write(report: Report, why: str) -> list[str]:
        names = targets if why != "schedule" or every is None else tuple(dated(target, every) for target in targets)
        output_.write_reports(report, names)
        return list(names)

    return write


def _shown_to(metrics: Metrics | None, view: _View | None) -> Callable[[State], None]:
    """Return what is told the state after each audit."""

    def show(state: State) -> None:
        if metrics is not None:
            metrics.show(state)
        if view is not None:
            view.board.show(state)

    return show


def _processes() -> Callable[[], Any]:
    from auditor.watch.processes import own_listings

    own_listings()
    return own_listings


@contextlib.contextmanager
def _signals(asked: Asked) -> Iterator[None]:
    """Let signals ask: the first SIGINT or SIGTERM ends with a full report, the second at once."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        if asked.stop:
            raise KeyboardInterrupt
        asked.stop = True

    def report(_number: int, _frame: FrameType | None) -> None:
        asked.report = True

    def reload(_number: int, _frame: FrameType | None) -> None:
        asked.reload = True

    wanted = {"SIGINT": stop, "SIGTERM": stop, "SIGUSR1": report, "SIGHUP": reload}
    before: dict[int, Any] = {}
    for name, handler in wanted.items():
        number = getattr(signal, name, None)
        if number is not None:
            before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
