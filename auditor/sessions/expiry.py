"""Says when an announcement is void: a connection that opens later is not the one that it meant.

Draft 3.5.2.3: a data connection serves one operation. What halts, stops or aborts it, and the next announcement of the same
kind on the control connection, end what was announced before.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from auditor.records import replace
from auditor.sessions.model import NEVER, Announcement

STOPS = frozenset({0x403, 0x407, 0xA03, 0xA04, 0xA07})
"""DATA_ABORT, DATA_STOP, MOVER_ABORT, MOVER_STOP, MOVER_CLOSE: each by its reply of success."""
NOTICES = frozenset({0x501, 0x503})
"""NOTIFY_DATA_HALTED, NOTIFY_MOVER_HALTED."""
CONNECT_CLOSE = 0x902
ENDS = STOPS | NOTICES | {CONNECT_CLOSE}


def with_ends(announcements: Sequence[Announcement], ends: Sequence[int]) -> tuple[Announcement, ...]:
    """Return the announcements of one control connection, in order, each with the time at which it is void.

    ``ends``: times (ns, ascending) at which an operation of that control connection ended.
    """
    done: list[Announcement] = []
    again = {True: NEVER, False: NEVER}
    for one in reversed(announcements):
        if one.state:
            done.append(one)
            continue
        later = bisect_right(ends, one.time)
        ended = ends[later] if later < len(ends) else NEVER
        done.append(replace(one, until=min(ended, again[one.connects])))
        again[one.connects] = one.time
    return tuple(reversed(done))
