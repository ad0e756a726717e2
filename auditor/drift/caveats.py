"""Where two reports are not of the same kind, so that a difference need not be one of the network."""

from __future__ import annotations

from auditor.model import Report


def caveats(old: Report, new: Report) -> tuple[str, ...]:
    """Return what a reader of the differences must know, one sentence each; empty where the two are alike in kind."""
    found = []
    if old.policy.generation != new.policy.generation:
        found.append(
            f"They were judged under different product generations ({old.policy.generation}, then"
            f" {new.policy.generation}): findings may differ for that alone."
        )
    if old.policy.inferred != new.policy.inferred:
        which = ("The older", "the newer") if old.policy.inferred else ("The newer", "the older")
        found.append(
            f"{which[0]} was judged without a policy, {which[1]} with one: roles and verdicts are not comparable."
        )
    elif _differ(old.policy.sha256, new.policy.sha256):
        found.append("They were judged under different policies: findings and terms may differ for that alone.")
    rules = (None if report.rule_pack is None else report.rule_pack.sha256 for report in (old, new))
    if _differ(*rules):
        found.append("They were made with different rules: findings may differ for that alone.")
    for word, report in (("older", old), ("newer", new)):
        if any(capture.status != "read" for capture in report.captures):
            found.append(
                f"Not all captures of the {word} one were read to the end: what is missing there may be unread."
            )
    return tuple(found)


def _differ(old: str | None, new: str | None) -> bool:
    return old is not None and new is not None and old != new
