"""Saved reports as commands read them."""

from __future__ import annotations

from pathlib import Path

from auditor.errors import AuditorError, UsageError
from auditor.model import Report


def load_saved(path: str) -> Report:
    """Return a saved report. Raises UsageError where it cannot be read or is none."""
    from auditor.report.json_ import load

    try:
        return load(Path(path).read_bytes())
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from None
    except AuditorError as error:
        raise UsageError(
            f"{path}: {error.message}", fix=error.fix or "name a report that auditor audit wrote as JSON"
        ) from None
