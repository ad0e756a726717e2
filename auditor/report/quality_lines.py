"""Capture quality as lines of text: where the captures were taken, and what they lack or repeat."""

from __future__ import annotations

from auditor.model import CaptureQuality, Quality
from auditor.model.quality import UNKNOWN_VANTAGE, VANTAGES
from auditor.report.layout import Page
from auditor.text import byte_count, counted, joined, number


def show_quality(page: Page, quality: Quality) -> None:
    """Say how good the captures are, in all, and each of several for itself."""
    told = quality_facts(quality.total)
    each = quality.captures if len(quality.captures) > 1 else ()
    if not told and quality.vantage == UNKNOWN_VANTAGE:
        return
    page.heading("Quality")
    if quality.vantage != UNKNOWN_VANTAGE:
        page.paragraph(vantage_text(quality), indent=2, label="vantage")
    for fact in told:
        page.paragraph(fact, indent=2)
    for capture in each:
        facts = quality_facts(capture)
        if facts:
            page.paragraph(capture.path, indent=2, style="strong")
            for fact in facts:
                page.paragraph(fact, indent=4)


def vantage_text(quality: Quality) -> str:
    """Return where the captures were taken and how that is known."""
    where = VANTAGES.get(quality.vantage, quality.vantage)
    if quality.vantage == UNKNOWN_VANTAGE:
        return f"{where}: nobody stated it, and the traffic does not tell"
    return f"{where}, as stated" if quality.vantage_by == "stated" else f"as if taken {where}: {quality.because}"


def losses_text(capture: CaptureQuality) -> str:
    """Return in one phrase what the captures lost; that nothing is known of losses is told, too."""
    told = [f"{counted(capture.drops, 'packet')} dropped" if capture.drops else ""]
    told.append("the captures do not say how many packets were dropped" if capture.drops is None else "")
    told.append(f"{byte_count(capture.missed_bytes)} of TCP missing" if capture.missed_bytes else "")
    told.append(f"{counted(capture.cut, 'frame')} cut" if capture.cut else "")
    told.append(f"{counted(capture.gaps, 'gap')}" if capture.gaps else "")
    told.append(f"{counted(capture.one_sided, 'one-sided connection')}" if capture.one_sided else "")
    return ", ".join(part for part in told if part) or "none told by the captures, none seen in the traffic"


def quality_facts(capture: CaptureQuality) -> list[str]:
    """Return what is worth saying about captures, one sentence fragment each; nothing where nothing is amiss."""
    parts = (_of_frames(capture), _of_times(capture), _of_connections(capture), _of_layers(capture))
    return [", ".join(part) for part in parts if part]


def _of_frames(capture: CaptureQuality) -> list[str]:
    told = []
    if capture.drops:
        told.append(f"{counted(capture.drops, 'packet')} dropped while capturing")
    if capture.duplicates:
        told.append(f"{counted(capture.duplicates, 'packet')} captured twice, counted once")
    if capture.cut:
        told.append(f"{counted(capture.cut, 'frame')} cut ({_share(capture.cut, capture.packets)})")
    return told


def _of_times(capture: CaptureQuality) -> list[str]:
    told = []
    if capture.gaps:
        longest = f"the longest {number(capture.longest_silence_ms // 1000)} s from {capture.longest_silence_at}"
        told.append(f"{counted(capture.gaps, 'gap')} of {capture.gap_seconds} s or more, {longest}")
    if capture.unordered:
        told.append(f"{counted(capture.unordered, 'frame')} out of order")
    if capture.clock_steps:
        told.append(f"{counted(capture.clock_steps, 'step')} back of the clock")
    return told


def _of_connections(capture: CaptureQuality) -> list[str]:
    told = []
    if capture.one_sided:
        told.append(f"{number(capture.one_sided)} of {counted(capture.tcp_flows, 'TCP connection')} one-sided")
    if capture.without_handshake:
        told.append(f"{counted(capture.without_handshake, 'TCP flow')} without handshake")
    if capture.missed_bytes:
        told.append(f"{byte_count(capture.missed_bytes)} of TCP missing")
    return told


def _of_layers(capture: CaptureQuality) -> list[str]:
    told = []
    if capture.tunnels:
        told.append(f"inside tunnels: {_listed(capture.tunnels)}")
    if capture.undecoded:
        told.append(f"link types not decoded: {_listed(capture.undecoded)}")
    return told


def _listed(counts: dict[str, int]) -> str:
    return joined(f"{name} {number(count)}" for name, count in counts.items())


def _share(part: int, whole: int) -> str:
    percent = part * 100 // max(whole, 1)
    return f"{percent} percent" if percent else "under 1 percent"
