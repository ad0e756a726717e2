"""How the command line fails: one clear message on standard error and the right exit code, never a traceback.

error: what, where and why
help: what to do about it
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import traceback

import click

from auditor import exit_codes
from auditor.errors import AuditorError, DocumentError, DocumentProblem
from auditor.text import escape

_COLOURS = {"error": "red", "warning": "yellow", "help": "cyan"}


def run(command: click.Command, args: list[str] | None) -> int:
    """Run a command and return its exit code, whatever happens."""
    try:
        result = command.main(args=args, prog_name="auditor", standalone_mode=False)
        sys.stdout.flush()
    except (click.Abort, KeyboardInterrupt):
        tell("error", "interrupted")
        return exit_codes.INTERRUPTED
    except click.UsageError as error:
        # Click breaks long lists of choices into lines with tabs.
        tell("error", " ".join(error.format_message().split()))
        tell("help", f"{error.ctx.command_path if error.ctx else 'auditor'} --help")
        return exit_codes.USAGE
    except click.ClickException as error:
        tell("error", error.format_message())
        return exit_codes.USAGE
    except AuditorError as error:
        tell_error(error)
        return error.exit_code
    except (BrokenPipeError, SystemExit):
        # Click turns a broken pipe into exit code 1, and leaves by itself for nothing else; 1 would mean findings.
        _silence_output()
        return exit_codes.BROKEN_PIPE
    except Exception as error:  # noqa: BLE001 - the last line of defence
        return _internal(error)
    return result if isinstance(result, int) else 0


def tell(kind: str, message: str) -> None:
    """Write a message to standard error, line by line, harmless to a terminal."""
    colour = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    first, *others = message.splitlines() or [""]
    label = click.style(f"{kind}:", fg=_COLOURS[kind], bold=True) if colour else f"{kind}:"
    lines = [f"{label} {escape(first)}", *(escape(line) for line in others)]
    try:
        click.echo("\n".join(lines), err=True)
    except OSError:
        # Standard error is closed: there is nobody left to tell.
        return


def tell_error(error: AuditorError) -> None:
    """Write what an error says and what to do about it."""
    if isinstance(error, DocumentError):
        for problem in error.problems:
            _tell_problem(problem)
        return
    tell("error", error.message)
    if error.fix:
        tell("help", error.fix)


def _tell_problem(problem: DocumentProblem) -> None:
    """Write a complaint about a document, with the line it is about."""
    tell("error", f"{problem.place}: {problem.message}")
    if problem.excerpt.strip():
        click.echo(f"{problem.line:>6} | {escape(problem.excerpt, limit=120)}", err=True)
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
        traceback.print_exception(error)
    tell("error", f"internal error, please report it: {type(error).__name__}: {escape(str(error), limit=200)}")
    tell("help", "run again with auditor --debug … for the details that a report needs")
    return exit_codes.INTERNAL
