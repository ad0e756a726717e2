"""The straight way into ``auditor audit``: a command line in plain form is read without Click.

Click takes as long to import as a capture of ten thousand packets to read and judge (25 of 150 ms). Only what is beyond
doubt is read here: each option in full, its value behind it or behind an equals sign. Anything else (a mistake, ``--help``,
options run together, words that begin with a hyphen) is left to Click, so that there is one place that explains and
complains; where both read a command line they read the same, which the tests hold.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

_COUNTED = {"-v": 1, "-vv": 2, "-vvv": 3}
_CLICK_LISTENS = ("AUDITOR_DEBUG", "_AUDITOR_COMPLETE")
"""What Click takes from the environment."""


def plain_audit(arguments: Sequence[str]) -> dict[str, Any] | None:
    """Return the parameters of ``auditor audit`` for a plain command line, or None for one that Click is to read."""
    if arguments[:1] != ["audit"] or os.name != "posix" or any(name in os.environ for name in _CLICK_LISTENS):
        return None
    # Only here: no other command waits for what the options of this one take.
    from auditor.cli.audit_options import AUDIT_OPTIONS, COUNT, FLAG, MANY

    by_writing = {written: option for option in AUDIT_OPTIONS for written in option.written}
    unsaid = {FLAG: False, COUNT: 0, MANY: ()}
    read: dict[str, Any] = {option.name: unsaid.get(option.kind, option.default) for option in AUDIT_OPTIONS}
    captures: list[str] = []
    words = iter(arguments[1:])
    for word in words:
        if not word.startswith("-") or word == "-":
            captures.append(word)
            continue
        written, equals, behind = word.partition("=")
        option = by_writing.get(written)
        if word in _COUNTED:
            read["verbosity"] += _COUNTED[word]
        elif option is None or (equals and (option.kind in (FLAG, COUNT) or not written.startswith("--"))):
            return None
        elif option.kind == FLAG:
            read[option.name] = True
        elif option.kind == COUNT:
            read[option.name] += 1
        else:
            value = behind if equals else next(words, "-")
            if value.startswith("-") or (option.choices and value not in option.choices):
                return None
            read[option.name] = (*read[option.name], value) if option.kind == MANY else value
    return {"captures": tuple(captures), **read} if captures else None
