"""What stands between findings and a finished report: waivers, the baseline, and the versions that it rests on."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from auditor.digests import file_sha256, folder_sha256
from auditor.drift.baseline import summarise_baseline
from auditor.drift.renames import with_present_codes
from auditor.engine import findings as find_findings
from auditor.errors import AuditorError, UsageError
from auditor.flows import FlowTable
from auditor.model import CaptureSummary, Finding, Report, RulePackSummary
from auditor.model.parts import PartList
from auditor.packs.model import Pack
from auditor.records import record
from auditor.report.json_ import load as load_report
from auditor.services import rules_folder
from auditor.tables import waivers_table
from auditor.verdict import baseline_counts
from auditor.waivers.apply import Use, apply_waivers
from auditor.waivers.model import Waiver


@record
class Baseline:
    """An earlier report: the name of its file, the bytes of it, and what they say."""

    path: str
    data: bytes
    report: Report


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
) -> tuple[tuple[Finding, ...], tuple[Use, ...]]:
    """Apply waivers, add what there is to say of the waivers themselves, and put what is waived last.

    ``told`` holds what the findings with a waiver's code stand for.
    """
    if not waivers:
        return found, ()
    found, uses = apply_waivers(waivers, found, day, told.parts)
    rules = Pack(tuple(rule for rule in pack.rules if rule.table == "waivers"))
    found += find_findings(rules, {"waivers": waivers_table(uses)}, table)
    return tuple(sorted(found, key=lambda one: (one.waived, -one.severity, one.code, one.key))), uses


def completed(report: Report, pack: Pack, baseline: Baseline | None) -> Report:
    """Return the report with what it rests on: the versions of policy and rules, and the baseline."""
    rule_pack = RulePackSummary(len(pack.rules), folder_sha256(rules_folder(), ".yaml"))
    policy = report.policy
    if policy.path is not None:
        with contextlib.suppress(OSError):
            policy = replace(policy, sha256=file_sha256(Path(policy.path)))
    report = replace(report, rule_pack=rule_pack, policy=policy)
    if baseline is None:
        return report
    summary = summarise_baseline(report, baseline.report, baseline.path, baseline.data)
    sentence = f"{report.summary}, against the baseline {baseline_counts(summary)}"
    return replace(report, baseline=summary, summary=sentence)


def read_baseline(path: str, pack: Pack) -> Baseline:
    """Return a saved report, its findings under the codes that their rules have now. Raises UsageError where the file cannot be read or is none."""
    try:
        data = Path(path).read_bytes()
        return Baseline(path, data, with_present_codes(load_report(data), pack.renames()))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from None
    except AuditorError as error:
        fix = error.fix or "name a report that auditor audit wrote as JSON"
        raise UsageError(f"{path}: {error.message}", fix=fix) from None
