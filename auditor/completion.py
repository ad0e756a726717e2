"""What stands between findings and a finished report: waivers, the baseline, and the versions that it rests on."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Sequence

from auditor.baselines import Baseline
from auditor.digests import document_sha256, folder_sha256
from auditor.engine import findings as find_findings
from auditor.flows import FlowTable
from auditor.model import CaptureSummary, Finding, Report, RulePackSummary, WaiverSummary
from auditor.model.parts import PartList
from auditor.packs.model import Pack
from auditor.records import replace
from auditor.services import rules_at
from auditor.verdict import baseline_counts
from auditor.waivers.model import Waiver


def last_day(captures: Sequence[CaptureSummary]) -> dt.date | None:
    """Return the day (UTC) of the last packet of all captures."""
    last = max((capture.last for capture in captures if capture.last), default=None)
    return None if last is None else dt.date.fromisoformat(last[:10])


def waived(
    pack: Pack,
    waivers: Sequence[Waiver],
    found: tuple[Finding, ...],
    day: dt.date | None,
    *,
    table: FlowTable,
    told: PartList,
) -> tuple[tuple[Finding, ...], tuple[WaiverSummary, ...]]:
    """Apply waivers, add what there is to say of the waivers themselves, and put what is waived last; with what each did.

    ``told`` holds what the findings with a waiver's code stand for.
    """
    if not waivers:
        return found, ()
    from auditor.tables.waivers import waivers_table
    from auditor.waivers.apply import apply_waivers, summarise_uses

    found, uses = apply_waivers(waivers, found, day, told.parts)
    rules = Pack(tuple(rule for rule in pack.rules if rule.table == "waivers"))
    found += find_findings(rules, {"waivers": waivers_table(uses)}, table)
    found = tuple(sorted(found, key=lambda one: (one.waived, -one.severity, one.code, one.key)))
    return found, summarise_uses(uses)


def completed(report: Report, pack: Pack, baseline: Baseline | None) -> Report:
    """Return the report with what it rests on: the versions of policy and rules, and the baseline."""
    rule_pack = RulePackSummary(len(pack.rules), folder_sha256(rules_at(), ".yaml"))
    policy = report.policy
    if policy.path is not None:
        with contextlib.suppress(OSError):
            policy = replace(policy, sha256=document_sha256(policy.path))
    report = replace(report, rule_pack=rule_pack, policy=policy)
    if baseline is None:
        return report
    from auditor.drift.baseline import summarise_baseline

    summary = summarise_baseline(report, baseline.report, baseline.path, baseline.data)
    sentence = f"{report.summary}, against the baseline {baseline_counts(summary)}"
    return replace(report, baseline=summary, summary=sentence)
