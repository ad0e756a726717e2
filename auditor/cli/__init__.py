"""The command line: one file per command, imported when the command is asked for.

``main`` is the entry point; ``commands`` has the list of them. Nothing is imported here: each way in loads what it takes.
"""

from __future__ import annotations


def main(args: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code; ``args`` defaults to those of the process."""
    if args is None:
        # What Python's collector would look for is hardly made by a command that does one thing and ends, and looking for
        # it takes a tenth of the time of a small capture. Whatever is more than a plain audit has it back.
        import gc

        gc.disable()
    from auditor.cli.failures import guarded

    code = guarded(lambda: _run(args))
    if args is None:
        from auditor.cli.leaving import leave

        leave(code)
    raise SystemExit(code)


def _run(args: list[str] | None) -> int:
    """Run the command that ``args`` ask for: a plain ``audit`` straight away, everything else by Click."""
    import sys

    from auditor.cli.straight import plain_audit

    parameters = plain_audit(sys.argv[1:] if args is None else args)
    if parameters is None:
        from auditor.cli.commands import command
        from auditor.cli.failures import run

        if args is None:
            import gc

            gc.enable()
        return run(command, args)
    from auditor.cli.auditing import audit_captures

    if args is None:
        from auditor.cli.lean import load_numpy

        return audit_captures(**parameters, load_numpy=load_numpy)
    return audit_captures(**parameters)
