"""Exit codes of the command line."""

from __future__ import annotations

CONFORMS = 0
FINDINGS = 1
"""Findings at or above ``--fail-on``."""
USAGE = 2
"""A wrong option, policy or rule file, or an output that cannot be written."""
INCONCLUSIVE = 3
"""An input was unreadable or cut, or there was nothing to judge."""
INTERNAL = 70
"""A defect of auditor, never an answer; EX_SOFTWARE of sysexits."""
INTERRUPTED = 130
"""128 + SIGINT."""
BROKEN_PIPE = 141
"""128 + SIGPIPE: whoever read our output has gone, as with ``auditor audit … | head``."""
