"""How the command line fails: one clear message on standard error and the right exit code, never a traceback.

error: what, where and why
help: what to do about it
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from auditor import exit_codes
from auditor.errors import AuditorError, DocumentError, DocumentProblem
from auditor.text import escape

_COLOURS = {"error": "31", "warning": "33", "help": "36"}
"""ANSI: red, yellow, cyan."""


def run(command: Any, args: list[str] | None) -> int:
    """Run a command of Click's and return its exit code, whatever happens."""
    return guarded(lambda: command.main(args=args, prog_name="auditor", standalone_mode=False))


def guarded(work: Callable[[], object]) -> int:
    """Do some work and return the exit code that it returns or fails with, whatever happens."""
    try:
        result = work()
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _interrupted()
    except AuditorError as error:
        tell_error(error)
        return error.exit_code
    except (BrokenPipeError, SystemExit) as error:
        # Click leaves by itself when it has completed a word, with 0, and for a broken pipe, with 1, which would mean findings.
        if isinstance(error, SystemExit) and not error.code:
            return 0
        _silence_output()
        return exit_codes.BROKEN_PIPE
    except Exception as error:  # noqa: BLE001 - the last line of defence
        return _failed(error)
    return result if isinstance(result, int) else 0


def _failed(error: Exception) -> int:
    """Tell of a complaint of Click's, or of a defect. Only who loaded Click can have its errors: it takes long to import."""
    if "click" not in sys.modules:
        return _internal(error)
    import click

    if isinstance(error, click.Abort):
        return _interrupted()
    if isinstance(error, click.UsageError):
        # Click breaks long lists of choices into lines with tabs.
        tell("error", " ".join(error.format_message().split()))
        tell("help", f"{error.ctx.command_path if error.ctx else 'auditor'} --help")
        return exit_codes.USAGE
    if isinstance(error, click.ClickException):
        tell("error", error.format_message())
        return exit_codes.USAGE
    return _internal(error)


def _interrupted() -> int:
    tell("error", "interrupted")
    return exit_codes.INTERRUPTED


def tell(kind: str, message: str, listed: Sequence[str] = ()) -> None:
    """Write a message to standard error, and lines below it, each harmless to a terminal.

    A line break in a message is part of a name that somebody chose: it would write lines of its own.
    """
    colour = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    label = f"\x1b[{_COLOURS[kind]}m\x1b[1m{kind}:\x1b[0m" if colour else f"{kind}:"
    _say("\n".join([f"{label} {escape(message)}", *map(escape, listed)]))


def _say(text: str) -> None:
    """Write lines to standard error; where that is closed, there is nobody left to tell."""
    # Click knows consoles and encodings that need special care; whoever has to be told something can wait for it.
    import click

    with contextlib.suppress(OSError):
        click.echo(text, err=True)


def tell_error(error: AuditorError) -> None:
    """Write what an error says and what to do about it."""
    if isinstance(error, DocumentError):
        for problem in error.problems:
            _tell_problem(problem)
        return
    tell("error", error.message, error.listed)
    if error.fix:
        tell("help", error.fix)


def _tell_problem(problem: DocumentProblem) -> None:
    """Write a complaint about a document, with the line it is about."""
    tell("error", f"{problem.place}: {problem.message}")
    if problem.excerpt.strip():
        _say(f"{problem.line:>6} | {escape(problem.excerpt, limit=120)}")
    if problem.fix:
        tell("help", problem.fix)


def _silence_output() -> None:
    """Send what is still buffered nowhere; Python would try to write it at exit, and complain once more."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)


def _internal(error: Exception) -> int:
    """Tell of a defect of auditor: a line for the user, the traceback only for who asks for it."""
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        tell("error", f"a name is longer than any file has: {escape(str(error.filename), limit=80)}")
        return exit_codes.USAGE
    if os.environ.get("AUDITOR_DEBUG") or "--debug" in sys.argv:
        import traceback

        traceback.print_exception(error)
    tell("error", f"internal error, please report it: {type(error).__name__}: {escape(str(error), limit=200)}")
    tell("help", "run again with auditor --debug … for the details that a report needs")
    return exit_codes.INTERNAL
