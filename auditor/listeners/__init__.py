"""Listings of listening sockets that a host printed: which program holds which port. Facts only; tables judge them.

Read are ``ss -tulpn``, ``netstat -tulpn`` and ``lsof -i -P`` of Unix, ``netstat -abno`` of Windows, and
``Get-NetTCPConnection`` or ``Get-NetUDPEndpoint`` as CSV; which it is, the content tells.
"""

from __future__ import annotations

from auditor.listeners.model import ALL_ADDRESSES, Listener, Listing, program_key

__all__ = ["ALL_ADDRESSES", "Listener", "Listing", "program_key"]
