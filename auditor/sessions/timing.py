"""What the times of single control segments say of a connection that opens or ends beside them.

Who is inside TLS still takes turns: a client asks, the server answers. The answer to a LISTEN is followed by the
connection at once; a server that is told to connect does so before it answers; a HALTED notice comes unasked.
"""

from __future__ import annotations

import numpy as np

from auditor.arrays import NDArray
from auditor.records import record

Times = NDArray[np.int64]
Senders = NDArray[np.bool_]

_MILLISECOND = 1_000_000
AT_ONCE = 250 * _MILLISECOND
"""From the reply that names a listener to the connection to it."""
PENDING = 30_000 * _MILLISECOND
"""How long a request to connect may be unanswered."""
NOTICE_EARLY, NOTICE_LATE = 20 * _MILLISECOND, 1_000 * _MILLISECOND
"""When a HALTED notice comes, before and after the last packet of the data connection."""


@record
class Turn:
    """How a connection's opening fits the turns of a control connection. ``gap``: ns to the segment that explains it.

    ``kind`` is ``answered`` (just after the server's reply), ``pending`` (opened by the server before it replied) or
    empty.
    """

    kind: str
    gap: int


NO_TURN = Turn("", PENDING)


class Beats:
    """The segments with payload of one control connection: times (ns, sorted) and senders (true: the server).

    ``notices``: times (ns, sorted) of HALTED notices where they could be read; otherwise any segment of the server that
    follows its own may be one. ``beside``: segments that hold messages which open no connection, where that was read;
    ``legible`` says whether it was.
    """

    def __init__(
        self, times: Times, by_server: Senders, notices: Times | None = None, beside: Senders | None = None
    ) -> None:
        self._times = times
        self._by_server = by_server
        self._beside = beside
        self.legible = beside is not None
        # A server's segment after its own: nobody had asked. The greeting is no notice.
        self._notices = times[1:][by_server[1:] & by_server[:-1]] if notices is None else notices

    def opening(self, at: int, *, by_server: bool) -> Turn:
        """Say how a connection that opens ``at`` (ns) fits, by whom it was opened."""
        after = int(np.searchsorted(self._times, at, side="right"))
        if not after or (self._beside is not None and self._beside[after - 1]):
            return NO_TURN
        gap = at - int(self._times[after - 1])
        replied = bool(self._by_server[after - 1])
        if not by_server and replied and gap <= AT_ONCE:
            return Turn("answered", gap)
        awaited = after < len(self._times) and bool(self._by_server[after])
        if by_server and not replied and awaited and gap <= PENDING:
            # Connecting is the last thing before the answer: the nearer of the two explains it.
            return Turn("pending", min(gap, int(self._times[after]) - at))
        return NO_TURN

    def notice_after(self, end: int) -> int | None:
        """Return the ns between a data connection's last packet and the server's next unasked segment, None if none."""
        first = int(np.searchsorted(self._notices, end - NOTICE_EARLY))
        if first == len(self._notices):
            return None
        gap = int(self._notices[first]) - end
        return abs(gap) if gap <= NOTICE_LATE else None

    def notice_within(self, first: int, last: int) -> bool:
        """Return whether a notice lies between two times (ns), both included."""
        return int(np.searchsorted(self._notices, first)) < int(np.searchsorted(self._notices, last, side="right"))
