"""The live view in a real terminal (tmux, 80 by 24), driven by keys as a user drives it, with colours and without."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import CAPTURES, COMMAND, ROOT

pytest.importorskip("textual", reason="textual is not installed")
pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
COLOUR = re.compile(r"\x1b\[[\d;]*?(?:38;5;(\d+)|38;2;(\d+);(\d+);(\d+)|3([1-6])\b)")


class Terminal:
    """A terminal of 80 by 24 in which a command runs."""

    def __init__(self, socket: Path, command: str) -> None:
        self._tmux = ["tmux", "-S", str(socket), "-f", "/dev/null"]
        self._run("new-session", "-d", "-x", "80", "-y", "24", command)

    def _run(self, *words: str) -> str:
        environment = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            [*self._tmux, *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        return done.stdout

    def press(self, key: str) -> None:
        """Press a key."""
        self._run("send-keys", key)

    def screen(self, *, colours: bool = False) -> str:
        """Return what stands on the screen."""
        return self._run("capture-pane", "-p", *(["-e"] if colours else []))

    def until(self, holds: Callable[[str], object]) -> str:
        """Wait until the screen shows something, and return it."""
        deadline = time.monotonic() + 100
        while not holds(shown := self.screen()):
            assert time.monotonic() < deadline, shown
            time.sleep(0.05)
        return shown

    def close(self) -> None:
        """End all of it."""
        self._run("kill-server")


@contextmanager
def terminal(folder: Path, before: str = "") -> Iterator[Terminal]:
    case = CAPTURES / "out-of-range"
    watch = f"{COMMAND} watch {case / 'out-of-range.pcap'} --policy {case / 'policy.yaml'} --tui"
    made = Terminal(folder / "tmux", f"{before} {watch}; echo LEFT WITH $?; sleep 1000")
    try:
        yield made
    finally:
        made.close()


def greys(shown: str) -> set[bool]:
    """Return whether the colours on a screen are greys: those of the palette's grey ramp, or equal parts of all three."""
    found = set()
    for palette, red, green, blue, plain in COLOUR.findall(shown):
        if plain:
            found.add(False)
        elif palette:
            found.add(int(palette) >= 232 or int(palette) in {0, 7, 8, 15, 16, 59, 102, 145, 188, 231})
        else:
            found.add(red == green == blue)
    return found


def test_the_view_fits_80_by_24_and_obeys_its_keys(tmp_path: Path) -> None:
    with terminal(tmp_path) as shown:
        first = shown.until(lambda text: "ended, q leaves" in text and "BX301" in text)
        rows = first.splitlines()
        assert max(map(len, rows)) <= 80
        # The line of keys is on the screen whole.
        assert rows[23].split() == [
            "q",
            "Quit",
            "r",
            "Report",
            "l",
            "Reload",
            "1",
            "Findings",
            "2",
            "Sessions",
            "3",
            "Hosts",
            "4",
            "Ports",
            "5",
            "News",
        ]
        assert sum("BX301" in row for row in rows) == 3
        assert False in greys(shown.screen(colours=True))
        for key, words in (
            ("2", "10.77.0.10:52182 → 10.77.0.23:10000"),
            ("4", "50100-50124"),
            ("5", "job ended"),
            ("3", "agents"),
        ):
            shown.press(key)
            shown.until(lambda text, words=words: words in text)
        shown.press("q")
        shown.until(lambda text: "LEFT WITH 1" in text)


def test_without_colours_there_are_greys_alone(tmp_path: Path) -> None:
    with terminal(tmp_path, "env NO_COLOR=1") as shown:
        shown.until(lambda text: "ended, q leaves" in text and "BX301" in text)
        assert False not in greys(shown.screen(colours=True))
        shown.press("q")
        shown.until(lambda text: "LEFT WITH 1" in text)
