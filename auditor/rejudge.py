"""Flows of an export, or of a report saved with them, judged under another policy, without the packets: what would break, what would newly be allowed.

Which flows are control and data connections is taken from the export: whoever declares another NDMP port has to read the
captures again to know what else becomes one.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from auditor.arrays import NDArray
from auditor.errors import MissingExtra, UsageError
from auditor.flows import CODE_WORDS, COLUMNS, TRANSPORTS, FlowTable
from auditor.model.flow_rows import FLOWS_CLOSE, FLOWS_OPEN
from auditor.policy.match import VERDICTS, Verdicts, judge
from auditor.policy.model import Policy
from auditor.records import record
from auditor.services import Catalogue

BREAKS, ALLOWED, OTHER = "would break", "newly allowed", "other change"

_SPECIAL = ("transport", "orig_addr", "resp_addr", "first_file", "last_file", "flags")
_NUMBERS = tuple(column for column in COLUMNS if column.name not in CODE_WORDS and column.name not in _SPECIAL)
_HEAD = 4096
"""Bytes that tell a saved report from a flow export."""
_JUDGED = ("control", "data", "verdict", "outcome", "term")

_Columns = Mapping[str, Sequence[Any]]


@record
class FlowExport:
    """Flows as an export holds them, and what was made of them: ``control`` and ``data`` are masks, ``verdict`` codes into
    ``VERDICTS``; ``term`` and ``outcome`` are words, one for each flow."""

    table: FlowTable
    control: NDArray[np.bool_]
    data: NDArray[np.bool_]
    verdict: NDArray[np.uint8]
    outcome: NDArray[np.object_]
    term: NDArray[np.object_]


@record
class Change:
    """Flows whose verdict changes alike. ``kind``: would break (established and no longer permitted), newly allowed, other
    change; ``example`` names the first of them."""

    kind: str
    before: str
    after: str
    term_before: str
    term_after: str
    originator_zone: str
    responder_zone: str
    flows: int
    example: str


def read_export(path: str) -> FlowExport:
    """Read flows as ``--report`` wrote them: Parquet, JSON Lines, or a JSON report that was saved with its flows.

    Raises UsageError, and MissingExtra without pyarrow.
    """
    fix = "make one with: auditor audit CAPTURE... --report FILE.flows.json (or FILE.parquet, FILE.flows.jsonl)"
    try:
        # Opened here, so that the operating system's own word on a missing file or a directory is told.
        with Path(path).open("rb"):
            pass
        parquet = path.lower().endswith(".parquet")
        if parquet:
            return _export(_parquet(path))
        with Path(path).open(encoding="utf-8") as file:
            return _export(_json_lines(_flows_of_report(path, file) if _is_report(path) else file))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from None
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise UsageError(f"{path} is no flow export: {error}", fix=fix) from None


def rejudge(export: FlowExport, policy: Policy, catalogue: Catalogue) -> tuple[Change, ...]:
    """Return what another policy would change, most flows first within each kind."""
    verdicts = judge(export.table, policy, catalogue, control=export.control, data=export.data)
    rows = np.flatnonzero(verdicts.verdict != export.verdict)
    permit = VERDICTS.index("permit")
    before, after = export.verdict[rows], verdicts.verdict[rows]
    breaks = (before == permit) & (export.outcome[rows] == "established")
    kind = np.where(breaks, 0, np.where(after == permit, 1, 2))
    terms = np.unique(export.term[rows].astype(str), return_inverse=True)[1].reshape(-1)
    parts = (kind, before, after, terms, verdicts.term[rows], verdicts.orig_zone[rows], verdicts.resp_zone[rows])
    _, first, count = np.unique(
        np.stack([part.astype(np.int64) for part in parts]), axis=1, return_index=True, return_counts=True
    )
    order = np.lexsort((rows[first], -count, kind[first]))
    return tuple(_change(export, verdicts, int(rows[first[n]]), int(kind[first[n]]), int(count[n])) for n in order)


def _change(export: FlowExport, verdicts: Verdicts, row: int, kind: int, flows: int) -> Change:
    term = int(verdicts.term[row])
    reference = export.table.reference(row)
    return Change(
        kind=(BREAKS, ALLOWED, OTHER)[kind],
        before=VERDICTS[int(export.verdict[row])],
        after=VERDICTS[int(verdicts.verdict[row])],
        term_before=str(export.term[row]),
        term_after=verdicts.terms[term].name if term >= 0 else "",
        originator_zone=verdicts.zones[int(verdicts.orig_zone[row])],
        responder_zone=verdicts.zones[int(verdicts.resp_zone[row])],
        flows=flows,
        example=f"{reference.originator} > {reference.responder} {reference.transport}",
    )


def _parquet(path: str) -> _Columns:
    try:
        import pyarrow as pa  # type: ignore[import-untyped]
        import pyarrow.parquet as pq  # type: ignore[import-untyped]
    except ImportError:
        raise MissingExtra("pyarrow", "parquet") from None
    try:
        table = pq.read_table(path)
    except pa.ArrowException as error:
        raise ValueError(str(error)) from None
    times = [name for name in ("first_time", "last_time") if name in table.column_names]
    return {
        name: table[name].cast(pa.int64()).to_pylist() if name in times else table[name].to_pylist()
        for name in table.column_names
    }


def _is_report(path: str) -> bool:
    """Return whether a file begins as ``--format json`` or ``--format jsonl`` does."""
    with Path(path).open("rb") as file:
        head = file.read(_HEAD)
    whole = head.startswith(b"{\n")  # exports of flows have an object a line
    return b'"schema"' in head and b'"verdict"' in head and (whole or b'"orig_addr"' not in head)


def _flows_of_report(path: str, file: Iterable[str]) -> Iterator[str]:
    """Yield the flows of a saved report, a line each. Raises UsageError where it was saved without."""
    lines = iter(file)
    opening, closing = FLOWS_OPEN.decode(), FLOWS_CLOSE.decode()
    if not any(line.rstrip("\n") == opening for line in lines):
        raise UsageError(
            f"{path} is a saved report without flows, or one that another program wrote anew",
            fix="save it with them: auditor audit CAPTURE... --report FILE.flows.json (FILE.parquet holds the flows alone)",
        )
    for line in lines:
        if line.rstrip("\n") == closing:
            return
        yield line.rstrip("\n").removesuffix(",")
    raise ValueError("it ends within the flows")


def _json_lines(lines: Iterable[str]) -> _Columns:
    names: tuple[str, ...] = ()
    rows: list[tuple[Any, ...]] = []
    for line in lines:
        flow = json.loads(line)
        if not isinstance(flow, dict):
            raise TypeError("a line is no object")
        names = names or tuple(flow)
        rows.append(tuple(flow[name] for name in names))
    return dict(zip(names, zip(*rows, strict=True), strict=True))


def _export(columns: _Columns) -> FlowExport:
    missing = [name for name in (*(one.name for one in _NUMBERS), *_JUDGED, *_SPECIAL[:3]) if name not in columns]
    if missing:
        raise ValueError(f"it lacks {', '.join(missing[:3])}")
    table: dict[str, NDArray[Any]] = {one.name: np.array(columns[one.name], one.dtype) for one in _NUMBERS}
    for name, words in CODE_WORDS.items():
        table[name] = _codes(columns[name], words)
    numbers = {word: number for number, word in TRANSPORTS.items()}
    table["transport"] = np.array([numbers.get(word) or int(word) for word in columns["transport"]], np.uint8)
    texts = list(dict.fromkeys((*columns["orig_addr"], *columns["resp_addr"])))
    codes = {text: code for code, text in enumerate(texts)}
    for side in ("orig_addr", "resp_addr"):
        table[side] = np.array([codes[text] for text in columns[side]], np.uint32)
    return FlowExport(
        FlowTable.from_columns(table, _addresses(texts)),
        np.array(columns["control"], np.bool_),
        np.array(columns["data"], np.bool_),
        _codes(columns["verdict"], VERDICTS),
        np.array(columns["outcome"], np.object_),
        np.array(columns["term"], np.object_),
    )


def _codes(words: Sequence[Any], known: tuple[str, ...]) -> NDArray[np.uint8]:
    return np.array([known.index(word) for word in words], np.uint8)


def _addresses(texts: list[str]) -> NDArray[np.uint8]:
    packed = [ipaddress.ip_address(text).packed for text in texts]
    whole = b"".join(one if len(one) == 16 else bytes(10) + b"\xff\xff" + one for one in packed)
    return np.frombuffer(whole, np.uint8).reshape(-1, 16)
