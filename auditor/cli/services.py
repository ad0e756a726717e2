"""``auditor services``: the vendor's tables as auditor knows them."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click


@click.group()
def services() -> None:
    """Show the services of the product, by the vendor's names."""


@services.command("list")
@click.option("--generation", metavar="NAME", help="Product generation; the vendor's chapter when not said.")
def list_services(generation: str | None) -> None:
    """List all services with process, ports, who listens, the source of the claim, its doubt, and since when it is here.

    A is read in the vendor's chapter, B said by the vendor elsewhere or a standard, C by third parties, D inferred, U by
    nobody: such rows are optional, permitted with the doubt and never a violation.
    """
    # Documents are read with PyYAML, which --help need not wait for.
    from auditor.cli.tables import show_table
    from auditor.report.layout import Column
    from auditor.services import DEFAULT_GENERATION, generations, load_catalogue

    known = generations()
    if generation and generation not in known:
        raise click.BadParameter(f"{generation!r} is none of {', '.join(known)}.", param_hint="'--generation'")
    catalogue = load_catalogue(generation or DEFAULT_GENERATION)
    rows: list[Sequence[str] | str] = []
    for service in catalogue.services:
        if service.platform:
            continue
        ports = f"{service.port_text} {'tcp, udp' if service.transport == 'any' else service.transport}"
        claim = f"{service.source} ({service.grade}{', optional' if service.optional else ''})"
        where = (ports, ", ".join(service.listener), claim, " ".join(service.doubt.split()) or "none", service.since)
        if sys.stdout.isatty():
            rows += [f"{service.name}, {service.process}" if service.process else service.name, where]
        else:
            rows.append((service.name, service.process or "–", *where))
    columns = [
        Column("Ports", flex=True, least=10),
        Column("Listens", flex=True, least=14),
        Column("Source and its grade", flex=True, least=24),
        Column("Doubt", flex=True, least=20),
        Column("Since"),
    ]
    show_table(columns if sys.stdout.isatty() else [Column("Service"), Column("Process"), *columns], rows)
