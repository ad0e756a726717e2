"""The sections of the PDF that begin with a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditor.model import Report
from auditor.report.html.capacity import peaks
from auditor.report.html.findings import FindingGroup, links_of
from auditor.report.html.port_band import port_band
from auditor.report.html.talk import talk
from auditor.report.html.timeline import timeline
from auditor.report.pdf import blocks
from auditor.report.pdf.blocks import MOST_ROWS, Block, left_out, line
from auditor.report.pdf.pictures import band_svg, timeline_svg
from auditor.report.pdf.pictures_talk import peaks_svg, talk_svg
from auditor.text import counted, number


def band_blocks(report: Report, groups: Sequence[FindingGroup]) -> Iterator[Block]:
    """Yield the data ports of each host against its range."""
    band = port_band(report, links_of(groups))
    if not band.rows:
        yield blocks.text("No data connection was seen at a host of the policy.")
        return
    yield blocks.text(
        "Ports outside the declared range were used. Each has a line of its own beyond the broken axis."
        if band.any_outside
        else "No data connection came about; what was tried is shown."
        if not band.any_carried
        else f"All data connections{' that are tied' if report.undecided else ''} stayed inside the declared range."
        if band.any_declared
        else "No range is declared, so that no port is inside or outside."
    )
    if report.undecided:
        yield blocks.text(
            f"Not drawn: {counted(len(report.undecided), 'data connection')} tied to no control connection."
        )
    yield blocks.legend(
        "Pale band: declared range. Blue: inside; orange with a diamond: outside, with its port. Solid: proved, dashed: "
        "probable, dotted: possible. A cross is an attempt that failed. Below: ports in use; pale ones may still be held."
    )
    for panel in band.panels:
        outside = f", outside: {', '.join(map(str, panel.outside[:12]))}" if panel.outside else ""
        declared = f" declares {panel.declared}" if panel.declared else ""
        drawn = f"; {number(panel.left_out)} more are not drawn" if panel.left_out else ""
        carried = counted(panel.connections, "data connection")
        caption = f"{panel.host}{declared}: {carried}, at most {panel.peak} at once{outside}{drawn}"
        yield blocks.picture(band_svg(panel), f"Data ports of {panel.host} over time. {panel.description}", caption)
    if len(band.rows) > 1:
        columns = (("Host", 3, "left"), ("Declared range", 3, "left"), ("Connections", 0, "right"), ("At once", 0, "right"), ("Outside", 4, "left"))  # fmt: skip
        rows = (
            ([line(host, "mono")], declared or "none", number(connections), number(peak),
             [line(", ".join(map(str, outside[:12])) or "none", "bad" if outside else "")])
            for host, declared, _, connections, outside, peak in band.rows[:MOST_ROWS]
        )  # fmt: skip
        yield blocks.table("Data ports by host", columns, rows)
        yield from left_out(len(band.rows), "hosts")


def timeline_blocks(report: Report) -> Iterator[Block]:
    """Yield the timeline."""
    shown = timeline(report)
    if shown is not None:
        yield blocks.legend(
            "Thin: control connection. Thick: data; blue inside the range, orange outside. An arrow to the left: towards the "
            "host that opened the control connection (backup), to the right: away from it (restore). At the end a dot: closed; "
            "a ring: still open, or unclear; a cross: reset, refused or not answered. Grey: not captured."
        )
        yield blocks.picture(timeline_svg(shown), shown.description, f"{shown.description} Times in UTC.")
        if shown.left_out > 0:
            yield blocks.quiet(f"{number(shown.left_out)} later control connections are in the table of sessions only.")


def talk_blocks(report: Report) -> Iterator[Block]:
    """Yield the services between zones."""
    shown = talk(report)
    if shown is None:
        return
    left = f" {number(shown.left_out)} more are in the table of services only." if shown.left_out > 0 else ""
    caption = (
        f"{shown.description}{left} Solid: the policy permits it; dashed: it says nothing of it; dotted: it denies it."
    )
    yield blocks.picture(talk_svg(shown), f"Services between zones. {shown.description}", caption)


def capacity_blocks(report: Report) -> Iterator[Block]:
    """Yield how many data ports of each host were in use at once."""
    used = [host for host in report.capacity if host.peak_held]
    if not used:
        return
    shown = peaks(report)
    if shown is not None:
        caption = (
            f"{shown.description} Left: open (dark) and held (pale) ports of the fullest moment as a share of the host's own "
            "range, which ends at the thick line. Right: the same over time, with the size of the range dashed."
        )
        yield blocks.picture(peaks_svg(shown), shown.description, caption)
    columns = (("Host", 3, "left"), ("Range", 3, "left"), ("At once", 0, "right"), ("Open", 0, "right"), ("Held", 0, "right"), ("Enough", 0, "right"), ("Because", 6, "left"))  # fmt: skip
    rows = (
        ([line(one.host, "mono"), line(one.zone, "quiet")],
         one.declared or (f"none; {one.advised} advised" if one.advised else "none"),
         number(one.peak_operations), number(one.peak_open), number(one.peak_held), number(one.enough), one.arithmetic)
        for one in used[:MOST_ROWS]
    )  # fmt: skip
    seconds = used[0].time_wait_seconds
    caption = f"Data ports of each host at once. A closed connection keeps its port for {seconds} s more at the end that closed first."
    yield blocks.table(caption, columns, rows)
    yield from left_out(len(used), "hosts")
