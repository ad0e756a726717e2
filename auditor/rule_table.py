"""Tables as rules see them: named columns of equal length, each row with the flow that it is about."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from auditor.arrays import NDArray
from auditor.blocks import look_up
from auditor.distinct import narrowest
from auditor.records import record

Array = NDArray[Any]
Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]

NO_FLOW = -1


class Names(Protocol):
    """Words that codes stand for. A tuple of words is one; the addresses of a flow table are another."""

    def __getitem__(self, code: int, /) -> str:
        """Return the word of a code."""

    def __len__(self) -> int:
        """Return the number of codes."""


class AddressNames:
    """The addresses of a flow table as names, made into text only when asked: there may be millions."""

    __slots__ = ("_addresses", "_text")

    def __init__(self, addresses: NDArray[np.uint8], text: Callable[[int], str]) -> None:
        self._addresses = addresses
        self._text = text

    def __getitem__(self, code: int) -> str:
        """Return the address of a code."""
        return self._text(code)

    def __len__(self) -> int:
        """Return the number of addresses."""
        return len(self._addresses)

    def codes(self, texts: Sequence[str]) -> Rows:
        """Return the codes of addresses given as text. Raises ValueError where one is no address."""
        found = [np.zeros(0, np.intp)]
        for text in texts:
            address = ipaddress.ip_address(text)
            packed = address.packed if address.version == 6 else bytes(10) + b"\xff\xff" + address.packed
            found.append(np.flatnonzero((self._addresses == np.frombuffer(packed, np.uint8)).all(axis=1)))
        return np.concatenate(found)


@record
class ColumnData:
    """One column: numbers or flags, or codes into ``names`` where that is given."""

    values: Array
    names: Names | AddressNames | None = None

    def at(self, rows: Rows) -> ColumnData:
        """Return the column of some rows only, which are in their order, each once: of all of them it is this very column."""
        return self if len(rows) == len(self.values) else ColumnData(self.values[rows], self.names)

    def text(self, row: int) -> str:
        """Return the value of a row as messages and subjects show it."""
        return self.value_text(self.values[row])

    def value_text(self, value: Any) -> str:
        """Return a value of this column as text."""
        if self.names is not None:
            return self.names[int(value)]
        if self.values.dtype == np.bool_:
            return "yes" if value else "no"
        return str(int(value))

    def codes(self, words: Sequence[str]) -> Rows:
        """Return the codes that stand for words; a word that does not occur has none."""
        if isinstance(self.names, AddressNames):
            return self.names.codes(words)
        if self.names is None:
            return np.array([word == "true" for word in words], np.intp)
        wanted = frozenset(words)
        return np.array([code for code in range(len(self.names)) if self.names[code] in wanted], np.intp)


class Columns(Mapping[str, ColumnData]):
    """Columns of a table by name, each made when it is first asked for.

    Rules ask of most tables a few at a time and stop where no row is left: of a million flows that nobody blocked it need
    not be known whether they were answered elsewhere.
    """

    __slots__ = ("_made", "_makers")

    def __init__(self, makers: Mapping[str, Callable[[], ColumnData]]) -> None:
        self._makers = makers
        self._made: dict[str, ColumnData] = {}

    def __getitem__(self, name: str) -> ColumnData:
        """Return a column; raises KeyError for a name that the table lacks."""
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        """Whether the table has a column, without making it."""
        return name in self._makers

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self._makers)

    def __len__(self) -> int:
        """Return the number of columns."""
        return len(self._makers)


def words_column(words: Sequence[str]) -> ColumnData:
    """Return a column of words given row by row; for small tables."""
    names = tuple(dict.fromkeys(words)) or ("",)
    place = {name: code for code, name in enumerate(names)}
    return ColumnData(np.array([place[word] for word in words], np.int64), names)


def named_column(codes: Array, words: Sequence[str]) -> ColumnData:
    """Return a column of codes into words of which some may be the same: equal words get one code, as groups need."""
    names = tuple(dict.fromkeys(words))
    if len(names) == len(words):
        return ColumnData(codes, names)
    place = {name: code for code, name in enumerate(names)}
    return ColumnData(look_up(np.array([place[word] for word in words], narrowest(len(names))), codes), names)


@record
class Witness:
    """A flow that proves something, with its telling packets."""

    flow: int
    packets: tuple[int, ...]
    note: str = ""


@record
class RuleTable:
    """A table for rules. ``flows`` holds each row's flow (row of the flow table), NO_FLOW where it has none.

    ``witnesses`` returns what proves a row, best first; it is asked only for rows of findings.
    """

    name: str
    columns: Mapping[str, ColumnData]
    flows: Array
    witnesses: Callable[[int], tuple[Witness, ...]]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.flows)

    def __getitem__(self, column: str) -> ColumnData:
        """Return a column; raises KeyError for a name that the table lacks."""
        return self.columns[column]

    def flows_of(self, rows: Rows) -> Array:
        """Return the flow of each of some rows, which are in their order, each once."""
        return self.flows if len(rows) == len(self) else self.flows[rows]


def no_witnesses(_row: int) -> tuple[Witness, ...]:
    """Return nothing: rows about captures and policies have no flow."""
    return ()
