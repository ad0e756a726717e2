"""``auditor schema``: the JSON Schemas of the documents that auditor reads and writes."""

from __future__ import annotations

from pathlib import Path

import click

SCHEMAS = {
    "comparison": "comparison-1.schema.json",
    "firewall": "firewall-1.schema.json",
    "manifest": "manifest-1.schema.json",
    "policy": "policy.schema.json",
    "report": "report-1.schema.json",
    "rule": "rule.schema.json",
    "sessions": "sessions-1.schema.json",
    "waivers": "waivers.schema.json",
    "watch": "watch-1.schema.json",
}
"""Name of a document -> file in ``auditor/schemas``."""

_FOLDER = Path(__file__).resolve().parent.parent / "schemas"


@click.command()
@click.argument("document", type=click.Choice(tuple(SCHEMAS)))
def schema(document: str) -> None:
    """Print the JSON Schema of a document."""
    click.echo(schema_text(document), nl=False)


def schema_text(document: str) -> str:
    """Return the JSON Schema of a document of ``SCHEMAS``."""
    return (_FOLDER / SCHEMAS[document]).read_text(encoding="utf-8")
