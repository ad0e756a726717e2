"""The loop of a watch: take packets, audit what is known by now, tell what is new.

The audit runs beside the reading, in a second thread, so that packets are taken meanwhile; everything else happens in the
main thread, where signals arrive.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np

from auditor.errors import AuditorError
from auditor.listeners import Listing
from auditor.model import Report
from auditor.pipeline import AuditOptions
from auditor.pipeline.auditing import audit_reading
from auditor.pipeline.yardstick import Yardstick
from auditor.sources.interface import drain
from auditor.watch.found import FindingTeller, patient
from auditor.watch.incidents import Incidents
from auditor.watch.journal import Journal
from auditor.watch.live import Live
from auditor.watch.moment import Clock, Moment
from auditor.watch.news import News, Step
from auditor.watch.outlets import Outlet, Round
from auditor.watch.seen import SessionTeller
from auditor.watch.settings import Settings

_PUMP_MS = 100
_CALM = 4
"""An audit waits so many times longer than the one before took."""
_DAY = 86_400.0
_MOST_ROUNDS = 1_000


@dataclass(slots=True)
class Asked:
    """What signals and limits ask of a watch; set at any time, seen to at the next turn of the loop."""

    stop: bool = False
    report: bool = False
    reload: bool = False


@dataclass(slots=True)
class Limits:
    """When a watch ends by itself: after ``seconds`` of real time, or once so many ``packets`` were taken."""

    seconds: float | None = None
    packets: int | None = None


@dataclass(slots=True)
class State:
    """What is known of a watch from outside: for metrics and the live view. Replaced, never changed, where it is shared."""

    report: Report | None = None
    counters: dict[str, object] = field(default_factory=dict)
    observed: float = 0.0
    lost: int = 0
    audits: int = 0
    audit_seconds: float = 0.0
    news: int = 0
    open_findings: dict[tuple[str, str], int] = field(default_factory=dict)
    open_sessions: int = 0


@dataclass(frozen=True, slots=True)
class _Audited:
    """What an audit found, the VLANs that were seen by then, and how long it took."""

    report: Report
    vlans: frozenset[int]
    seconds: float


class Watcher:
    """One watch from its beginning to its end; ``run`` returns the last report.

    ``reload`` loads policy, rules and waivers anew (raises AuditorError), ``on_report`` writes a report because of what its
    second argument says (``signal``, ``schedule``, ``end``) and returns the names of the files; ``listings`` asks the
    system what listens where; ``on_state`` is told after each turn.
    """

    def __init__(
        self,
        live: Live,
        yardstick: Yardstick,
        journal: Journal,
        outlets: Iterable[Outlet],
        *,
        source: str,
        interface: bool = False,
        again: bool = False,
        note: str = "",
        options: AuditOptions | None = None,
        settings: Settings | None = None,
        limits: Limits | None = None,
        reload: Callable[[], Yardstick] | None = None,
        on_report: Callable[[Report, str], list[str]] | None = None,
        report_every: float | None = None,
        listings: Callable[[], tuple[Listing, ...]] | None = None,
        on_state: Callable[[State], None] | None = None,
    ) -> None:
        self.asked = Asked()
        self._live, self._yardstick, self._journal, self._source = live, yardstick, journal, source
        self._settings, self._limits = settings or Settings(), limits or Limits()
        self._options = options or AuditOptions(flows=False)
        self._reload, self._on_report, self._listings, self._on_state = reload, on_report, listings, on_state
        self._clock = Clock(live=interface)
        self._memory = journal.memory()
        self._findings = FindingTeller(self._memory, self._settings, *patient(yardstick.pack), again=again)
        self._sessions = SessionTeller(self._memory, self._settings)
        self._again, self._note = again, note
        self._round = Round(journal, tuple(outlets))
        self._incidents = Incidents(source, live, interface=interface)
        self._pending: Future[_Audited] | None = None
        self._audited_packets = -1
        self._due = time.monotonic() + self._settings.interval
        self._state = State()
        self._report_every = report_every
        self._report_due = None if report_every is None else time.monotonic() + report_every
        self._prune_due = time.monotonic() + _DAY

    @property
    def lost(self) -> int:
        """Packets in all that nobody has seen."""
        return self._incidents.lost

    def run(self) -> Report:
        """Watch until the source ends, a limit is reached or ``asked.stop`` is set; tell everything; return the report."""
        began = time.monotonic()
        self._begin()
        with ThreadPoolExecutor(1, "auditor-audit") as pool:
            try:
                while not (self._over(began) or self._live.ended):
                    self._live.pump(_PUMP_MS)
                    self._turn(pool)
                report = self._finish(pool)
            finally:
                self._round.close()
        return report

    def _over(self, began: float) -> bool:
        packets, seconds = self._limits.packets, self._limits.seconds
        if packets is not None and int(self._live.counters()["packets"]) >= packets:
            return True
        return self.asked.stop or (seconds is not None and time.monotonic() - began >= seconds)

    def _begin(self) -> None:
        moment = self._moment()
        resumed = self._journal.run > 1
        how = "" if self._journal.clean else ", after an interruption"
        text = f"{self._source}{f' (run {self._journal.run} of this journal{how})' if resumed else ''}"
        facts = {"source": self._source, "run": self._journal.run, "clean": self._journal.clean}
        kind = "watch-resumed" if resumed else "watch-began"
        self._tell([Step(News(kind, self._source, text, moment.text, "", facts))])
        if self._note:
            self._say("source", f"{self._source}: {self._note}")
        self._follow_renames()
        if not self._again:
            while self._tell(self._sessions.interrupted(moment)):
                pass

    def _follow_renames(self) -> None:
        """Remember findings under the present codes of their rules: a new name is no news."""
        while self._tell(self._findings.renamed(self._yardstick.pack.renames())):
            pass

    def _turn(self, pool: ThreadPoolExecutor) -> None:
        """See to everything that is due."""
        now = time.monotonic()
        if self.asked.reload:
            self.asked.reload = False
            self._load_again()
        if self._pending is not None and self._pending.done():
            self._take(final=False)
        if self._report_due is not None and now >= self._report_due:
            self._report_due = now + (self._report_every or _DAY)
            self._write_report("schedule", pool)
        if self.asked.report:
            self.asked.report = False
            self._write_report("signal", pool)
        if self._pending is None and now >= self._due:
            self._watch_source()
            self._live.evict()
            self._start(pool)
        if now >= self._prune_due:
            self._prune_due = now + _DAY
            self._journal.prune()
            self._memory.clear()
            self._memory.update(self._journal.memory())
        self._round.show()

    def _start(self, pool: ThreadPoolExecutor) -> None:
        """Begin an audit of what is known by now; without a new packet only the time has changed."""
        packets = int(self._live.counters()["packets"])
        if packets == self._audited_packets and self._state.report is not None:
            self._compare(self._state.report, final=False)
            self._due = time.monotonic() + self._settings.interval
            return
        self._audited_packets = packets
        yardstick = self._yardstick
        if self._listings is not None:
            yardstick = replace(yardstick, listings=(*yardstick.listings, *self._listings()))
        reading, options = self._live.snapshot(), replace(self._options, lost=self.lost)

        def work() -> _Audited:
            began = time.monotonic()
            report, table = audit_reading(reading, yardstick, options)
            vlans = frozenset(np.unique(table["vlan"]).tolist())
            return _Audited(report, vlans, time.monotonic() - began)

        self._pending = pool.submit(work)

    def _take(self, *, final: bool) -> Report:
        """Take the result of the audit and tell what is new in it."""
        assert self._pending is not None
        done = self._pending.result()
        report, took = done.report, done.seconds
        self._pending = None
        for kind, text, facts in self._incidents.vlans(done.vlans):
            self._say(kind, text, **facts)
        self._due = time.monotonic() + max(self._settings.interval, _CALM * took)
        state = self._state
        self._state = replace(state, report=report, audits=state.audits + 1, audit_seconds=state.audit_seconds + took)
        self._compare(report, final=final)
        return report

    def _fresh(self, pool: ThreadPoolExecutor, *, final: bool) -> Report:
        """Return a report of all that is known now."""
        if self._pending is not None:
            self._take(final=False)
        self._watch_source()
        self._audited_packets = -1
        self._start(pool)
        return self._take(final=final)

    def _compare(self, report: Report, *, final: bool) -> None:
        moment = self._moment()
        for _ in range(_MOST_ROUNDS if final else 1):
            more = self._tell(self._sessions.steps(report, moment, final=final))
            more |= self._tell(self._findings.steps(report, moment, final=final))
            if not more:
                break
        self._publish(moment)

    def _tell(self, steps: Iterable[Step]) -> bool:
        """Write steps to the journal, no more than fit one time; what is written is shown. Return whether there may be more."""
        taken = []
        for step in islice(steps, self._settings.most):
            taken.append(step)
            for kind, key, body in step.changes:
                if body is None:
                    self._memory.pop((kind, key), None)
                else:
                    self._memory[kind, key] = body
        self._journal.write(taken)
        self._round.show()
        return len(taken) == self._settings.most

    def _say(self, kind: str, text: str, **facts: object) -> None:
        self._tell([Step(News(kind, self._source, text, self._moment().text, "", facts))])

    def _watch_source(self) -> None:
        """Tell of packets that were lost since the last time, and of what befell the source."""
        before = self._incidents.lost
        for kind, text, facts in self._incidents.news():
            self._say(kind, text, **facts)
        if self._incidents.lost != before:
            self._audited_packets = -1
        for name, words in self._round.troubles():
            self._say("trouble", f"{name}: {words}", outlet=name)

    def _load_again(self) -> None:
        """Take the policy, rules and waivers as they are on disk now, or stay with the old ones."""
        if self._reload is None:
            return
        try:
            self._yardstick = self._reload()
        except (AuditorError, OSError) as error:
            text = f"what is on disk cannot be used, the old policy, rules and waivers stay: {error}"
            self._say("policy-kept", text)
            return
        self._findings.unseen, self._findings.slow = patient(self._yardstick.pack)
        self._follow_renames()
        self._audited_packets = -1
        self._say("policy-reloaded", "policy, rules and waivers were read anew")

    def _write_report(self, why: str, pool: ThreadPoolExecutor) -> None:
        if self._on_report is not None:
            self._deliver(self._fresh(pool, final=False), why)

    def _deliver(self, report: Report, why: str) -> None:
        """Write a report; that it cannot be written is told and does not end the watch."""
        if self._on_report is None:
            return
        try:
            names = self._on_report(report, why)
        except (AuditorError, OSError) as error:
            self._say("trouble", f"the report could not be written: {error}")
            return
        for name in names:
            self._say("report-written", name, why=why)

    def _finish(self, pool: ThreadPoolExecutor) -> Report:
        # What is still under way belongs to the last report, and so does the last count of drops.
        if self.asked.stop:
            drain(self._live)
        self._live.close()
        report = self._fresh(pool, final=True)
        if not self.asked.stop or self._on_report is not None:
            self._deliver(report, "end")
        self._say("watch-ended", report.summary, verdict=report.verdict.value, lost=self.lost, totals=report.totals)
        self._publish(self._moment())
        return report

    def _publish(self, moment: Moment) -> None:
        """Tell the outside how things stand."""
        if self._on_state is None:
            return
        open_findings: dict[tuple[str, str], int] = {}
        sessions = 0
        for (kind, _), body in self._memory.items():
            if kind == "finding" and body["open"]:
                name = (body["code"], body["severity"])
                open_findings[name] = open_findings.get(name, 0) + 1
            sessions += kind == "session" and bool(body["open"])
        self._state = replace(
            self._state,
            counters=self._live.counters(),
            observed=moment.observed,
            lost=self.lost,
            news=self._journal.last,
            open_findings=open_findings,
            open_sessions=sessions,
        )
        self._on_state(self._state)

    def _moment(self) -> Moment:
        latest = self._live.counters().get("latest")
        return self._clock.moment(None if latest is None else int(latest))
