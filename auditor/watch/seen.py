"""Sessions, data connections, jobs and roles as news."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditor.model import HostSummary, Report, SessionSummary
from auditor.model.sessions import DataSummary, JobSummary
from auditor.text import byte_count, joined
from auditor.watch.journal import Memory
from auditor.watch.moment import Moment
from auditor.watch.news import Change, News, Step
from auditor.watch.settings import Settings

_OVER = ("complete", "aborted", "failed", "refused", "reset")
"""Outcomes of a job that nothing can change any more; the others hold only once the session is over."""
_MOST_WAITING = 10_000
"""Ties that wait to be told; beyond, all begin to wait anew, so that no flood fills the memory."""
_GRADES = ("possible", "probable", "proved")


def session_key(session: SessionSummary) -> str:
    """Return what names a session in every run: its ends, whichever opened it, and the time of its first packet."""
    control = session.control
    return f"{_pair(control.originator, control.responder)} @ {control.first}"


def _pair(one: str, other: str) -> str:
    return " - ".join(sorted((one, other)))


class SessionTeller:
    """Compares the sessions and hosts of report after report with what was told."""

    def __init__(self, memory: Memory, settings: Settings) -> None:
        self._memory, self._settings = memory, settings
        self._here: set[str] = set()
        self._since: dict[str, float] = {}

    def interrupted(self, moment: Moment) -> Iterator[Step]:
        """Yield the sessions that an earlier run left open: what became of them nobody saw."""
        for (kind, key), body in list(self._memory.items()):
            if kind == "session" and body["open"]:
                changes = self._closed(key, {**body, "open": False, "ended": "interrupted"})
                text = f"{body['text']}: the watch was interrupted, and how it ended was not seen"
                yield Step(News("session-interrupted", key, text, moment.text), changes)

    def steps(self, report: Report, moment: Moment, *, final: bool = False) -> Iterator[Step]:
        """Yield what is to be told. A step that is not taken comes again next time."""
        here = {session_key(session): session for session in report.sessions}
        for key, session in here.items():
            yield from self._session(key, session, moment, final=final)
        for key in self._here - here.keys():
            body = self._memory.get(("session", key))
            if body is not None and body["open"]:
                text = f"{body['text']}: silent for so long that it is not watched any more"
                gone = {**body, "open": False, "ended": "silent"}
                yield Step(News("session-ended", key, text, moment.text), self._closed(key, gone))
        self._here = set(here)
        if len(self._since) > _MOST_WAITING:
            self._since.clear()
        for host in report.hosts:
            yield from self._roles(host, moment)

    def _closed(self, key: str, body: dict[str, Any]) -> tuple[Change, ...]:
        """Return the changes when a session is over: its connections need not be known any more once it is gone."""
        own: list[Change] = [("session", key, body)]
        if body["ended"] in ("interrupted", "silent"):
            own += [(kind, one, None) for kind, one in self._memory if kind in ("data", "job") and one.startswith(key)]
        return tuple(own)

    def _session(self, key: str, session: SessionSummary, moment: Moment, *, final: bool) -> Iterator[Step]:
        control = session.control
        ends = f"{control.originator} → {control.responder}"
        body = self._memory.get(("session", key))
        if body is None or body["ended"] == "interrupted":
            facts: dict[str, Any] = {
                "originator": control.originator,
                "responder": control.responder,
                "first": control.first,
            }
            begun = {"open": True, "ended": "", "text": ends}
            yield Step(News("session-opened", key, ends, moment.text, "", facts), (("session", key, begun),))
        over = session.ended not in ("", "open", "silent")
        for data in session.data:
            yield from self._data(key, data, moment, final=final or over)
        for job in session.jobs:
            if job.outcome in _OVER or ((over or final) and job.outcome != "running"):
                yield from self._job(key, session, job, moment)
        if over and (body is None or body["open"]):
            ended = {"open": False, "ended": session.ended, "text": ends}
            text = f"{ends}: {session.story or session.ended}"
            facts = {"ended": session.ended, "story": session.story, "data": len(session.data)}
            yield Step(News("session-ended", key, text, moment.text, "", facts), (("session", key, ended),))

    def _data(self, key: str, data: DataSummary, moment: Moment, *, final: bool) -> Iterator[Step]:
        connection = f" | {_pair(data.originator, data.responder)} @ {data.first}"
        own = key + connection
        body = self._memory.get(("data", own))
        if body is not None and _rank(data.grade) <= _rank(body["grade"]):
            return
        # What is tied by circumstance may turn out to belong to another session.
        waited = moment.observed - self._since.setdefault(own, moment.observed)
        if data.grade != "proved" and not final and waited < self._settings.settle:
            return
        self._since.pop(own, None)
        text = f"{data.originator} → {data.responder}, {data.grade}"
        outside = [end for end in data.ends if end.inside is False]
        if outside:
            text += ", " + joined(f"port {end.port} outside {end.declared}" for end in outside)
        # What was tied by circumstance, when its session was over, is tied to the right one once that is known.
        others = [one for kind, one in self._memory if kind == "data" and one.endswith(connection) and one != own]
        if others:
            text += f"; it was told of another session before, and belongs to {key.partition(' @ ')[0]}"
        facts = {
            "session": key,
            "before_of": [one.removesuffix(connection) for one in others],
            "originator": data.originator,
            "responder": data.responder,
            "grade": data.grade,
            "because": list(data.because),
            "before": body["grade"] if body else "",
        }
        yield Step(News("data-tied", own, text, moment.text, "", facts), (("data", own, {"grade": data.grade}),))

    def _job(self, key: str, session: SessionSummary, job: JobSummary, moment: Moment) -> Iterator[Step]:
        own = f"{key} | {job.operation or 'operation'} @ {job.first}"
        if ("job", own) in self._memory:
            return
        amount = job.from_server_bytes + job.to_server_bytes
        what = f"{job.operation or 'operation'}{f' “{job.name}”' if job.name else ''} of {session.control.responder}"
        text = f"{what}: {job.outcome}{f' ({job.reason})' if job.reason else ''}, {byte_count(amount)}"
        if job.bytes_per_second:
            text += f" at {byte_count(job.bytes_per_second)}/s"
        facts = {
            "session": key,
            "operation": job.operation,
            "outcome": job.outcome,
            "reason": job.reason,
            "name": job.name,
            "file_system": job.file_system,
            "bytes": amount,
            "first": job.first,
            "last": job.last,
        }
        yield Step(News("job-ended", own, text, moment.text, "", facts), (("job", own, {"outcome": job.outcome}),))

    def _roles(self, host: HostSummary, moment: Moment) -> Iterator[Step]:
        body = self._memory.get(("role", host.address))
        known = body["roles"] if body else []
        added = [role for role in host.process_roles if role not in known]
        if not added and (body is None or body["zone"] == host.zone):
            return
        text = f"{host.address} of {host.zone}"
        if body is None:
            text += f" is {joined(added)}"
        elif added:
            text += f" is now also {joined(added)}"
        else:
            text += f", before of {body['zone']}"
        because = next((reason for reason in host.because if not added or added[0] in reason), "")
        text += f" ({because})" if because else ""
        facts = {
            "address": host.address,
            "zone": host.zone,
            "roles": [*known, *added],
            "added": added,
            "proved": list(host.proved_roles),
            "because": list(host.because[:5]),
        }
        kind = "role-changed" if body else "role-learnt"
        now = {"zone": host.zone, "roles": [*known, *added]}
        yield Step(News(kind, host.address, text, moment.text, "", facts), (("role", host.address, now),))


def _rank(grade: str) -> int:
    return _GRADES.index(grade) if grade in _GRADES else -1
