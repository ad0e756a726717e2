"""Holds the ties of captures against what the processes at both ends wrote down: ``truth.json`` beside each capture.

The form of the file is that of the project's own captures, ``docs/captures.md``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

from auditor.errors import UsageError
from auditor.model import Report
from auditor.records import record
from auditor.text import path_text

TRUTH = "truth.json"
Ends = frozenset[str]
Tie = tuple[Ends, Ends]


@record
class Rated:
    """Ties of one capture: ``sessions`` found, ``true`` ones, ``told``, ``right`` ones among these, ``undecided``."""

    sessions: int = 0
    true: int = 0
    told: int = 0
    right: int = 0
    undecided: int = 0

    def __add__(self, other: Rated) -> Rated:
        """Return both together."""
        return Rated(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


def rate(report: Report, true: frozenset[Tie]) -> Rated:
    """Count the ties of a report that are true; who opened a connection is not asked, as it may be a guess."""
    told = {
        (frozenset((one.control.originator, one.control.responder)), frozenset((data.originator, data.responder)))
        for one in report.sessions
        for data in one.data
    }
    return Rated(len(report.sessions), len(true), len(told), len(told & true), len(report.undecided))


def true_ties(capture: str) -> frozenset[Tie]:
    """Return the ties that the truth beside a capture tells. Raises UsageError where there is none, or it is of no use."""
    path = Path(capture).parent / TRUTH
    try:
        return frozenset(_ties(json.loads(path.read_bytes())))
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(
            f"{path_text(str(path))}: {reason}", fix=f"put {TRUTH} beside the capture, or leave --truth out"
        ) from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        told = f"{type(error).__name__}: {error}"
        raise UsageError(f"{path_text(str(path))}: no truth ({told})", fix="docs/captures.md tells the form") from None


def _ties(truth: dict[str, Any]) -> Iterable[Tie]:
    on_wire = {one["id"]: _ends(one) for one in truth["control_sessions"] if one["on_wire"]}
    tunnels = [one for one in truth["other_tcp"] if one["service"] == "tls-server"]
    for one in truth["control_sessions"]:
        if not one["on_wire"]:
            # Of a session inside a tunnel the wire shows the tunnel.
            own = (
                t
                for t in tunnels
                if one.get("tunnel") in (None, t.get("id")) and t["server_host"] == one["server_host"]
            )
            on_wire[one["id"]] = _ends(next(own))
    for data in truth["data_connections"]:
        if data["on_wire"]:
            yield from ((on_wire[session], _ends(data)) for session in data["control_sessions"])


def _ends(record: dict[str, Any]) -> Ends:
    return frozenset(_endpoint(record[side], record[f"{side}_port"]) for side in ("client", "server"))


def _endpoint(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
