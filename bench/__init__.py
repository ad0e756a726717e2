"""What measures auditor, and holds it beside others: ``make bench``. Nothing here is part of the package."""
