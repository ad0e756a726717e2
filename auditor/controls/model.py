"""A control, and what an audit stands on that speaks for or against it."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.records import record


@record
class Control:
    """A control. ``keys``: those of NIST SP 800-53 by which rules name it; ``of``: how the codes of its
    rules begin, any where empty; ``supports``: traffic can speak for it."""

    framework: str
    id: str
    title: str
    why: str
    keys: tuple[str, ...]
    supports: bool
    of: tuple[str, ...] = ()

    def bears(self, code: str, controls: Sequence[str]) -> bool:
        """Return whether a rule with this code, which names these controls, bears on this one."""
        return not set(self.keys).isdisjoint(controls) and (not self.of or code.startswith(self.of))


@record
class Judged:
    """What an audit stands on: flows judged, whether the capture supports a verdict, whether roles were inferred.

    ``lacking`` says what the captures do not hold and might speak against a control. ``unread`` control connections are
    inside TLS: what went over them was judged by hosts, ports and times alone.
    """

    flows: int
    conclusive: bool
    inferred: bool
    lacking: tuple[str, ...] = ()
    unread: int = 0
