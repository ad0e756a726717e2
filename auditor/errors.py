"""Every error that auditor raises on purpose.

    AuditorError                 base: what, where, why, what to do; ``exit_code`` for the command line
    ├── UsageError               2   an option or argument that cannot be used
    ├── DocumentError            2   a YAML document (policy, rule, service file) with ``problems``
    │   ├── PolicyError
    │   ├── ListingError
    │   ├── RuleError
    │   └── WaiverError
    ├── MissingExtra             2   an optional package is not installed; names the pip command
    └── CaptureError             3   a capture that cannot be read at all

``Problem`` is one complaint about a document, with its place, so that all of them can be told at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from auditor.records import record


@record
class DocumentProblem:
    """One complaint about a document.

    ``path`` file name as the user gave it, ``line`` and ``column`` from 1 (``line`` 0: it is about the file as a whole, one
    that cannot be read for example), ``message`` what is wrong and why,
    ``fix`` what to write instead (may be empty), ``excerpt`` the source line (may be empty).
    """

    path: str
    line: int
    column: int
    message: str
    fix: str = ""
    excerpt: str = ""

    @property
    def place(self) -> str:
        """``path:line:column``, or the path alone where no line is to blame."""
        return f"{self.path}:{self.line}:{self.column}" if self.line else self.path

    def __str__(self) -> str:
        """Return ``path:line:column: message``, the fix on a line of its own."""
        text = f"{self.place}: {self.message}"
        return f"{text}\n  help: {self.fix}" if self.fix else text


class AuditorError(Exception):
    """Base of all errors that auditor raises on purpose.

    ``message`` is one line, whatever names stand in it; ``listed`` are lines below it; ``fix`` says what to do.
    """

    exit_code = 2

    def __init__(self, message: str, *, fix: str = "", listed: Sequence[str] = ()) -> None:
        super().__init__("\n".join((message, *listed)))
        self.message = message
        self.fix = fix
        self.listed = tuple(listed)


class UsageError(AuditorError):
    """An option or an argument that cannot be used as given."""


class MissingExtra(AuditorError):
    """An optional package is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed", fix=f'install it with: pip install "auditor[{extra}]"')


class DocumentError(AuditorError):
    """A YAML document that is not what it should be; all complaints at once in ``problems``."""

    def __init__(self, problems: list[DocumentProblem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class PolicyError(DocumentError):
    """A policy, or a services file that it names, that cannot be used."""


class ListingError(DocumentError):
    """A listing of listening sockets that cannot be used."""


class RuleError(DocumentError):
    """A rule or service file that cannot be used."""


class WaiverError(DocumentError):
    """A file of waivers that cannot be used."""


class CaptureError(AuditorError):
    """A capture that cannot be read at all."""

    exit_code = 3
