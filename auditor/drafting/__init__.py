"""Writes a site policy from traffic: what was seen, as a policy file, with a question wherever the traffic cannot tell.

The draft permits what got through and denies what did not, so that the capture that it was made of conforms to it. That
is where a site's own work begins: every line marked ``# ?`` asks for a decision that no capture can make.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from auditor.drafting.logins import accept_logins
from auditor.drafting.material import Material
from auditor.drafting.ranges import observed_ranges
from auditor.drafting.terms import settle
from auditor.drafting.write import write_draft
from auditor.drafting.zones import draft_zones
from auditor.errors import CaptureError
from auditor.pipeline import Progress
from auditor.records import record


@record
class Draft:
    """A policy file's text, how many questions it asks, and what was wrong with captures (path and reason)."""

    text: str
    questions: int
    damaged: tuple[tuple[str, str], ...]


def draft_policy(paths: Iterable[str | os.PathLike[str]], *, progress: Progress | None = None) -> Draft:
    """Return a policy drafted from captures.

    Raises
    ------
    CaptureError
        No capture could be read, or nothing in them shows a host of a backup network.
    UsageError
        There is no capture.
    """
    material = Material.read(paths, progress=progress)
    policy, left_out = draft_zones(material)
    if not policy.zones:
        raise CaptureError(
            "nothing of Backup Exec was seen: no NDMP, no agent that registers, no mail and no traps",
            fix="take the capture where media server and agents talk, while a job runs",
        )
    policy, ranges = observed_ranges(material, policy)
    settled = settle(material, policy)
    held = settled.held
    policy, doors = accept_logins(settled.policy, held.table, held.sessions.sessions)
    text = write_draft(material, policy, ranges, settled.terms, doors, left_out=(left_out, settled.left_out))
    questions = sum(line.lstrip(" ").startswith("# ? ") for line in text.splitlines())
    return Draft(text, questions, material.damaged)
