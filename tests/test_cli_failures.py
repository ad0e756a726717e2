"""How the command line fails, whatever happens below it."""

from __future__ import annotations

import click
import pytest

from auditor.cli.failures import run
from auditor.errors import AuditorError, CaptureError, DocumentProblem, MissingExtra, PolicyError, UsageError


def command_that_raises(error: BaseException) -> click.Command:
    @click.command()
    def command() -> None:
        raise error

    return command


PROBLEM = DocumentProblem("site.yaml", 14, 7, 'unknown key "portz"', "did you mean ports?", "  portz: 1\x1b[2J")


@pytest.mark.parametrize(
    ("error", "code", "lines"),
    [
        (UsageError("wrong", fix="do this"), 2, ["error: wrong", "help: do this"]),
        (AuditorError("wrong"), 2, ["error: wrong"]),
        (CaptureError("cannot be read"), 3, ["error: cannot be read"]),
        (
            MissingExtra("pandas", "pandas"),
            2,
            ["error: pandas is not installed", 'help: install it with: pip install "auditor[pandas]"'],
        ),
        (
            PolicyError([PROBLEM]),
            2,
            [
                'error: site.yaml:14:7: unknown key "portz"',
                "    14 |   portz: 1\\x1b[2J",
                "help: did you mean ports?",
            ],
        ),
        (UsageError("a\nerror: b\x1b[31m"), 2, ["error: a\\x0aerror: b\\x1b[31m"]),
        (
            UsageError("two are meant:", listed=["  one", "  t\nwo"]),
            2,
            ["error: two are meant:", "  one", "  t\\x0awo"],
        ),
    ],
)
def test_errors_of_ours(error: AuditorError, code: int, lines: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command_that_raises(error), []) == code
    assert capsys.readouterr().err.splitlines() == lines


def test_a_defect_is_told_without_a_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AUDITOR_DEBUG", raising=False)
    assert run(command_that_raises(ZeroDivisionError("oh\x1b[2J")), []) == 70
    error = capsys.readouterr().err
    assert error.startswith("error: internal error, please report it: ZeroDivisionError: oh\\x1b[2J")
    assert "Traceback" not in error


def test_a_defect_with_its_traceback_on_demand(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDITOR_DEBUG", "1")
    assert run(command_that_raises(ZeroDivisionError("oh")), []) == 70
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command_that_raises(KeyboardInterrupt()), []) == 130
    assert "error: interrupted" in capsys.readouterr().err


def test_the_exit_code_of_a_command() -> None:
    @click.command()
    def three() -> int:
        return 3

    assert run(three, []) == 3
    assert run(three, ["--help"]) == 0
