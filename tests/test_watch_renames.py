"""A rule that gets another code between two starts, or while the watch runs, is the same rule to the journal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from auditor.pipeline import AuditOptions
from auditor.pipeline.yardstick import prepare
from auditor.watch.journal import Journal
from auditor.watch.loop import Watcher
from auditor.watch.news import News
from auditor.watch.settings import Settings
from tests.helpers.journals import opened
from tests.helpers.live_fake import FakeLive
from tests.test_site_rules import CASE, RULE
from tests.test_watch import Heard

# A finding that a renamed rule leaves behind would be closed at once, were it not followed.
QUICK = Settings(interval=0.01, observe=0.0, hold=0.0)
RENAMED = RULE.replace("SITE-101", "SITE-202") + "formerly: [SITE-101]\n"


def write(folder: Path, rule: str) -> AuditOptions:
    folder.mkdir(exist_ok=True)
    (folder / "control-from-media-server.yaml").write_text(rule)
    return AuditOptions(flows=False, rules=(str(folder),))


def site(news: list[News]) -> list[tuple[str, str]]:
    """Return what was told of the site's rule: kind and key."""
    return [(one.kind, one.key) for one in news if one.key.startswith("SITE")]


def run(journal: Journal, options: AuditOptions) -> Heard:
    heard = Heard()
    policy, capture = str(CASE / "policy.yaml"), CASE / "compliant.pcap"
    live = FakeLive(capture, per_pump=50)
    watcher = Watcher(
        live, prepare(policy, options), journal, [heard], source="lab", settings=QUICK, again=True, options=options
    )
    watcher.run()
    return heard


@pytest.mark.parametrize(
    ("second", "told"),
    [(RENAMED, []), (RENAMED.replace("formerly", "#"), [("finding-opened", "SITE-202 originator=10.77.0.10")])],
    ids=["renamed", "another"],
)
def test_the_next_start_tells_nothing_anew_of_a_rule_that_was_renamed(
    tmp_path: Path, second: str, told: list[tuple[str, str]]
) -> None:
    path = str(tmp_path / "journal")
    journal = opened(path)
    first = run(journal, write(tmp_path / "rules", RULE))
    journal.close(clean=True)
    assert site(first.news) == [("finding-opened", "SITE-101 originator=10.77.0.10")]
    journal = opened(path)
    heard = run(journal, write(tmp_path / "rules", second))
    assert [one for one in site(heard.news) if one[0] == "finding-opened"] == told
    remembered = {key for kind, key in journal.memory() if kind == "finding" and key.startswith("SITE")}
    assert remembered == (
        {"SITE-202 originator=10.77.0.10"}
        if not told
        else {"SITE-101 originator=10.77.0.10", "SITE-202 originator=10.77.0.10"}
    )


class Asking(Heard):
    """Asks for the rules to be read anew once it was told of the site's."""

    watcher: Watcher

    def offer(self, news: Any) -> int:
        self.watcher.asked.reload |= bool(site(news))
        return super().offer(news)


def test_rules_that_are_read_anew_while_the_watch_runs_are_followed_too(tmp_path: Path) -> None:
    options = write(tmp_path / "rules", RULE)
    heard, journal = Asking(), opened(":memory:")
    policy, live = str(CASE / "policy.yaml"), FakeLive(CASE / "compliant.pcap", per_pump=50, pause=0.05)
    heard.watcher = Watcher(
        live,
        prepare(policy, options),
        journal,
        [heard],
        source="lab",
        settings=QUICK,
        options=options,
        reload=lambda: prepare(policy, write(tmp_path / "rules", RENAMED)),
    )
    heard.watcher.run()
    assert "policy-reloaded" in {one.kind for one in heard.news}
    assert site(heard.news) == [("finding-opened", "SITE-101 originator=10.77.0.10")]
    assert [key for kind, key in journal.memory() if kind == "finding" and key.startswith("SITE")] == [
        "SITE-202 originator=10.77.0.10"
    ]
