"""``auditor services``: the vendor's tables as auditor knows them."""

from __future__ import annotations

import rich_click as click



@click.group()
def services() -> None:
    """Show the services of the product, by the vendor's names."""


@services.command("list")
@click.option("--generation", metavar="NAME", help="Product generation; the vendor's chapter when not said.")
def list_services(generation: str | None) -> None:
    """List all services with process, ports, who listens, and the source of the claim."""
    # Documents are read with PyYAML, which --help need not wait for.
    from auditor.cli.tables import show_table
    from auditor.report.layout import Column
    from auditor.services import DEFAULT_GENERATION, load_catalogue

    catalogue = load_catalogue(generation or DEFAULT_GENERATION)
    rows = [
        (
            service.process or "–",
            f"{service.port_text} {'tcp, udp' if service.transport == 'any' else service.transport}",
            f"{service.name}; listens: {', '.join(service.listener)}",
            f"{service.source} ({service.grade})",
        )
        for service in catalogue.services
        if not service.platform
    ]
    columns = [
        Column("Process", flex=True, least=12),
        Column("Ports", flex=True, least=10),
        Column("Service", flex=True, least=20),
        Column("Source and its grade", flex=True, least=20),
    ]
    show_table(columns, rows)
