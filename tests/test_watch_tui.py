"""The live view, driven through textual's own pilot at 80 by 24."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from auditor.pipeline.yardstick import prepare
from auditor.watch.loop import Watcher
from auditor.watch.settings import Settings
from tests.helpers.journals import opened
from tests.helpers.live_fake import FakeLive
from tests.support import CAPTURES

pytest.importorskip("textual", reason="textual is not installed")


def view_of(name: str, told: list[str]) -> Any:
    from auditor.watch.tui import Board, Recent, WatchView

    folder, board, recent = CAPTURES / name, Board(), Recent()
    watcher = Watcher(
        FakeLive(folder / f"{name}.pcap", per_pump=200),
        prepare(folder / "policy.yaml"),
        opened(":memory:"),
        [recent],
        source=name,
        settings=Settings(interval=0.01),
        on_state=board.show,
        on_report=lambda _report, why: told.append(why) or [],
    )
    return WatchView(watcher, board, recent, name)


@pytest.mark.parametrize("monochrome", [False, True], ids=["colour", "NO_COLOR"])
def test_the_view_shows_what_was_found_and_obeys_its_keys(
    monochrome: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from textual.widgets import DataTable, Static, TabbedContent

    if monochrome:
        monkeypatch.setenv("NO_COLOR", "1")
    told: list[str] = []
    view = view_of("out-of-range", told)

    async def drive() -> None:
        async with view.run_test(size=(80, 24)) as pilot:
            while view._thread.is_alive():
                await pilot.pause(0.05)
            view.refresh_now()
            await pilot.pause()
            rows = {name: view.query_one(f"#table-{name}", DataTable).row_count for name in view._shown}
            # truth.json: four jobs of a media server with three agents, three data ports outside the range.
            assert (rows["sessions"], rows["hosts"]) == (4, 4)
            findings = [str(row[1]) for row in view._shown["findings"]]
            assert sum(one.startswith("BX301 ") for one in findings) == 3
            head = str(view.query_one("#head", Static).render())
            assert "VIOLATIONS" in head
            assert "1\u202f252 packets" in head
            for key, name in (("2", "sessions"), ("4", "ports"), ("5", "news"), ("1", "findings")):
                await pilot.press(key)
                await pilot.pause()
                assert view.query_one(TabbedContent).active == name
                assert view.focused is view.query_one(f"#table-{name}", DataTable)
            assert view.size == (80, 24)
            (tmp_path / "view.svg").write_text(view.export_screenshot())
            await pilot.press("q")
            await pilot.pause()
            view.refresh_now()

    asyncio.run(drive())
    assert view.failure is None
    assert told == ["end"]
    picture = (tmp_path / "view.svg").read_text()
    assert "BX301" in picture
