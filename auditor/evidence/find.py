"""Which finding of a report a person means."""

from __future__ import annotations

import re

from auditor.errors import UsageError
from auditor.model import Finding, Report
from auditor.text import escape

_NUMBERED = re.compile(r"(?P<code>[A-Za-z]{2,8}[0-9]{3})\+(?P<place>[1-9][0-9]{0,6})", re.ASCII)
_MOST_LISTED = 12


def find_finding(report: Report, wanted: str) -> int:
    """Return the place of a finding among those of a report.

    ``wanted`` is its key, its rule's code where that has one finding, ``CODE+n`` for the n-th finding of a code, or any
    beginning of a key that no other key has. Raises UsageError where it means none, or more than one: with all of them.
    """
    exact = [place for place, one in enumerate(report.findings) if one.key == wanted]
    if exact:
        return exact[0]
    numbered = _NUMBERED.fullmatch(wanted)
    code = (numbered["code"] if numbered else wanted).upper()
    of_code = [place for place, one in enumerate(report.findings) if one.code == code]
    if numbered and of_code:
        if int(numbered["place"]) <= len(of_code):
            return of_code[int(numbered["place"]) - 1]
        raise UsageError(f"{code} has {len(of_code)} findings in this report, no number {numbered['place']}")
    meant = of_code or [place for place, one in enumerate(report.findings) if one.key.startswith(wanted)]
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise UsageError(
            f'"{escape(wanted)}" means {len(meant)} findings:', fix="name one of them", listed=_listed(report, meant)
        )
    known = ", ".join(sorted({one.code for one in report.findings}))
    raise UsageError(
        f'no finding of this report is called "{escape(wanted)}"',
        fix=f"it has findings of {known}" if known else "it has no finding at all",
    )


def handle(report: Report, place: int) -> str:
    """Return the shortest name that ``find_finding`` takes for the finding at a place."""
    code = report.findings[place].code
    same = [index for index, one in enumerate(report.findings) if one.code == code]
    return code if len(same) == 1 else f"{code}+{same.index(place) + 1}"


def _listed(report: Report, places: list[int]) -> list[str]:
    lines = [f"  {handle(report, place)}  {_short(report.findings[place])}" for place in places[:_MOST_LISTED]]
    if len(places) > _MOST_LISTED:
        lines.append(f"  … {len(places) - _MOST_LISTED} more")
    return lines


def _short(finding: Finding) -> str:
    return escape(finding.message, limit=90)
