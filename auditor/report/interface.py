"""What a report format is: a module with ``render(report, options) -> bytes`` and a line in ``registry.FORMATS``.

A format reads nothing but the ``Report``: no flow table, no policy, no file, no clock. The same report and the same
options give the same bytes. Text that a capture or a policy supplied is escaped by the rules of the format
(``auditor.text.escape`` for anything that a terminal shows).
"""

from __future__ import annotations

from typing import Protocol

from auditor.model import Report
from auditor.records import record

NARROWEST, USUAL_WIDTH, WIDEST = 40, 80, 110
"""Columns: a line longer than ``WIDEST`` is hard to read, whatever the terminal could show."""

LOWEST, USUAL_HEIGHT = 24, 40
"""Lines of a screen."""


@record
class RenderOptions:
    """How a report is shown; formats ignore what does not concern them.

    ``width`` in columns, ``height`` in lines; ``colour`` allows ANSI colours; ``plain`` avoids all signs beyond ASCII that are only there
    for looks; ``verbosity`` 0 for a screen, 1 for every row, 2 for every reason and packet as well.
    """

    width: int = USUAL_WIDTH
    height: int = USUAL_HEIGHT
    colour: bool = False
    plain: bool = False
    verbosity: int = 0


class Renderer(Protocol):
    """The module of a format."""

    def render(self, report: Report, options: RenderOptions) -> bytes:
        """Return the report in this format, ready to be written to a file or to standard output.

        A format of flows may have ``pieces(report, options) -> Iterator[bytes]`` as well, which yields the same bytes:
        millions of flows then need not be in memory as text.
        """
        ...
