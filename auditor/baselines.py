"""Earlier reports as a baseline: their files, read again before the first packet is. Imports no NumPy."""

from __future__ import annotations

from auditor.errors import AuditorError, UsageError
from auditor.model import Report
from auditor.packs.model import Pack
from auditor.records import record


@record
class Baseline:
    """An earlier report: the name of its file, the bytes of it, and what they say."""

    path: str
    data: bytes
    report: Report


def read_baseline(path: str, pack: Pack) -> Baseline:
    """Return a saved report, its findings under the codes that their rules have now. Raises UsageError where the file cannot be read or is none."""
    from pathlib import Path

    from auditor.drift.renames import with_present_codes
    from auditor.report.json_ import load as load_report

    try:
        data = Path(path).read_bytes()
        return Baseline(path, data, with_present_codes(load_report(data), pack.renames()))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from None
    except AuditorError as error:
        fix = error.fix or "name a report that auditor audit wrote as JSON"
        raise UsageError(f"{path}: {error.message}", fix=fix) from None
