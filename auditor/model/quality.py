"""How much the captures can show: what every other statement of a report is limited by."""

from __future__ import annotations

from auditor.records import field, record

UNKNOWN_VANTAGE = "unknown"

VANTAGES = {
    "media-server": "on the media server",
    "agent": "on a backed-up host",
    "firewall-inside": "behind the firewall",
    "firewall-outside": "before the firewall",
    "span": "at a mirror port or on the way",
    UNKNOWN_VANTAGE: "at an unknown place",
}
"""Where a capture can have been taken -> the same in words."""


@record
class CaptureQuality:
    """What one capture, or all of them together (``path`` empty), lacks or repeats.

    ``longest_silence_ms`` is the longest time without a frame and ``longest_silence_at`` its beginning; ``gaps`` counts
    silences of at least ``gap_seconds``, which are well beyond what is usual in that capture. ``drops`` is None where
    the capture does not say. ``cut`` frames are not whole. ``duplicates`` were captured already and count once;
    ``unordered`` frames are earlier than one before them, ``clock_steps`` times the clock went back by a second or more.
    ``tcp_flows`` are connections that got beyond a handshake; of these ``one_sided`` show one direction only, and
    ``without_handshake`` began before the capture. ``missed_bytes`` are bytes of TCP that must have been there.
    ``tunnels`` counts packets by the tunnel they came in, ``undecoded`` frames by link types that are not decoded.
    """

    path: str = ""
    packets: int = 0
    longest_silence_ms: int = 0
    longest_silence_at: str | None = None
    gaps: int = 0
    gap_seconds: int = 0
    drops: int | None = None
    cut: int = 0
    duplicates: int = 0
    unordered: int = 0
    clock_steps: int = 0
    tcp_flows: int = 0
    one_sided: int = 0
    without_handshake: int = 0
    missed_bytes: int = 0
    tunnels: dict[str, int] = field(default_factory=dict)
    undecoded: dict[str, int] = field(default_factory=dict)


@record
class Quality:
    """Where the captures were taken, how that is known (``stated``, ``inferred``, ``unknown``) and why it is believed;
    and how good they are, each and in all."""

    vantage: str = UNKNOWN_VANTAGE
    vantage_by: str = "unknown"
    because: str = ""
    total: CaptureQuality = field(default_factory=CaptureQuality)
    captures: tuple[CaptureQuality, ...] = ()
