"""What a rule file says, once it has been read and found sound. Frozen; judges nothing itself."""

from __future__ import annotations

from collections.abc import Mapping

from auditor.model import Severity
from auditor.records import record


@record
class Condition:
    """One line of ``select``: a column and what it must be.

    ``operator`` is ``in`` or ``not in`` with ``values`` for words, addresses and flags (``true``, ``false``);
    ``in``, ``<``, ``<=``, ``>``, ``>=`` or ``!=`` with whole numbers in ``values`` for numbers.
    """

    column: str
    operator: str
    values: tuple[str, ...] | tuple[int, ...]


@record
class Template:
    """A sentence with names in braces. Only plain names: no attributes, indexes, conversions or formats."""

    text: str

    def names(self) -> tuple[str, ...]:
        """Return the names, in order. Raises ValueError where the text is no template of plain names."""
        import string

        names = []
        for _, name, specification, conversion in string.Formatter().parse(self.text):
            if name is None:
                continue
            if conversion or specification or not name.isidentifier():
                raise ValueError(f"{{{name}}} is not a plain name")
            names.append(name)
        return tuple(names)

    def render(self, values: Mapping[str, str]) -> str:
        """Return the sentence with every name replaced by its value. Values are never read as templates."""
        # The names are plain, which ``names`` saw to when the rule was read.
        return self.text.format_map(values)


@record
class Escalation:
    """Raises the severity of a finding when at least one of its rows also meets ``select``."""

    select: tuple[Condition, ...]
    severity: Severity


@record
class Collapse:
    """Makes one finding of many: when more than ``when_over`` findings agree in the subjects ``to``."""

    when_over: int
    to: tuple[str, ...]
    message: Template


@record
class Example:
    """A text in the flow notation, and the line of the rule file on which it stands."""

    text: str
    line: int


@record
class Rule:
    """A check. One finding arises for each different ``subject``: name in the finding -> column of the table.

    ``threshold`` is how many rows a subject needs. ``undermines`` marks findings which say that the capture cannot
    support a verdict; ``absence`` those that rest on an answer which was not seen. ``path`` is the file, as given.
    ``formerly``: codes and names that the rule once had; they are found still, and never given to another rule.
    ``generations``: product generations that the rule is for, none for all.
    """

    code: str
    name: str
    title: str
    severity: Severity
    since: str
    table: str
    select: tuple[Condition, ...]
    subject: Mapping[str, str]
    message: Template
    consequence: Template
    remedy: Template
    why: str
    sources: tuple[str, ...]
    false_alarms: tuple[str, ...]
    controls: tuple[str, ...]
    fires: tuple[Example, ...]
    silent: tuple[Example, ...]
    threshold: int = 1
    escalate: tuple[Escalation, ...] = ()
    collapse: tuple[Collapse, ...] = ()
    undermines: bool = False
    absence: bool = False
    path: str = ""
    formerly: tuple[str, ...] = ()
    generations: tuple[str, ...] = ()

    @property
    def own(self) -> bool:
        """Whether the rule came with auditor; else it is the site's own."""
        return self.code.startswith("BX")


@record
class Pack:
    """Rules in the order of their codes."""

    rules: tuple[Rule, ...]

    def find(self, code_or_name: str) -> Rule | None:
        """Return the rule with a code or a name, present or former, or None."""
        word = code_or_name
        present = next((rule for rule in self.rules if word in (rule.code, rule.name)), None)
        return present or next((rule for rule in self.rules if word in rule.formerly), None)

    def renames(self) -> dict[str, str]:
        """Return the present code of a rule by each code and name that it once had."""
        return {word: rule.code for rule in self.rules for word in rule.formerly}

    def for_generation(self, generation: str) -> Pack:
        """Return the rules that judge a product generation."""
        return Pack(tuple(rule for rule in self.rules if not rule.generations or generation in rule.generations))
