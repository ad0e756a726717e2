"""``auditor verify``: whether the files of a manifest are still those that a run read and wrote."""

from __future__ import annotations

from pathlib import Path

import click

from auditor.cli import output as output_
from auditor.errors import AuditorError, UsageError


@click.command()
@click.argument("manifest_path", metavar="MANIFEST")
def verify(manifest_path: str) -> int:
    """Check the files of a manifest.

    Takes the SHA-256 of every file that the manifest names, counted from the manifest's own folder, and says for each
    whether it is as it was. Exit code 0 when all are, 1 when one is changed, missing or cannot be proved.

    \b
    Example:
      auditor audit site.pcapng --policy site.yaml --report site.html --manifest site.manifest.json
      auditor verify site.manifest.json
    """  # noqa: D301 - Click wants a real backspace
    from auditor import _native, manifest
    from auditor.digests import folder_sha256
    from auditor.report.layout import Column, Page, Span
    from auditor.services.folder import rules_folder
    from auditor.text import counted

    try:
        loaded = manifest.load_manifest(Path(manifest_path).read_bytes())
    except OSError as error:
        raise UsageError(f"cannot read {manifest_path}: {error.strerror or error}") from None
    except AuditorError as error:
        raise UsageError(f"{manifest_path}: {error.message}", fix=error.fix) from None
    checked = manifest.verify(loaded, Path(manifest_path).parent)
    page = Page(output_.terminal_options())
    rows = [(one.state, one.entry.role, tuple(filter(None, (one.entry.path, one.why)))) for one in checked]
    page.table([Column("State"), Column("Role"), Column("File", flex=True)], rows)
    if loaded.rules and loaded.rules != folder_sha256(rules_folder(), ".yaml"):
        text = f"made by auditor {loaded.version} with other rules than this auditor ({_native.__version__}) has"
        page.paragraph(text, indent=2, label="note")
    wrong = [one for one in checked if one.state != "ok"]
    page.blank()
    proved = bool(checked) and not wrong
    said = f"{counted(len(checked), 'file')} as the manifest says"
    if not proved:
        said = f"{len(wrong)} of {counted(len(checked), 'file')} not as the manifest says"
    page.line(Span("PROVED" if proved else "NOT PROVED", "conforms" if proved else "violations"), Span(f": {said}"))
    output_.write(page.text().encode("utf-8", "backslashreplace"), None, text=True)
    return 0 if proved else 1
