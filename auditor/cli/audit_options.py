"""The options of ``auditor audit``, as data: Click's are made of them, and what reads a plain command line without Click."""

from __future__ import annotations

from auditor.model import Severity
from auditor.model.quality import VANTAGES
from auditor.records import record
from auditor.report.registry import FORMATS

VALUE, MANY, FLAG, COUNT = "value", "many", "flag", "count"
"""An option with a value, one that may be given several times, one without a value, and one that is counted."""


@record
class Option:
    """An option: its name in the command, how it is written, what it means, and what it may be."""

    name: str
    written: tuple[str, ...]
    help: str
    kind: str = FLAG
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    default: str | None = None


SEVERITIES = tuple(severity.word for severity in Severity)

DECODER = Option(
    "decoder",
    ("--decoder",),
    "Who finds the IP packet in a frame; with tshark, Wireshark does, for link types that auditor lacks.",
    VALUE,
    choices=("own", "tshark"),
    default="own",
)
MANIFEST_HELP = "Write the SHA-256 of everything that was read and written to this file; auditor verify checks it."

AUDIT_OPTIONS = (
    Option(
        "policy_path",
        ("--policy",),
        "The declared policy. Without it, roles are inferred from the traffic.",
        VALUE,
        metavar="FILE",
    ),
    Option(
        "format_name",
        ("--format", "-f"),
        "Format of the report.",
        VALUE,
        choices=tuple(FORMATS),
        default="text",
    ),
    Option(
        "fail_on",
        ("--fail-on",),
        "Leave with exit code 1 from this severity on.",
        VALUE,
        choices=SEVERITIES,
        default="low",
    ),
    Option(
        "rules",
        ("--rules",),
        "Folder of the site's own rules, beside auditor's and those that the policy names. May be given several times.",
        MANY,
        metavar="DIR",
    ),
    Option("exit_zero", ("--exit-zero",), "Leave with exit code 0 in spite of findings; 3 stays 3."),
    Option(
        "sockets",
        ("--sockets",),
        "What a host listens on, as ss, netstat, lsof or PowerShell printed it there. May be given several times.",
        MANY,
        metavar="HOST=FILE",
    ),
    Option("hash_files", ("--hash",), "Put the SHA-256 of each capture into the report."),
    Option(
        "vantage",
        ("--vantage",),
        "Where the captures were taken. Without it, that is inferred from the traffic.",
        VALUE,
        choices=tuple(VANTAGES),
    ),
    Option("keep_duplicates", ("--keep-duplicates",), "Count a packet as often as it was captured."),
    DECODER,
    Option(
        "verbosity",
        ("--verbose", "-v"),
        "Show sessions, services, hosts and every finding; -vv also every reason and packet number.",
        COUNT,
    ),
    Option("plain", ("--plain",), "No colours and no typographic signs, for screen readers and logs."),
    Option("no_progress", ("--no-progress",), "No progress bar."),
    Option(
        "output",
        ("--output", "-o"),
        "Write the report to a file instead of standard output.",
        VALUE,
        metavar="FILE",
    ),
    Option(
        "reports",
        ("--report",),
        "Write the report to a file as well, in the format of its suffix (.html, .json, .xlsx, .sarif, .csv ...) or as"
        " FORMAT=FILE, with the SHA-256 of each capture. May be given several times.",
        MANY,
        metavar="FILE",
    ),
    Option(
        "waivers",
        ("--waivers",),
        "Waivers: accepted deviations. May be given several times.",
        MANY,
        metavar="FILE",
    ),
    Option(
        "as_of",
        ("--as-of",),
        "Judge waivers on this day (2026-12-31, or today) instead of the day of the last packet.",
        VALUE,
        metavar="DAY",
    ),
    Option(
        "baseline",
        ("--baseline",),
        "Mark what is new since an earlier report, and list what is gone.",
        VALUE,
        metavar="REPORT.json",
    ),
    Option("manifest", ("--manifest",), MANIFEST_HELP, VALUE, metavar="FILE"),
    Option("fail_on_new", ("--fail-on-new",), "Leave with exit code 1 only for what the baseline lacks."),
)
"""In the order in which the help shows them."""
