"""Text of a policy in files that a shell, a router or a script reads: reduced to what none of them obeys.

No quoting is relied on: what is not in a short list of harmless ASCII characters becomes ``?`` or a blank.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterator

from auditor.firewall.model import REVIEW, Rule, RuleSet
from auditor.ports import PortSet
from auditor.text import counted, escape, plain_text

_WIDTH = 110
_HARMLESS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 _-.,:;/+=()[]@")
_PRINTABLE = frozenset(map(chr, range(32, 127))) - {"`"}
_BLANK = {"<": "(", ">": ")", "{": "(", "}": ")", "|": "/", "\t": " ", "\n": " ", "\r": " ", "#": "no."}


def harmless(text: str, *, limit: int = 0) -> str:
    """Return text on one line that may stand in a comment or between quotes of any target; ``limit`` characters at most."""
    letters = []
    for character in unicodedata.normalize("NFKD", plain_text(text)):
        if character in _HARMLESS:
            letters.append(character)
        elif not unicodedata.combining(character):
            letters.append(_BLANK.get(character, "?"))
    found = " ".join("".join(letters).split())
    return found if not limit or len(found) <= limit else f"{found[: limit - 3]}..."


def file_text(text: str) -> str:
    """Return text for the rest of a comment line: printable ASCII, and nothing that could go on to the next line."""
    plain = unicodedata.normalize("NFKD", plain_text(escape(text)))
    letters = (one if one in _PRINTABLE else "?" for one in plain if not unicodedata.combining(one))
    return "".join(letters).replace("\\", "/")


def head(rules: RuleSet, *more: str) -> Iterator[str]:
    """Yield the lines that each file begins with, without the sign of a comment."""
    about = f"Backup Exec {rules.generation}: policy {rules.policy}, firewall at {rules.at}, by auditor {rules.version}"
    for text in (REVIEW, about, f"{summary(rules)}.", *more):
        yield from _wrapped(text, "")
    yield ""


def about_rule(rule: Rule) -> Iterator[str]:
    """Yield what stands above a rule: its ends in the words of the policy, and why it is there."""
    why = f" (proposal, not in force: {', '.join(rule.held_back)})" if rule.held_back else ""
    yield from _wrapped(f"{rule.name}: {', '.join(rule.source_words)} to {', '.join(rule.destination_words)}{why}", "")
    for reason in rule.reasons:
        yield from _wrapped(reason.line, "  ")


def remarks(rules: RuleSet) -> Iterator[str]:
    """Yield what of the policy is no rule, without the sign of a comment."""
    if rules.left_out:
        yield "Of the policy, this is no rule:"
        for one in rules.left_out:
            yield from _wrapped(f"- {one.line}", "")


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        file_text(text), _WIDTH, initial_indent=indent, subsequent_indent=f"{indent}  ", break_on_hyphens=False
    )


def summary(rules: RuleSet) -> str:
    """Return how many rules there are and what they open, in words."""
    denied = sum(rule.action == "deny" for rule in rules.rules)
    parts = [counted(len(rules.rules), "rule")]
    if denied:
        parts[0] += f" ({denied} of them to deny)"
    opened = rules.opened()
    open_ports = [
        f"{counted(ports.size, f'{transport.upper()} port')} ({ports})" for transport, ports in opened.items()
    ]
    parts.append(f"open: {', '.join(open_ports)}")
    if rules.proposals:
        parts.append(f"{counted(len(rules.proposals), 'proposal')} not in force")
    return plain_text("; ".join(parts))


def port_texts(ports: PortSet) -> list[str]:
    """Return each port or range as text."""
    return [str(low) if low == high else f"{low}-{high}" for low, high in ports.ranges]
