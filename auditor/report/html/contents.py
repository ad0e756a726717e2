"""What the page has, and in which order: its contents, and services put together by process."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.model import Report, ServiceSummary


def contents(report: Report, *, timeline: bool, talk: bool) -> tuple[tuple[str, str, bool], ...]:
    """Return the sections of the page in order: anchor, title, and whether the report has anything for it.

    ``timeline`` and ``talk`` say whether these pictures could be drawn.
    """
    return (
        ("band", "Data ports", True),
        ("timeline", "Timeline", timeline),
        ("talk", "Who talks to whom", talk),
        ("capacity", "Capacity", any(host.peak_held for host in report.capacity)),
        ("content", "Findings", True),
        ("sessions", "Sessions", bool(report.sessions)),
        ("undecided", "Not tied", bool(report.undecided)),
        ("services", "Services and terms", True),
        ("hosts", "Hosts", bool(report.hosts)),
        ("controls", "Controls", bool(report.controls)),
        ("waivers", "Waivers", bool(report.waivers)),
        ("baseline", "Baseline", report.baseline is not None),
        ("quality", "Captures and their quality", True),
        ("method", "Method and limits", True),
        ("glossary", "Glossary", True),
    )


def services_by_process(services: Iterable[ServiceSummary]) -> tuple[tuple[str, tuple[ServiceSummary, ...]], ...]:
    """Return services by the process behind them, in the order in which the report names them first; without one last."""
    found: dict[str, list[ServiceSummary]] = {}
    for service in services:
        found.setdefault(service.process, []).append(service)
    ordered = sorted(found.items(), key=lambda one: not one[0])
    return tuple((process, tuple(rows)) for process, rows in ordered)
