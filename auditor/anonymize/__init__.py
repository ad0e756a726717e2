"""A report with addresses and names replaced, consistently and by a key, so that it can be given to others."""

from auditor.anonymize.key import Key, read_key
from auditor.anonymize.report import anonymize

__all__ = ["Key", "anonymize", "read_key"]
