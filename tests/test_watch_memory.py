"""How many flows a watch keeps by default: arithmetic on what there is, by hand."""

from __future__ import annotations

from pathlib import Path

from auditor.watch.memory import MOST, available, default_flows


def test_200_mb_or_a_quarter_of_the_memory_whichever_is_less() -> None:
    # (200 MB - 95 MB) / 640 bytes, however much there is; (128 - 95) MB / 640 of 512 MB; never so few that nothing fits.
    assert MOST == 200_000_000
    assert default_flows(64_000_000_000) == 105_000_000 // 640 == 164_062
    assert default_flows(512_000_000) == 33_000_000 // 640 == 51_562
    assert default_flows(64_000_000) == 4096


def test_a_container_has_what_it_is_allowed(tmp_path: Path) -> None:
    whole = available(tmp_path)
    (tmp_path / "memory.max").write_text("max\n")
    assert available(tmp_path) == whole
    (tmp_path / "memory.max").write_text("1048576\n")
    assert available(tmp_path) == 1_048_576
