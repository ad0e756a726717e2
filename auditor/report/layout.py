"""Lines of text in columns: wrapping, tables and colours, measured in cells of a terminal.

Every text given to a ``Page`` is escaped by it; nothing that a capture or a policy says can move the cursor.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from auditor.records import record
from auditor.report.interface import NARROWEST, RenderOptions
from auditor.text import cells, escape, plain_text

STYLES = {
    "heading": "1",
    "strong": "1",
    "dim": "2",
    "critical": "1;31",
    "high": "1;31",
    "medium": "1;33",
    "low": "33",
    "info": "36",
    "violations": "1;31",
    "inconclusive": "1;33",
    "conforms": "1;32",
}
"""Name of a style -> parameters of ANSI SGR. Each is doubled by a word, so that nothing hangs on colour alone."""

_GAP = 2
_NARROWEST_COLUMN = 8


@record
class Column:
    """A column of a table. One with ``flex`` gives way, by wrapping, where the table is too wide, down to ``least``."""

    title: str
    right: bool = False
    flex: bool = False
    least: int = 12
    style: str = ""


@record
class Span:
    """A piece of a line in one style."""

    text: str
    style: str = ""


Cell = str | Sequence[str]
"""A cell of a table: one line, or several. What a text holds itself is never a line break, but shown as ``\\x0a``."""


class Page:
    """Lines under construction."""

    def __init__(self, options: RenderOptions) -> None:
        self.width = max(options.width, NARROWEST)
        self._colour = options.colour
        self._plain = options.plain
        self._lines: list[str] = []

    def text(self) -> str:
        """Return all lines, each with its line feed."""
        return "".join(f"{line}\n" for line in self._lines)

    @property
    def height(self) -> int:
        """The lines so far."""
        return len(self._lines)

    def extend(self, part: Page) -> None:
        """Add the lines of another page."""
        self._lines += part._lines

    def blank(self) -> None:
        """Add an empty line, but never two in a row and none at the top."""
        if self._lines and self._lines[-1]:
            self._lines.append("")

    def heading(self, title: str, aside: str = "") -> None:
        """Begin a section: its title, and on the right what it comes to."""
        self.blank()
        title, aside = self._clean(title), self._clean(aside)
        if not aside:
            self._lines.append(self._styled(title, "heading"))
            return
        space = max(self.width - cells(title) - cells(aside), _GAP)
        self._lines.append(f"{self._styled(title, 'heading')}{' ' * space}{self._styled(aside, 'dim')}")

    def line(self, *spans: Span, indent: int = 0, aside: str = "") -> None:
        """Add one line of spans as it is, and on its right what it comes to, where there is room for that."""
        cleaned = [(self._clean(span.text), span.style) for span in spans]
        text = "".join(self._styled(words, style) for words, style in cleaned)
        aside = self._clean(aside)
        space = self.width - indent - sum(cells(words) for words, _ in cleaned) - cells(aside)
        behind = f"{' ' * max(space, _GAP)}{self._styled(aside, 'dim')}" if aside else ""
        self._lines.append(f"{' ' * indent}{text}{behind}")

    def paragraph(
        self, text: str, *, indent: int = 0, label: str = "", style: str = "", hang: int = 0, label_style: str = "dim"
    ) -> None:
        """Add wrapped text; ``label`` stands before the first line, further lines are ``hang`` deeper."""
        label = self._clean(label)
        deeper = hang or (cells(label) + _GAP if label else 0)
        lead = self._styled(label, label_style) + " " * (deeper - cells(label)) if label else ""
        width = self.width - indent - deeper
        first_width = width if label else width + deeper
        for number, line in enumerate(wrap(self._clean(text), width, first_width)):
            start = lead if number == 0 else " " * deeper
            self._lines.append(f"{' ' * indent}{start}{self._styled(line, style)}")

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[Cell] | str], *, indent: int = 2) -> None:
        """Add a table. A row that is one text heads the rows below it, which stand deeper.

        Columns that are empty in every row are left out.
        """
        inner = indent + 2 if any(isinstance(row, str) for row in rows) else indent
        cleaned = [row if isinstance(row, str) else [self._lines_of(cell) for cell in row] for row in rows]
        bodies = [row for row in cleaned if not isinstance(row, str)]
        used = [n for n in range(len(columns)) if any(any(row[n]) for row in bodies)]
        columns = [columns[n] for n in used]
        widths = self._widths(columns, [[row[n] for n in used] for row in bodies], self.width - inner)
        if any(column.title for column in columns):
            titles = [[self._clean(column.title)] for column in columns]
            self._row(columns, titles, widths, inner, "dim")
        for row in cleaned:
            if isinstance(row, str):
                self.paragraph(row, indent=indent)
            else:
                self._row(columns, [row[n] for n in used], widths, inner, "")

    def _row(
        self, columns: Sequence[Column], row: Sequence[list[str]], widths: Sequence[int], indent: int, style: str
    ) -> None:
        """Add a row, as many lines as its tallest cell."""
        wrapped = [
            [line for part in cell for line in wrap(part, width)] for cell, width in zip(row, widths, strict=True)
        ]
        for number in range(max(map(len, wrapped), default=0)):
            line = ""
            position = 0
            for column, cell, width in zip(columns, wrapped, widths, strict=True):
                text = cell[number] if number < len(cell) else ""
                fill = " " * (width - cells(text))
                shown = self._styled(text, style or column.style) if text else ""
                line += " " * position + (fill + shown if column.right else shown)
                position = _GAP + (0 if column.right else len(fill))
            self._lines.append(f"{' ' * indent}{line}".rstrip())

    @staticmethod
    def _widths(columns: Sequence[Column], rows: Sequence[Sequence[list[str]]], room: int) -> list[int]:
        """Return column widths that fit ``room``, as far as the flexible columns can give way."""
        widths = [
            max([cells(column.title), *(cells(part) for row in rows for part in row[n])])
            for n, column in enumerate(columns)
        ]
        over = sum(widths) + _GAP * (len(widths) - 1) - room
        # Columns give way down to what they want at least, and on a very narrow terminal further still.
        for floors in ([column.least for column in columns], [_NARROWEST_COLUMN] * len(columns)):
            while over > 0:
                flexible = [n for n, column in enumerate(columns) if column.flex and widths[n] > floors[n]]
                if not flexible:
                    break
                widths[max(flexible, key=lambda n: widths[n])] -= 1
                over -= 1
        return widths

    def _lines_of(self, cell: Cell) -> list[str]:
        return [self._clean(part) for part in ((cell,) if isinstance(cell, str) else cell or ("",))]

    def _clean(self, text: str) -> str:
        text = escape(text)
        return plain_text(text) if self._plain else text

    def _styled(self, text: str, style: str) -> str:
        if not self._colour or not style or not text:
            return text
        return f"\x1b[{STYLES[style]}m{text}\x1b[0m"


def wrap(text: str, width: int, first_width: int | None = None) -> list[str]:
    """Return ``text`` in lines of at most ``width`` cells, broken at spaces, and within a word only where it must.

    Spaces at the beginning stay. The first line may be ``first_width`` wide. At least one line is returned.
    """
    words = text.lstrip(" ")
    lines: list[str] = []
    line, room = " " * (len(text) - len(words)), max(first_width or width, 1)
    for word in _fitting(words.split(" "), max(min(width, room), 1)):
        if line.strip(" ") and cells(line) + 1 + cells(word) > room:
            lines.append(line)
            line, room = word, max(width, 1)
        else:
            line = f"{line} {word}" if line.strip(" ") else f"{line}{word}"
    return [*lines, line]


def _fitting(words: Iterable[str], width: int) -> Iterable[str]:
    """Yield words, cut into pieces where one is wider than a line."""
    for word in words:
        rest = word
        while cells(rest) > width:
            end = 1
            while cells(rest[: end + 1]) <= width:
                end += 1
            yield rest[:end]
            rest = rest[end:]
        yield rest
