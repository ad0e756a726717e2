"""The option ``--decoder``: who finds the IP packets in the frames of captures."""

from __future__ import annotations

import click

from auditor.cli.failures import tell
from auditor.model import Report

decoder_option = click.option(
    "--decoder",
    type=click.Choice(("own", "tshark")),
    default="own",
    show_default=True,
    help="Who finds the IP packet in a frame; with tshark, Wireshark does, for link types that auditor lacks.",
)


def tell_undecoded(report: Report) -> None:
    """Say what may help where there are link types that are not decoded here."""
    undecoded = report.quality.total.undecoded
    if undecoded:
        tell("warning", f"link types that are not decoded were not judged: {', '.join(sorted(undecoded))}")
        tell("help", "Wireshark may know them: --decoder tshark")
