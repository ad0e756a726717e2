"""``auditor crosscheck``: our flows beside Wireshark's conversations, and a cause for each difference."""

from __future__ import annotations

import json
from typing import Any

import click

from auditor.cli import output as output_
from auditor.cli.failures import tell
from auditor.errors import UsageError
from auditor.exit_codes import CONFORMS, FINDINGS, INCONCLUSIVE
from auditor.text import path_text

_SHOWN = 10


@click.command()
@click.argument("captures", nargs=-1, required=True, metavar="CAPTURE...")
@click.option(
    "--format", "-f", "format_name", type=click.Choice(("text", "json")), default="text", show_default=True,
    help="Format of the output.",
)  # fmt: skip
@click.option(
    "--through",
    type=click.Choice(("pyshark", "tshark")),
    help="How tshark is read: through pyshark, which is so where that is installed, or by its own lines, which is faster.",
)
@click.option("--verbose", "-v", "verbosity", count=True, help="Show every difference.")
@click.option("--plain", is_flag=True, help="No colours and no typographic signs.")
@click.option("--output", "-o", metavar="FILE", help="Write to a file instead of standard output.")
def crosscheck(captures: tuple[str, ...], output: str | None, verbosity: int, plain: bool, **options: Any) -> int:
    """Compare the flows of captures with those that Wireshark sees.

    Each TCP and UDP flow beside tshark's conversation: addresses, ports, packets and bytes each way, first and last time.
    A difference is shown with its cause. Exit code 0 when every difference has a cause, 1 when one has none, 3 when
    either could not read a capture to its end. Needs tshark (Wireshark), and uses pyshark where that is installed.

    \b
    Examples:
      auditor crosscheck site.pcapng
      auditor crosscheck monday-*.pcap --format json
    """  # noqa: D301 - Click wants a real backspace
    output_.check_output(output, list(captures))
    from auditor.crosscheck import crosscheck as compare
    from auditor.inputs import STDIN, expand
    from auditor.wireshark import find_tshark

    find_tshark()
    if STDIN in captures:
        raise UsageError("standard input can be read only once, and two programs are to read it", fix="name a file")
    results = [compare(path, options["through"] or "") for path in expand(captures)]
    for result in results:
        if result.status != "read":
            tell("warning", f"{path_text(result.path)}: {result.error}")
        if result.complaint:
            tell("warning", f"{path_text(result.path)}: tshark could not read it to its end: {result.complaint}")
    text = options["format_name"] == "text"
    looks = output_.terminal_options(plain=plain, verbosity=verbosity, to_file=output is not None)
    output_.write(_text(results, looks) if text else _json(results), output, text=text)
    if any(result.unexplained for result in results):
        return FINDINGS
    return CONFORMS if all(result.whole for result in results) else INCONCLUSIVE


def _text(results: list[Any], looks: Any) -> bytes:
    """Return the page; ``results`` are ``auditor.crosscheck.Crosscheck``, whose module loads NumPy."""
    from auditor.report.layout import Column, Page, Span

    page = Page(looks)
    for result in results:
        page.heading(path_text(result.path), result.version)
        page.line(Span(_sentence(result)))
        if result.duplicates:
            page.line(Span(f"{result.duplicates:,} packets were captured twice: an audit counts them once."))
        shown = result.differences if looks.verbosity else result.differences[:_SHOWN]
        if shown:
            page.blank()
            columns = [Column("Packet", right=True), Column("Conversation", flex=True), Column("Ours", right=True)]
            columns += [Column("tshark", right=True), Column("Cause")]
            page.table(columns, [_row(difference) for difference in shown])
        if len(shown) < len(result.differences):
            page.line(Span(f"… and {len(result.differences) - len(shown):,} more, see -v", "dim"))
        for cause, meaning in _meanings(result):
            page.line(Span(f"{cause}: ", "strong"), Span(meaning))
    return page.text().encode()


def _sentence(result: Any) -> str:
    sentence = (
        f"{result.flows:,} flows here, {result.conversations:,} conversations there; {result.agreed:,} flows agree in "
        "all counters and times."
    )
    if not result.differences:
        return sentence
    explained = len(result.differences) - result.unexplained
    return f"{sentence} Port pairs that differ: {explained:,} with a cause, {result.unexplained:,} without."


def _row(difference: Any) -> tuple[str, ...]:
    transport, one, other = difference.pair
    known = difference.ours or difference.theirs
    return (
        f"{known.packet:,}",
        f"{transport} {_end(one)} – {_end(other)}",
        _side(difference.ours, difference.our_flows),
        _side(difference.theirs, difference.their_flows),
        difference.cause,
    )


def _end(end: tuple[str, int]) -> str:
    return f"[{end[0]}]:{end[1]}" if ":" in end[0] else f"{end[0]}:{end[1]}"


def _side(conversation: Any, flows: int) -> str:
    if conversation is None:
        return "none"
    packets, size = (getattr(conversation, f"{n}_a") + getattr(conversation, f"{n}_b") for n in ("packets", "bytes"))
    return f"{flows:,} × {packets:,} p {size:,} B" if flows > 1 else f"{packets:,} p {size:,} B"


def _meanings(result: Any) -> list[tuple[str, str]]:
    from auditor.crosscheck import CAUSES

    met = {difference.cause for difference in result.differences}
    return [(cause, meaning) for cause, meaning in CAUSES.items() if cause in met]


def _json(results: list[Any]) -> bytes:
    documents = [
        {
            "path": path_text(result.path),
            "status": result.status,
            "error": result.error or None,
            "tshark": result.version,
            "tshark_complaint": result.complaint or None,
            "flows": result.flows,
            "conversations": result.conversations,
            "agreed": result.agreed,
            "duplicates": result.duplicates,
            "unexplained": result.unexplained,
            "differences": [_json_difference(difference) for difference in result.differences],
        }
        for result in results
    ]
    return (json.dumps({"crosscheck": documents}, indent=2, ensure_ascii=False) + "\n").encode()


def _json_difference(difference: Any) -> dict[str, Any]:
    transport, one, other = difference.pair
    sides = {}
    for name, side, flows in (
        ("ours", difference.ours, difference.our_flows),
        ("tshark", difference.theirs, difference.their_flows),
    ):
        counted = ("first", "last", "packets_a", "bytes_a", "packets_b", "bytes_b", "packet")
        sides[name] = None if side is None else {"flows": flows} | {key: getattr(side, key) for key in counted}
    return {"transport": transport, "a": _end(one), "b": _end(other), "cause": difference.cause, **sides}
