"""A plain table on standard output, as the commands that list things print it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from auditor.cli.output import terminal_options
from auditor.records import replace
from auditor.report.layout import Cell, Column, Page

_UNBROKEN = 10_000
"""Width for a pipe: one line for each row, so that grep and cut can be used."""


def show_table(columns: Sequence[Column], rows: Sequence[Sequence[Cell] | str]) -> None:
    """Print rows below their titles, wrapped to the terminal; in a pipe every row stays on one line."""
    options = terminal_options()
    if not sys.stdout.isatty():
        options = replace(options, width=_UNBROKEN)
    page = Page(options)
    page.table(columns, rows, indent=0)
    click.echo(page.text(), nl=False)
