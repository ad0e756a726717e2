"""The straight line from captures to a report: read, tie sessions together, judge, apply the rules, sum up.

Imports no NumPy before the reading is under way: ``reading`` begins it, ``auditing`` makes a report of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from auditor.model import Report
from auditor.pipeline.declared import declared
from auditor.pipeline.options import AuditOptions, Progress
from auditor.pipeline.reading import UnderWay, captures_of

__all__ = ["AuditOptions", "Progress", "audit"]


def audit(
    paths: Iterable[str | os.PathLike[str]],
    *,
    policy_path: str | os.PathLike[str] | None = None,
    options: AuditOptions | None = None,
    progress: Progress | None = None,
    load_numpy: Callable[[], None] | None = None,
) -> Report:
    """Audit captures against a policy, or against the vendor's advice where none is given.

    A folder means the captures in it, a pattern those that match. A capture that cannot be read, or not to its end, is
    told in the report and never stops the others. An exception raised by ``progress`` stops the reading. ``load_numpy`` is
    called when NumPy is about to be imported.

    Raises
    ------
    UsageError
        There is no capture, or none matches a pattern, or the baseline is no saved report.
    PolicyError
        The policy, or a services file that it names, cannot be used; with all complaints at once.
    WaiverError
        A file of waivers cannot be used; with all complaints at once.
    ListingError
        A listing of sockets cannot be used.
    RuleError
        A rule or service file cannot be used.
    """
    options = options or AuditOptions()
    known = declared(policy_path)
    with UnderWay(captures_of(paths), known.catalogue, known.policy, options, progress) as under_way:
        # Loading the rules, and importing NumPy and the engine, takes as long as reading a hundred megabytes: both at once.
        from auditor.pipeline.yardstick import completed

        yardstick = completed(known, options)
        if load_numpy is not None:
            load_numpy()
        from auditor.pipeline.auditing import audit_reading

        reading = under_way.result()
    return audit_reading(reading, yardstick, options)[0]
