"""Findings as news: told once by key, repeated with a count and seldom, closed when they end."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from auditor.model import Finding, Report
from auditor.packs.model import Pack
from auditor.text import counted
from auditor.watch.journal import Memory
from auditor.watch.moment import Moment
from auditor.watch.news import Change, News, Step
from auditor.watch.settings import Settings

_KIND = "finding"
_SECOND = 1_000_000_000


class FindingTeller:
    """Compares the findings of report after report with what was told; ``memory`` is changed by whoever takes the steps.

    ``unseen`` are codes of rules that rest on nothing having been seen, ``slow`` of those that rest on an answer that may
    still come. ``again``: the input is read from its beginning once more, so that what it showed before is no repetition.
    """

    def __init__(
        self, memory: Memory, settings: Settings, unseen: Collection[str], slow: Collection[str], *, again: bool = False
    ) -> None:
        self._memory = memory
        self._settings = settings
        self.unseen, self.slow = unseen, slow
        self._since: dict[str, float] = {}
        self._flows: dict[str, int] = {}
        if again:
            self._flows = {key: int(body.get("flows", 0)) for (kind, key), body in memory.items() if kind == _KIND}

    def steps(self, report: Report, moment: Moment, *, final: bool = False) -> Iterator[Step]:
        """Yield what is to be told. A step that is not taken comes again next time; ``final``: there is no next time."""
        findings = {one.key: one for one in report.findings if not one.waived}
        for finding in sorted(findings.values(), key=lambda one: -one.severity):
            yield from self._standing(finding, moment, final=final)
        # What ended is told from the memory, so that what an earlier run opened is closed as well.
        ends = [key for (kind, key), body in self._memory.items() if kind == _KIND and body["open"]]
        for key in ends:
            yield from self._ended(key, findings.get(key), moment)
        for key in [key for key in self._since if key not in findings]:
            del self._since[key]

    def renamed(self, renames: Mapping[str, str]) -> Iterator[Step]:
        """Yield steps after which what is remembered stands under the present codes; ``renames`` leads there from former ones."""
        for (kind, key), body in list(self._memory.items()):
            present = renames.get(body["code"]) if kind == _KIND else None
            if present is None:
                continue
            # A key is the code, then the subject.
            own = present + key.removeprefix(body["code"])
            if key in self._flows:
                self._flows.setdefault(own, self._flows.pop(key))
            if key in self._since:
                self._since.setdefault(own, self._since.pop(key))
            changes: list[Change] = [(_KIND, key, None)]
            if (_KIND, own) not in self._memory:
                changes.append((_KIND, own, {**body, "code": present}))
            yield Step(None, tuple(changes))

    def _standing(self, finding: Finding, moment: Moment, *, final: bool) -> Iterator[Step]:
        key, body = finding.key, self._memory.get((_KIND, finding.key))
        since = self._since.setdefault(key, moment.observed)
        grown = max(0, finding.flows - self._flows.get(key, 0))
        new = bool(grown) or (not finding.flows and key not in self._flows)
        if body is not None and body["open"]:
            yield from self._repeated(finding, body, moment, grown)
        elif new and self._ripe(finding, moment, since, final=final):
            body = {
                "open": True,
                "count": max(1, grown),
                "told": max(1, grown),
                "told_at": moment.at,
                "seen_at": moment.at,
                "flows": finding.flows,
                "code": finding.code,
                "severity": finding.severity.word,
                "text": finding.message,
                "times": 1 + (body or {}).get("times", 0),
            }
            self._flows[key] = finding.flows
            yield Step(self._news("finding-opened", finding, moment, body), ((_KIND, key, body),))

    def _repeated(self, finding: Finding, body: dict[str, Any], moment: Moment, grown: int) -> Iterator[Step]:
        self._flows[finding.key] = finding.flows
        if not finding.flows:
            body["seen_at"] = moment.at
        if not grown and body["count"] == body["told"]:
            return
        count = body["count"] + grown
        changed = {**body, "count": count, "flows": finding.flows}
        if grown:
            changed["seen_at"] = moment.at
        if moment.at - body["told_at"] < self._settings.repeat_every * _SECOND:
            if grown:
                yield Step(None, ((_KIND, finding.key, changed),))
            return
        changed |= {"told": count, "told_at": moment.at}
        yield Step(self._news("finding-repeated", finding, moment, changed), ((_KIND, finding.key, changed),))

    def _ripe(self, finding: Finding, moment: Moment, since: float, *, final: bool) -> bool:
        """Return whether a finding has stood long enough to be told."""
        if finding.code in self.unseen:
            return moment.observed >= self._settings.observe
        if final:
            return True
        wait = self._settings.settle if finding.absence or finding.code in self.slow else self._settings.hold
        return moment.observed - since >= wait

    def _ended(self, key: str, finding: Finding | None, moment: Moment) -> Iterator[Step]:
        body = self._memory[_KIND, key]
        gone = finding is None and key in self._since
        quiet = moment.at - body["seen_at"] >= self._settings.close_after * _SECOND
        if gone:
            why = "no longer so"
            self._flows.pop(key, None)
        elif quiet:
            why = f"nothing more of it for {round(self._settings.close_after)} s"
        else:
            return
        closed = {**body, "open": False, "told": body["count"]}
        facts = {"code": body["code"], "count": body["count"], "because": why}
        text = f"{body['code']} {body['text']} ({why}; seen {counted(body['count'], 'time')})"
        yield Step(News("finding-closed", key, text, moment.text, body["severity"], facts), ((_KIND, key, closed),))

    def _news(self, kind: str, finding: Finding, moment: Moment, body: dict[str, Any]) -> News:
        text = f"{finding.code} {finding.message}"
        if kind == "finding-repeated":
            text += f" (now {counted(body['count'], 'time')})"
        elif body["times"] > 1:
            text += " (again)"
        if finding.inconclusive:
            text += f" (inconclusive: {finding.inconclusive})"
        facts: dict[str, Any] = {
            "code": finding.code,
            "name": finding.name,
            "title": finding.title,
            "subject": finding.subject,
            "count": body["count"],
            "message": finding.message,
            "consequence": finding.consequence,
            "remedy": finding.remedy,
            "inconclusive": finding.inconclusive,
            "evidence": [
                {
                    "transport": one.flow.transport,
                    "originator": one.flow.originator,
                    "responder": one.flow.responder,
                    "packets": list(one.packets),
                }
                for one in finding.evidence[:3]
            ],
        }
        return News(kind, finding.key, text, moment.text, finding.severity.word, facts)


def patient(pack: Pack) -> tuple[frozenset[str], frozenset[str]]:
    """Return the codes of rules about what was never seen, and of those about what may still come."""
    unseen = {rule.code for rule in pack.rules if rule.table == "expected" or rule.name == "term-never-exercised"}
    unseen |= {rule.code for rule in pack.rules if rule.name == "nothing-to-judge"}
    slow = {rule.code for rule in pack.rules if rule.name == "control-without-data"}
    return frozenset(unseen), frozenset(slow)
