"""Days as options name them."""

from __future__ import annotations

import datetime as dt
import os
import re

from auditor.errors import UsageError

_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"


def read_day(text: str | None) -> dt.date | None:
    """Return the day that an option names; ``today`` is the present day in UTC, or that of SOURCE_DATE_EPOCH.

    Raises UsageError.
    """
    if text is None:
        return None
    if text == "today":
        return _today()
    try:
        if re.fullmatch(_DAY, text, re.ASCII):
            return dt.date.fromisoformat(text)
    except ValueError:
        # The form is right, the day does not exist.
        pass
    raise UsageError(f'--as-of: "{text}" is no day', fix="write year-month-day, for example 2026-12-31, or today")


def _today() -> dt.date:
    """Return the present day; a build that is to be repeated sets it (https://reproducible-builds.org/specs/source-date-epoch)."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not epoch:
        return dt.datetime.now(dt.UTC).date()
    try:
        return dt.datetime.fromtimestamp(int(epoch), dt.UTC).date()
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            f'SOURCE_DATE_EPOCH is "{epoch}", no number of seconds since 1970', fix="unset it, or set it to one"
        ) from None
