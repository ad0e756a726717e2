"""``auditor why``: one finding of a saved report explained, and its packets carved out of the captures."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import click

from auditor.cli import output as output_
from auditor.cli.failures import tell
from auditor.cli.progress import ReadingProgress
from auditor.cli.saved import load_saved
from auditor.model import Finding, Report
from auditor.text import counted, escape, path_text


@click.command()
@click.argument("saved", metavar="SAVED.json")
@click.argument("finding", metavar="FINDING")
@click.option("--pcap", "pcap", metavar="OUT", help="Write the packets to this pcapng file, with comments.")
@click.option(
    "--capture", "captures", multiple=True, metavar="FILE", help="Where a capture of the report is now, if it moved."
)
@click.option(
    "--session/--no-session",
    default=True,
    show_default=True,
    help="Also the connections of the finding and of its session: written by --pcap, read for --dissect.",
)
@click.option("--dissect", is_flag=True, help="Show what Wireshark says of the packets (needs tshark).")
@click.option(
    "--anonymize",
    metavar="KEY",
    help="Replace addresses and names, and leave out payload; KEY is a file, or env:NAME.",
)
@click.option("--plain", is_flag=True, help="No colours and no typographic signs.")
@click.option("--no-progress", is_flag=True, help="No progress bar.")
def why(saved: str, finding: str, **options: Any) -> int:
    """Explain a finding, and show or carve the packets that prove it.

    SAVED.json is a report that audit wrote as JSON. FINDING is the key of a finding, the code of its rule, CODE+2 for the
    second one of a code, or the beginning of a key. Captures are needed only for --pcap and --dissect.

    \b
    Examples:
      auditor why site.json BX301+1
      auditor why site.json BX301+1 --pcap evidence.pcapng
      auditor why site.json BX301+1 --pcap for-vendor.pcapng --anonymize secret.key
    """  # noqa: D301 - Click wants a real backspace
    from auditor.cli.rule_text import builtin_pack
    from auditor.cli.why_text import why_text
    from auditor.evidence.find import find_finding

    report = load_saved(saved)
    place = find_finding(report, finding)
    shown, key = report, None
    if options["anonymize"]:
        from auditor.anonymize import anonymize, read_key

        key = read_key(options["anonymize"])
        shown = anonymize(report, key)
    looks = output_.terminal_options(plain=options["plain"])
    rule = builtin_pack().find(report.findings[place].code)
    output_.write(why_text(shown, place, rule, looks).encode(), None, text=True)
    packet_key = None if key is None else key.addresses
    if options["pcap"]:
        _carve(report, place, shown.findings[place], packet_key, saved, options)
    if options["dissect"]:
        _dissect(report, place, shown, packet_key, options)
    return 0


def _carve(report: Report, place: int, shown: Finding, key: bytes | None, saved: str, options: dict[str, Any]) -> None:
    # The core loads NumPy: only when there is work.
    from auditor.evidence.carve import Carve, carve, comment_of

    inputs = [saved, *options["captures"], *(one.path for one in report.captures)]
    output_.check_output(options["pcap"], inputs, option="--pcap")
    with ReadingProgress(wanted=not options["no_progress"]) as progress:
        how = Carve(options["captures"], options["session"], key, comment_of(shown), progress)
        carved = carve(report, report.findings[place], options["pcap"], how)
    for note in carved.notes:
        tell("note", note)
    click.echo(
        f"\n{path_text(options['pcap'])}: {counted(carved.packets, 'packet')}, "
        f"{counted(carved.evidence, 'of them proves', 'of them prove')} the finding"
    )


def _dissect(report: Report, place: int, shown: Report, key: bytes | None, options: dict[str, Any]) -> None:
    from auditor.evidence.carve import Carve, carve, comment_of, packets_in_files
    from auditor.evidence.dissect import check_installed, dissect
    from auditor.evidence.flows import read_end, sessions_of

    check_installed()
    finding = report.findings[place]
    # In the order in which they are carved.
    in_files = packets_in_files(report, finding)
    packets = [
        (number, f" of {escape(told.path)}" if len(report.captures) > 1 else "")
        for capture, told in zip(report.captures, shown.captures, strict=True)
        for number in in_files.get(capture.path, ())
    ]
    control = [read_end(session.control.responder) for session in sessions_of(report, finding)]
    ports = sorted({end.port for end in control if end is not None and end.port})
    with tempfile.TemporaryDirectory(prefix="auditor-") as folder:
        carved = Path(folder) / "evidence.pcapng"
        # With what went before them: alone, Wireshark would miss segments that the capture has.
        comment = comment_of(shown.findings[place])
        carve(report, finding, str(carved), Carve(options["captures"], options["session"], key, comment))
        for (number, of), lines in zip(packets, dissect(carved, ports), strict=False):
            click.echo(f"\nPacket {number}{of}, as Wireshark reads it:")
            click.echo("\n".join(f"  {_line(line)}" for line in lines))


def _line(line: str) -> str:
    return escape(line.strip("\r\n").replace("\t", "  "))
