"""The sources by name, and which of them serves a target."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from auditor.errors import CaptureError, UsageError
from auditor.sources.interface import Availability, Source, SourceOptions

SOURCES = {
    "ring": "auditor.sources.ring:RingSource",
    "dumpcap": "auditor.sources.dumpcap:DumpcapSource",
    "scapy": "auditor.sources.scapy_:ScapySource",
    "stream": "auditor.sources.stream:StreamSource",
    "folder": "auditor.sources.folder:FolderSource",
}
"""Name -> ``module:class``; the class takes SourceOptions. Its module has ``available(target) -> Availability``."""

FOR_INTERFACES = ("ring", "dumpcap", "scapy")
"""Those that listen on an interface, best first."""


def kind_of(target: str) -> str:
    """Return ``folder``, ``stream`` (a file, a FIFO, ``-``) or ``interface``."""
    if target == "-":
        return "stream"
    path = Path(target)
    if path.is_dir():
        return "folder"
    return "stream" if path.exists() or os.sep in target else "interface"


def available(name: str, target: str) -> Availability:
    """Return whether a source can be used for a target."""
    ask: Callable[[str], Availability] = import_module(SOURCES[name].partition(":")[0]).available
    return ask(target)


def open_source(options: SourceOptions, name: str | None = None) -> Source:
    """Return the source of that name, or the best one that can be used for the target.

    Raises
    ------
    UsageError
        There is no source of that name.
    CaptureError
        None can be used; with what to do.
    """
    if name is not None and name not in SOURCES:
        raise UsageError(f'there is no source "{name}"', fix=f"sources: {', '.join(SOURCES)}")
    kind = kind_of(options.target)
    if name is None:
        name = kind if kind != "interface" else _best(options.target)
    module, _, made = SOURCES[name].partition(":")
    source: Source = getattr(import_module(module), made)(options)
    return source


def _best(target: str) -> str:
    """Return the first source that can listen on an interface."""
    answers = {name: available(name, target) for name in FOR_INTERFACES}
    for name, answer in answers.items():
        if answer.usable:
            return name
    reasons = "; ".join(f"{name}: {answer.reason}" for name, answer in answers.items())
    raise CaptureError(f'nothing can listen on "{target}": {reasons}', fix=answers[FOR_INTERFACES[0]].fix)
