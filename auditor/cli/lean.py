"""NumPy without the docstrings of its C functions, for a process that is one audit and nothing else."""

from __future__ import annotations

import sys
from types import ModuleType

_DOCSTRINGS = ("numpy._core._add_newdocs", "numpy._core._add_newdocs_scalars")
"""Modules of NumPy that do nothing but attach docstrings to what is written in C."""


def leave_out_docstrings() -> None:
    """Put empty modules in the place of NumPy's docstrings; to be called before it is imported.

    They are an eighth of its import, 6 of the 150 ms of an audit of a small capture, and nobody reads them there. A NumPy
    that has no such modules is imported as it is.
    """
    if "numpy" not in sys.modules:
        for name in _DOCSTRINGS:
            sys.modules.setdefault(name, ModuleType(name))
