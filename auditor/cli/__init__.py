"""The command line: one file per command, imported when the command is asked for.

``main`` is the entry point; ``commands`` has the list of them. Nothing is imported here: each way in loads what it takes.
"""

from __future__ import annotations


def main(args: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code; ``args`` defaults to those of the process."""
    import sys

    from auditor.cli.failures import guarded, run
    from auditor.cli.straight import plain_audit

    plain = plain_audit(sys.argv[1:] if args is None else args)
    if plain is None:
        from auditor.cli.commands import command

        raise SystemExit(run(command, args))
    from auditor.cli.auditing import audit_captures

    raise SystemExit(guarded(lambda: audit_captures(**plain)))
