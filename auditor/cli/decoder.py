"""The option ``--decoder``: who finds the IP packets in the frames of captures."""

from __future__ import annotations

import click

from auditor.cli.audit_options import DECODER

decoder_option = click.option(
    *DECODER.written,
    type=click.Choice(DECODER.choices),
    default=DECODER.default,
    show_default=True,
    help=DECODER.help,
)
