"""Where a report goes: standard output or a file, and how it may look there."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterable

from auditor.errors import UsageError
from auditor.model import Report
from auditor.report.interface import LOWEST, USUAL_HEIGHT, USUAL_WIDTH, WIDEST, RenderOptions
from auditor.report.registry import FORMATS, check_flows, check_installed, pieces, split_target
from auditor.whole_files import write_whole


def terminal_options(*, plain: bool = False, verbosity: int = 0, to_file: bool = False) -> RenderOptions:
    """Return how text may look: colours and full width on a terminal only, plain signs where the encoding has no others.

    Text for a terminal leaves a line of it to the prompt.
    """
    terminal = not to_file and sys.stdout.isatty()
    unicode = to_file or _speaks_unicode()
    width, height = _screen() if terminal else (USUAL_WIDTH, USUAL_HEIGHT)
    return RenderOptions(
        width=width,
        height=height,
        colour=terminal and not plain and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb",
        plain=plain or not unicode,
        verbosity=verbosity,
    )


def write(data: bytes | Iterable[bytes], path: str | None, *, text: bool) -> None:
    """Write a report to ``path`` or to standard output, in one or piece by piece. Raises UsageError where it cannot."""
    pieces = (data,) if isinstance(data, bytes) else data
    try:
        if path is None:
            for piece in pieces:
                _write_stdout(piece, text=text)
        else:
            _write_file(pieces, path)
    except BrokenPipeError:
        raise
    except OSError as error:
        where = path or "standard output"
        raise UsageError(f"cannot write to {where}: {error.strerror or error}") from None


def check_output(path: str | None, inputs: list[str], *, option: str = "--output") -> None:
    """Refuse, before the work, an output that cannot be written or that is one of the inputs. Raises UsageError."""
    if path is None:
        return
    parent = os.path.dirname(path) or "."
    try:
        folder, above = _is_folder(path), _is_folder(parent)
    except OSError as error:  # a folder above it that may not be looked into
        raise UsageError(f"{option} {path} cannot be reached: {error.strerror}", fix="name another file") from None
    if folder:
        raise UsageError(f"{option} {path} is a directory", fix="name a file in it")
    if not above:
        raise UsageError(f"{option} {path}: there is no directory {parent}", fix="make it first")
    for name in inputs:
        with contextlib.suppress(OSError):
            if os.path.samefile(path, name):
                raise UsageError(f"{option} {path} is an input", fix="name another file")


def _is_folder(path: str) -> bool:
    """Return whether a path is that of a folder. Raises OSError where that cannot be told."""
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def check_format(name: str, path: str | None, *, flows: bool) -> None:
    """Refuse, before the work, a format that cannot be made, or not be shown there. Raises UsageError, MissingExtra."""
    check_installed(name)
    check_flows(name, present=flows)
    if FORMATS[name].binary and path is None and sys.stdout.isatty():
        raise UsageError(
            f"{name} is no text, and standard output is a terminal",
            fix=f"write it to a file: --report FILE{FORMATS[name].suffixes[0]}",
        )


def check_reports(targets: tuple[str, ...], inputs: list[str], output: str | None = None, *, flows: bool) -> None:
    """Refuse, before the work, report files of no known format, and such as cannot be written. Raises UsageError.

    ``flows`` tells whether the report will have its flows.
    """
    taken = [] if output is None else [os.path.realpath(output)]
    for target in targets:
        name, path = split_target(target)
        check_format(name, path, flows=flows)
        check_output(path, inputs, option="--report")
        if os.path.realpath(path) in taken:
            raise UsageError(f"--report {path}: this file is written twice", fix="name another file")
        taken.append(os.path.realpath(path))


def write_reports(report: Report, targets: tuple[str, ...], *, verbosity: int = 0) -> None:
    """Write a report to each of ``targets``, in the format that it or its suffix names. Raises UsageError."""
    looks = terminal_options(verbosity=verbosity, to_file=True)
    # All are made before one is written, so that a format that fails leaves no half of a set behind; but for formats
    # that show nothing but flows, which are written as they are made.
    made = [(path, pieces(report, name, looks)) for name, path in map(split_target, targets)]
    for path, data in made:
        write(data, path, text=False)


def _screen() -> tuple[int, int]:
    """Return how wide and how high text may be on the terminal."""
    import shutil

    columns, lines = shutil.get_terminal_size((USUAL_WIDTH, USUAL_HEIGHT))
    return min(columns, WIDEST), max(lines - 1, LOWEST - 1)


def _speaks_unicode() -> bool:
    """Return whether standard output can show the signs that reports use."""
    try:
        "→·–\u202f…".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _write_stdout(data: bytes, *, text: bool) -> None:
    if text and not _speaks_unicode():
        data = data.decode().encode(sys.stdout.encoding or "ascii", "backslashreplace")
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _write_file(pieces: Iterable[bytes], path: str) -> None:
    """Write a file as a whole or not at all; devices and pipes are written to as they are."""
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "wb") as device:
            device.writelines(pieces)
        return
    target = os.path.realpath(path)
    write_whole(target, pieces, _mode(target))


def _mode(target: str) -> int:
    """Return the permissions of the file that is replaced, or those that a new file would have."""
    try:
        return os.stat(target).st_mode & 0o777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
