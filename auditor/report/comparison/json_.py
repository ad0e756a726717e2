"""JSON: the comparison as outside tools read it. The schema is ``schemas/comparison-1.schema.json``."""

from __future__ import annotations

from auditor.model.comparison import Comparison
from auditor.report.interface import RenderOptions
from auditor.report.json_ import dump, plain

_HEAD = ("schema", "drift", "summary")


def render(comparison: Comparison, options: RenderOptions) -> bytes:  # noqa: ARG001 - the interface of all formats
    """Return the comparison as UTF-8 JSON, indented by two, with a line feed at the end."""
    document = plain(comparison)
    return dump({name: document[name] for name in (*_HEAD, *(name for name in document if name not in _HEAD))})
