"""Flows as lines of text, column by column: what a word looks like is worked out once for each batch, not for each flow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from auditor.model import FlowField, FlowRows
from auditor.model.flow_rows import Values, Words

_ROWS = 1 << 14
"""Flows in memory as text at a time."""


def flow_lines(
    flows: FlowRows, template: str, word: Callable[[str], str], time: Callable[[int], str], none: str
) -> Iterator[bytes]:
    """Yield flows as UTF-8, many lines at a time: ``template`` with a ``%s`` for each field, in order.

    ``word`` turns text into what the format writes for it, ``time`` nanoseconds since 1970; ``none`` stands for no value.
    """
    for start, stop in flows.bounds(_ROWS):
        columns = [_texts(field, flows.columns[field.name], start, stop, word, time, none) for field in flows.fields]
        text = "".join([template % row for row in zip(*columns, strict=True)])
        yield text.encode("utf-8", "backslashreplace")


def _texts(
    field: FlowField,
    column: Values,
    start: int,
    stop: int,
    word: Callable[[str], str],
    time: Callable[[int], str],
    none: str,
) -> list[str]:
    if isinstance(column, Words):
        codes = column.codes[start:stop].tolist()
        known = {code: word(column.words[code]) for code in set(codes)}
        return [known[code] for code in codes]
    values: list[Any] = column.part(start, stop)
    if field.kind == "flag":
        return ["true" if value else "false" for value in values]
    if field.kind == "time":
        return [time(value) for value in values]
    if field.kind == "number":
        return [none if value is None else str(value) for value in values]
    return [word(value) for value in values]
