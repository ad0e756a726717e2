"""Flows as formats that show them see them: documented columns of plain values, made batch by batch.

Nothing here knows NumPy, and no object for a flow exists until a format asks for rows. The pipeline fills the columns
(``auditor.flow_export``) and only where a format wants them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from auditor.records import record

BATCH = 1 << 16
"""Flows in a batch, unless told otherwise."""

FLOWS_OPEN, FLOWS_CLOSE = b'  "flows": [', b"  ]"
"""The line before the flows of a JSON report that is saved with them, and the line after them."""


@record
class FlowField:
    """A column: its ``name``, ``kind``, ``unit`` and meaning.

    ``kind``: ``time`` (ns since 1970, UTC), ``number``, ``flag`` (true or false), ``word`` (one of few) or ``text``.
    """

    name: str
    kind: str
    unit: str
    meaning: str


@record
class Numbers:
    """Numbers, times or flags in one array; the value ``absent`` stands for none."""

    values: Any
    absent: int | None = None

    def part(self, start: int, stop: int) -> list[Any]:
        """Return the values as int or bool."""
        plain: list[Any] = self.values[start:stop].tolist()
        return plain if self.absent is None else [None if value == self.absent else value for value in plain]


@record
class Words:
    """Codes in one array, and the words that they stand for: a tuple, or whatever else has ``words[code]``."""

    codes: Any
    words: Any

    def part(self, start: int, stop: int) -> list[str]:
        """Return the words."""
        codes = self.codes[start:stop].tolist()
        known = {code: self.words[code] for code in set(codes)}
        return [known[code] for code in codes]


@record
class Texts:
    """Text that is made when it is asked for."""

    make: Callable[[int, int], list[str]]

    def part(self, start: int, stop: int) -> list[str]:
        """Return the texts."""
        return self.make(start, stop)


Values = Numbers | Words | Texts
"""The values of a column: ``part(start, stop)`` are those of the flows ``start`` to ``stop - 1``, as text, int, bool, and
None where there is none."""


@record
class FlowRows:
    """The flows of an audit, in order of their first packets: ``columns[field.name]`` for each of ``fields``."""

    length: int
    fields: tuple[FlowField, ...]
    columns: Mapping[str, Values]

    def __len__(self) -> int:
        """Return the number of flows."""
        return self.length

    def bounds(self, size: int = BATCH) -> Iterator[tuple[int, int]]:
        """Yield the first row and the row after the last of each batch of ``size`` flows."""
        for start in range(0, self.length, size):
            yield start, min(start + size, self.length)

    def rows(self, names: Sequence[str] | None = None) -> Iterator[tuple[Any, ...]]:
        """Yield each flow as a tuple of plain values, of all fields or of those named."""
        wanted = [self.columns[name] for name in names or [field.name for field in self.fields]]
        for start, stop in self.bounds():
            yield from zip(*(column.part(start, stop) for column in wanted), strict=True)
