"""The service catalogue: which ports the vendor names, who listens there and who connects. Data from ``rules/services``.

A file of ``rules/services`` holds the services of one product generation, or of any (``generation: any``); one entry
is one row of a vendor's table, with its source and its doubts. docs/services.md describes the format. Imports no NumPy.
"""

from auditor.services.catalogue import generations, load_catalogue, rules_at
from auditor.services.model import (
    ANY_GENERATION,
    DEFAULT_GENERATION,
    FAMILIES,
    GRADES,
    INFRASTRUCTURE_ROLES,
    NDMP_CONTROL,
    NDMP_DATA,
    PORT_SOURCES,
    ROLES,
    UNDECLARED,
    Catalogue,
    Service,
    Variant,
)

__all__ = [
    "ANY_GENERATION",
    "DEFAULT_GENERATION",
    "FAMILIES",
    "GRADES",
    "INFRASTRUCTURE_ROLES",
    "NDMP_CONTROL",
    "NDMP_DATA",
    "PORT_SOURCES",
    "ROLES",
    "UNDECLARED",
    "Catalogue",
    "Service",
    "Variant",
    "generations",
    "load_catalogue",
    "rules_at",
]
