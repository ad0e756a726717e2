"""The journal: nothing told is lost, nothing is told twice, whatever ends a watch."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from auditor.errors import UsageError
from auditor.watch.journal import Journal
from auditor.watch.news import News, Step
from tests.helpers.journals import opened
from tests.support import CAPTURES, ROOT

ONCE = {"session-opened", "session-ended", "data-tied", "job-ended", "finding-opened", "role-learnt"}
"""Kinds of news that may come once for each key."""


def killed(folder: Path, kills: int, seed: int, name: str = "out-of-range") -> int:
    words = [CAPTURES / name / f"{name}.pcap", CAPTURES / name / "policy.yaml", folder, kills, seed]
    command = [sys.executable, "-m", "tests.helpers.watch_killed", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100 + 20 * kills)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def news_in(*files: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for file in files for line in file.read_bytes().splitlines()]


def once(news: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return sorted((one["kind"], one["key"]) for one in news if one["kind"] in ONCE)


def check_killed(folder: Path, kills: int, seed: int) -> int:
    """Kill a watch so many times, and compare what was shown with the journal and with a watch that nobody killed."""
    whole, cut = folder / "whole", folder / "cut"
    whole.mkdir()
    cut.mkdir()
    assert killed(whole, 0, seed) == 0
    hit = killed(cut, kills, seed)
    shown = news_in(cut / "shown")
    logged = news_in(*sorted(cut.glob("log.*"), key=lambda path: -int(path.suffix[1:])), cut / "log")
    with contextlib.closing(sqlite3.connect(cut / "journal")) as file:
        held = file.execute("SELECT number, kind, key FROM news ORDER BY number").fetchall()
    # Shown is what the journal holds, each piece once and in order; in both places.
    assert [(one["number"], one["kind"], one["key"]) for one in shown] == held
    assert [(one["number"], one["kind"], one["key"]) for one in logged] == held
    assert [one[0] for one in held] == list(range(1, len(held) + 1))
    # And it is what one watch without an interruption tells: nothing is lost and nothing is told twice.
    assert once(shown) == once(news_in(whole / "shown"))
    assert len({*once(shown)}) == len(once(shown)) > 10
    return hit


def test_kill_at_random_moments_loses_and_repeats_nothing(tmp_path: Path) -> None:
    assert check_killed(tmp_path, 12, 20261122) == 12


def put(journal: Journal, *texts: str) -> None:
    journal.write([Step(News("trouble", text, text, "2026-11-22T15:42:15.000000000Z")) for text in texts])


def test_what_was_written_is_there_at_the_next_start(tmp_path: Path) -> None:
    path = str(tmp_path / "journal")
    first = opened(path)
    assert (first.run, first.clean) == (1, True)
    changes = (("finding", "k", {"open": True}), ("role", "r", {"roles": []}))
    first.write([Step(News("trouble", "a", "a", "2026-11-22T15:42:15.000000000Z", facts={"n": 1}), changes)])
    first.write([Step(None, (("role", "r", None),))])
    first.note_shown("output", 1)
    first.close(clean=False)
    second = opened(path)
    assert (second.run, second.clean, second.last) == (2, False, 1)
    assert second.identity == first.identity
    assert second.memory() == {("finding", "k"): {"open": True}}
    assert (second.shown("output"), second.shown("other")) == (1, None)
    (one,) = second.after(0, 10)
    assert (one.number, one.text, one.facts, one.again) == (1, "a", {"n": 1}, True)


def test_numbers_go_on_after_old_news_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = opened(str(path))
    put(journal, "a", "b", "c")
    journal.close(clean=True)
    with sqlite3.connect(path) as file:
        file.execute("UPDATE news SET written = 0")
        file.execute("INSERT INTO memory VALUES ('session', 'old', 0, '{\"open\": false}')")
        file.execute("INSERT INTO memory VALUES ('session', 'open', 0, '{\"open\": true}')")
    file.close()
    journal = opened(str(path))
    assert journal.after(0, 10) == []
    assert set(journal.memory()) == {("session", "open")}
    put(journal, "d")
    assert [one.number for one in journal.after(0, 10)] == [4]


def test_a_second_watch_is_refused(tmp_path: Path) -> None:
    first = opened(str(tmp_path / "journal"))
    put(first, "a")
    with pytest.raises(UsageError, match="in use by another watch"):
        opened(str(tmp_path / "journal"))


@pytest.mark.parametrize("content", [b"no journal at all" * 400, b"SQLite format 3\0" + bytes(4000)])
def test_a_file_that_is_no_journal_is_told_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="journal"):
        opened(str(path))
    assert path.read_bytes() == content


def test_only_the_owner_reads_it(tmp_path: Path) -> None:
    put(opened(str(tmp_path / "journal")), "a")
    assert (tmp_path / "journal").stat().st_mode & 0o077 == 0


def test_text_that_is_no_unicode_can_be_written(tmp_path: Path) -> None:
    journal = opened(str(tmp_path / "journal"))
    put(journal, "\udcff")
    assert journal.after(0, 1)[0].text == "\\udcff"
