"""What an audit may be told beyond captures and policy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from auditor.records import record

OWN_DECODER, TSHARK_DECODER = "own", "tshark"
"""Who finds the IP packet in a frame."""

Progress = Callable[[int, int], None]
"""Called now and then with bytes read and bytes in all."""


@record
class AuditOptions:
    """What an audit may be told beyond captures and policy.

    ``hash_files``: SHA-256 of each capture. ``flows``: whether the report has its flows; they take the memory of the flow
    table for as long as the report lives. ``keep_duplicates``: a packet counts as often as it was captured. ``vantage``:
    where the captures were taken, a key of ``auditor.model.quality.VANTAGES``; without it, that is inferred.
    ``sockets``: listings of listening sockets, each with the host that printed it: an address, or a name that the policy
    gives it. ``rules``: folders of the site's own rules, and ``waivers`` files of waivers, beside those that the policy
    names. ``as_of``: the day (UTC) on which waivers are judged; that of the last packet when not given, so that the same
    input gives the same report on any day. ``baseline``: an earlier report, saved as JSON. ``lost``: packets known to be
    lost beyond what the captures themselves say; any such loss makes findings about what was not seen inconclusive.
    ``decoder``: who finds the IP packets in the frames, this program or Wireshark's ``tshark``.
    """

    hash_files: bool = False
    flows: bool = True
    keep_duplicates: bool = False
    decoder: str = OWN_DECODER
    vantage: str | None = None
    sockets: tuple[tuple[str, str], ...] = ()
    rules: tuple[str, ...] = ()
    waivers: tuple[str, ...] = ()
    as_of: dt.date | None = None
    baseline: str | None = None
    lost: int = 0
