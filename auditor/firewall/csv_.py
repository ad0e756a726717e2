"""CSV (RFC 4180, UTF-8): a change request, one row for each rule, with what has to be decided below."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from auditor.firewall.model import REVIEW, Rule, RuleSet
from auditor.firewall.ranges import range_texts
from auditor.firewall.words import port_texts, summary
from auditor.text import cell_text

COLUMNS = (
    "number", "status", "action", "direction", "ip_version", "source_zones", "source", "destination_zones", "destination",
    "protocol", "ports", "stateful_return", "justification", "terms", "declared_at", "doubt",
)  # fmt: skip


def render(rules: RuleSet) -> bytes:
    """Return the table: names, what to know first, the rules in order, proposals, and what is no rule."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for row in _rows(rules):
        writer.writerow([cell_text(str(row.get(name, ""))) for name in COLUMNS])
    return buffer.getvalue().encode("utf-8", "backslashreplace")


def _rows(rules: RuleSet) -> Iterator[dict[str, str]]:
    yield {"status": "note", "justification": REVIEW}
    yield {
        "status": "note",
        "justification": f"Firewall at {rules.at}; {summary(rules)}; all else is dropped",
        "declared_at": rules.policy,
    }
    for status, part in (("rule", rules.rules), ("proposal", rules.proposals)):
        for rule in part:
            yield {"status": status, **_row(rule)}
    for one in rules.left_out:
        yield {"status": "left out", "terms": one.what, "declared_at": one.place, "doubt": one.why}


def _row(rule: Rule) -> dict[str, str]:
    held = [f"held back: {', '.join(rule.held_back)}"] if rule.held_back else []
    return {
        "number": str(rule.number),
        "action": rule.action,
        "direction": rule.direction,
        "ip_version": str(rule.version),
        "source_zones": _joined(rule.source_words),
        "source": _joined(range_texts(rule.source.of(rule.version), rule.version)),
        "destination_zones": _joined(rule.destination_words),
        "destination": _joined(range_texts(rule.destination.of(rule.version), rule.version)),
        "protocol": _joined(rule.transports),
        "ports": _joined(port_texts(rule.ports)),
        "stateful_return": "yes" if rule.answers and rule.action == "permit" else "no",
        "justification": _joined(reason.text for reason in rule.reasons),
        "terms": _joined(reason.term for reason in rule.reasons),
        "declared_at": _joined(reason.place for reason in rule.reasons),
        "doubt": _joined((*(reason.doubt for reason in rule.reasons if reason.doubt), *held)),
    }


def _joined(words: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(words))
