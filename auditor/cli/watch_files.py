"""Files of a watch: where its journal lies, and how scheduled reports are called."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path

from auditor.errors import UsageError
from auditor.report.registry import FORMATS, split_target

_DAY = 86_400


def journal_path(given: str | None, source: str, *, interface: bool) -> str:
    """Return where the journal lies: as given, or for an interface in the state folder; ``:memory:`` for all else.

    The state folder is ``$STATE_DIRECTORY`` (systemd), or ``auditor`` in ``$XDG_STATE_HOME`` or ``~/.local/state``. Raises
    UsageError where it cannot be made.
    """
    if given is not None:
        try:
            there = Path(given).parent.is_dir()
        except OSError as error:
            raise UsageError(
                f"--journal {given} cannot be reached: {error.strerror}", fix="name another file"
            ) from None
        if not there:
            raise UsageError(f"--journal {given}: there is no directory {Path(given).parent}", fix="make it first")
        return given
    if not interface:
        return ":memory:"
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    own = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    folder = Path(own) if own else Path(home) / "auditor"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"cannot make {folder} for the journal: {error.strerror or error}", fix="name one: --journal FILE"
        ) from None
    return str(folder / f"watch-{re.sub(r'[^A-Za-z0-9_.@-]', '_', source)}.journal")


def dated(target: str, every: float, now: datetime | None = None) -> str:
    """Return a report's target with the date before its suffix, and the time as well where reports come more than daily.

    ``site.html`` becomes ``site-2026-11-22.html``, ``csv=out.txt`` ``csv=out-2026-11-22.txt``.
    """
    moment = now or datetime.now(UTC)
    stamp = f"{moment:%Y-%m-%d}" if every >= _DAY else f"{moment:%Y-%m-%dT%H%M%SZ}"
    name, path = split_target(target)
    prefix = "" if path == target else f"{name}="
    fitting = [suffix for suffix in FORMATS[name].suffixes if path.lower().endswith(suffix)]
    length = len(max(fitting, key=len, default=Path(path).suffix))
    stem, suffix = (path[:-length], path[-length:]) if length else (path, "")
    return f"{prefix}{stem}-{stamp}{suffix}"
