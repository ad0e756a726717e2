"""Packet-capture traffic auditor for Backup Exec networks.

    import auditor
    result = auditor.audit(["site.pcapng"], policy_path="site.yaml")
    print(result.verdict, len(result.findings))
    result.flows.to_pandas()

The names below are imported when first used, so that ``import auditor`` alone loads nothing heavy.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PUBLIC = {
    "Audit": "auditor.notebook",
    "AuditOptions": "auditor.pipeline",
    "AuditorError": "auditor.errors",
    "Finding": "auditor.model",
    "FlowTable": "auditor.flows",
    "Report": "auditor.model",
    "ReportVerdict": "auditor.model",
    "Severity": "auditor.model",
    "audit": "auditor.notebook",
    "load_policy": "auditor.policy.load",
    "load_report": "auditor.report.json_",
    "render": "auditor.notebook",
}

__all__ = ["__version__", *sorted(_PUBLIC)]  # noqa: PLE0604 - the names are strings, from the table above


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name == "__version__":
        return import_module("auditor._native").__version__
    if name not in _PUBLIC:
        raise AttributeError(f"module 'auditor' has no attribute {name!r}")
    module = import_module(_PUBLIC[name])
    value = getattr(module, "load" if name == "load_report" else name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
