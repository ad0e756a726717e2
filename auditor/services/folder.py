"""The folder of rules and services as a path, for whoever walks about in it."""

from __future__ import annotations

from pathlib import Path

from auditor.services.catalogue import rules_at


def rules_folder() -> Path:
    """Return the folder of rules and services: the checkout's where there is one, else the installed copy."""
    return Path(rules_at())
