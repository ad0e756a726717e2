"""The work of ``auditor audit``. Imports neither Click nor NumPy before there is something to do."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from auditor.cli import output as output_
from auditor.cli.failures import tell
from auditor.cli.progress import ReadingProgress
from auditor.errors import UsageError
from auditor.model import CaptureSummary, Report, Severity
from auditor.report.registry import pieces, split_target, wants_flows


def audit_captures(
    captures: tuple[str, ...], policy_path: str | None, *, load_numpy: Callable[[], None] | None = None, **options: Any
) -> int:
    """Audit captures, write the report where it is wanted, and return the exit code. Raises AuditorError.

    ``load_numpy`` imports NumPy, for whoever wants it otherwise than it comes.
    """
    baseline, waivers = options["baseline"], options["waivers"]
    if options["fail_on_new"] and baseline is None:
        raise UsageError("--fail-on-new needs a baseline", fix="add --baseline REPORT.json")
    as_of = None
    # Only here, as below: what not every audit is asked for is read by modules that not every audit imports.
    if options["as_of"] is not None:
        from auditor.cli.days import read_day

        as_of = read_day(options["as_of"])
    sockets = tuple(map(_host_and_file, options["sockets"]))
    named = (policy_path, baseline, *waivers, *(path for _, path in sockets))
    inputs = [*captures, *(name for name in named if name)]
    output_.check_output(options["output"], inputs)
    output_.check_format(options["format_name"], options["output"], flows=True)
    output_.check_reports(options["reports"], inputs, options["output"], flows=True)
    if options["manifest"] is not None:
        from auditor.cli.manifests import check_manifest

        check_manifest(options["manifest"], inputs, (options["output"], *options["reports"]))
    formats = [options["format_name"], *(split_target(target)[0] for target in options["reports"])]
    # NumPy's linear algebra, which nothing here calls, starts a thread for each processor, and they spin: 0.07 s of
    # CPU time for nothing. Whoever set the number keeps it.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # The pipeline loads NumPy and the core: only when there is work.
    from auditor.pipeline import AuditOptions
    from auditor.pipeline import audit as run_audit

    with ReadingProgress(wanted=not options["no_progress"]) as progress:
        report = run_audit(
            captures,
            policy_path=policy_path,
            # A report that is kept says which files it is about; names alone do not.
            options=AuditOptions(
                hash_files=options["hash_files"] or bool(options["reports"]) or options["manifest"] is not None,
                flows=wants_flows(formats),
                keep_duplicates=options["keep_duplicates"],
                decoder=options["decoder"],
                vantage=options["vantage"],
                sockets=sockets,
                rules=options["rules"],
                waivers=waivers,
                as_of=as_of,
                baseline=baseline,
            ),
            progress=progress,
            load_numpy=load_numpy,
        )
    _deliver(report, **options)
    if options["decoder"] == "own":
        _tell_undecoded(report)
    output_.write_reports(report, options["reports"], verbosity=options["verbosity"])
    if options["manifest"] is not None:
        _prove(report, captures, policy_path, **options)
    from auditor.verdict import exit_code

    return exit_code(
        report,
        fail_on=Severity[options["fail_on"].upper()],
        exit_zero=options["exit_zero"],
        only_new=options["fail_on_new"],
    )


def _host_and_file(text: str) -> tuple[str, str]:
    """Return the two halves of ``HOST=FILE``. Raises UsageError where one is missing."""
    host, equals, path = text.partition("=")
    if not (host and equals and path):
        raise UsageError(f'--sockets "{text}" is not HOST=FILE', fix="write --sockets 10.0.0.5=agent.txt")
    return host, path


def _deliver(report: Report, *, format_name: str, output: str | None, plain: bool, verbosity: int, **_: Any) -> None:
    """Write the report where it was asked for, and on standard error what its reader there would miss."""
    text = format_name == "text"
    unread = [capture for capture in report.captures if capture.status != "read"]
    nothing = all(capture.status == "unreadable" for capture in report.captures)
    if nothing or not text or output:
        _tell_unread(unread)
    if nothing and text:
        return
    looks = output_.terminal_options(plain=plain, verbosity=verbosity, to_file=output is not None)
    output_.write(pieces(report, format_name, looks), output, text=text)


def _prove(report: Report, captures: tuple[str, ...], policy_path: str | None, **options: Any) -> None:
    """Write the manifest of the run."""
    from auditor.cli.manifests import files_of_policy, write_manifest

    baseline = options["baseline"]
    write_manifest(
        options["manifest"],
        "audit",
        report,
        options={
            "format": options["format_name"],
            "verbose": str(options["verbosity"]),
            "fail-on": options["fail_on"],
            **({"fail-on-new": "yes"} if options["fail_on_new"] else {}),
            **({"decoder": options["decoder"]} if options["decoder"] != "own" else {}),
            **({"exit-zero": "yes"} if options["exit_zero"] else {}),
            **({"as-of": report.as_of} if options["as_of"] else {}),
        },
        inputs=[
            *(("capture", name) for name in captures),
            *files_of_policy(policy_path),
            *(("waivers", name) for name in options["waivers"]),
            *([("baseline", baseline)] if baseline else []),
        ],
        outputs=[("report", options["output"]), *(("report", name) for name in options["reports"])],
    )


def _tell_unread(captures: list[CaptureSummary]) -> None:
    """Say of each capture that was not read to its end what was wrong with it."""
    for capture in captures:
        kind = "error" if capture.status == "unreadable" else "warning"
        tell(kind, f"{capture.path}: {capture.error or 'could not be read to its end'}")
    if any(capture.status == "unreadable" for capture in captures):
        tell("help", "name pcap or pcapng files that you may read, as tcpdump, dumpcap and Wireshark write them")


def _tell_undecoded(report: Report) -> None:
    """Say what may help where there are link types that are not decoded here."""
    undecoded = report.quality.total.undecoded
    if undecoded:
        tell("warning", f"link types that are not decoded were not judged: {', '.join(sorted(undecoded))}")
        tell("help", "Wireshark may know them: --decoder tshark")
