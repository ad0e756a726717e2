"""The report as text, in the order of the page: the verdict, what it cannot say, the findings, and then the rest.

At verbosity 0 it keeps to one screen: what was judged is told in a few lines, and findings as far as they fit, the worst
at length. 1 shows sessions, services, hosts and every other row, 2 also every reason, byte count and packet number. The
verdict is the last line as well: where the first has left the screen, and for ``tail -1``.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from auditor.model import HostSummary, Report
from auditor.report.capacity_lines import show_capacity
from auditor.report.capture_lines import judged, show_captures, show_policy
from auditor.report.control_lines import show_controls
from auditor.report.finding_lines import findings_page
from auditor.report.interface import RenderOptions
from auditor.report.layout import Column, Page, Span
from auditor.report.packet_places import Places
from auditor.report.quality_lines import show_quality
from auditor.report.seen_lines import name_lines
from auditor.report.session_lines import show_more, show_sessions, show_undecided
from auditor.report.waiver_lines import show_baseline, show_waivers
from auditor.text import byte_count, cells, joined, number

_LIMITS = 4
"""Limits shown at verbosity 0."""


def render(report: Report, options: RenderOptions) -> bytes:
    """Return the report as UTF-8 text."""
    page, rest = Page(options), Page(options)
    _verdict(page, report)
    _limits(page, report.limits, options.verbosity)
    if options.verbosity:
        _sections(rest, report, options.verbosity)
    else:
        show_waivers(rest, report)
        show_baseline(rest, report.baseline, 0)
        rest.blank()
        rest.extend(judged(report, options))
    # Between the parts and before the last line stands an empty one each; the last is longer than a screen is wide.
    last = -(-cells(report.summary) // page.width)
    room = options.height - page.height - rest.height - 3 - last
    for part in (findings_page(report, options, room), rest):
        page.blank()
        page.extend(part)
    _last_line(page, report)
    return page.text().encode("utf-8", "backslashreplace")


def _sections(page: Page, report: Report, verbosity: int) -> None:
    """Show all that stands behind the findings, in the order of the page."""
    show_sessions(page, report.sessions, verbosity)
    show_undecided(page, report.undecided, verbosity)
    show_capacity(page, report.capacity)
    _services(page, report, verbosity)
    _hosts(page, report.hosts, Places(report))
    show_controls(page, report.controls, verbosity)
    show_waivers(page, report)
    show_baseline(page, report.baseline, verbosity)
    show_captures(page, report.captures)
    show_quality(page, report.quality)
    show_policy(page, report.policy)


def _verdict(page: Page, report: Report) -> None:
    """Begin with the verdict and what it covers."""
    word, _, rest = report.summary.partition(": ")
    page.paragraph(rest or word, label=word if rest else "", label_style=report.verdict.value)


def _limits(page: Page, limits: Sequence[str], verbosity: int) -> None:
    """Say what the report cannot say."""
    if not limits:
        return
    page.heading("What this cannot say")
    shown = limits if verbosity else limits[:_LIMITS]
    for limit in shown:
        page.paragraph(limit, indent=2, label="–")
    show_more(page, len(limits) - len(shown), "limit")


def _hosts(page: Page, hosts: Sequence[HostSummary], places: Places) -> None:
    """List the hosts, each with its zone and the reason for each process role."""
    if not hosts:
        return
    page.heading("Hosts", number(len(hosts)))
    rows = [
        (
            [text for text in (host.address, host.name, *name_lines(host)) if text],
            host.zone,
            [places.told(reason) for reason in host.because] or joined(host.process_roles),
        )
        for host in hosts
    ]
    columns = [
        Column("Address", flex=True, least=15),
        Column("Zone", flex=True, least=10),
        Column("Process role, inferred from traffic unless proved", flex=True, least=24),
    ]
    page.table(columns, rows)


def _services(page: Page, report: Report, verbosity: int) -> None:
    """List the services by the vendor's names, with direction, amounts and the policy's verdict."""
    if not report.services:
        return
    page.heading("Services", number(len(report.services)))
    rows: list[Sequence[str] | str] = []
    for (name, process), group in groupby(report.services, key=lambda service: (service.service, service.process)):
        rows.append(f"{name}, {process}" if process else name)
        rows += [
            (
                f"{service.transport} {service.port}",
                service.direction,
                number(service.flows),
                number(service.packets),
                byte_count(service.bytes),
                service.verdict,
            )
            for service in group
        ]
    columns = [
        Column("Port", flex=True, least=9),
        Column("Direction", flex=True, least=15),
        Column("Flows", right=True),
        Column("Packets", right=True),
        Column("Bytes", right=True),
        Column("Policy"),
    ]
    page.table(columns, rows)
    if verbosity > 1:
        for note in dict.fromkeys(service.note for service in report.services if service.note):
            page.paragraph(note, indent=4, label="note")


def _last_line(page: Page, report: Report) -> None:
    """End with the verdict and what it covers, on one line however narrow the terminal."""
    word, separator, rest = report.summary.partition(":")
    page.blank()
    page.line(Span(word, report.verdict.value), Span(f"{separator}{rest}"))
