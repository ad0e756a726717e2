"""Where a finding stands, for formats that want a file and a line; what its proof is, in one line; from when to when."""

from __future__ import annotations

import ipaddress
from pathlib import PurePath
from urllib.parse import quote

from auditor.model import Evidence, Finding, Report
from auditor.report.packet_places import Places
from auditor.text import packet_list


def place_of(report: Report, finding: Finding) -> tuple[str, int]:
    """Return file and line of a finding, line 0 where the file has none.

    The line of the policy that decided, else the one that came nearest, else the policy's first; without a policy the
    capture that proves it, else the first capture.
    """
    terms = {term.name: term for term in report.terms}
    for name in (finding.term, finding.nearest):
        term = terms.get(name)
        if term is not None and term.path:
            return term.path, term.line
    if report.policy.path:
        return report.policy.path, 1
    proof = next((one.capture for one in finding.evidence if one.capture), "")
    return proof or next((capture.path for capture in report.captures), ""), 0


def first_and_last(report: Report) -> tuple[str | None, str | None]:
    """Return the times of the first and the last packet of all captures, None where none was read."""
    times = [(one.first, one.last) for one in report.captures]
    return min((first for first, _ in times if first), default=None), max(
        (last for _, last in times if last), default=None
    )


def uri(path: str) -> str:
    """Return a path as a URI reference: relative stays relative; whatever has its own meaning there is quoted."""
    text = PurePath(path).as_posix()
    quoted = quote(text, safe="/", errors="backslashreplace")
    return f"file://{quoted}" if text.startswith("/") else quoted


def proof_line(evidence: Evidence, places: Places) -> str:
    """Return evidence in one line: ``packets 17, 344 · 10.0.0.1:40000 > 10.0.0.2:10000 tcp · note``; of several captures
    with the place of the packets in these."""
    flow = evidence.flow
    ends = f"{flow.originator} > {flow.responder} {flow.transport}"
    parts = (packet_list(evidence.packets), ends, places.text(evidence), evidence.note)
    return " · ".join(part for part in parts if part)


def split_end(end: str) -> tuple[str, int] | None:
    """Return address and port of an end as evidence names it; None for what is none."""
    address, colon, port = end.rpartition(":")
    try:
        parsed = ipaddress.ip_address(address.removeprefix("[").removesuffix("]"))
        number = int(port)
    except ValueError:
        return None
    return (str(parsed), number) if colon and number in range(65536) else None
