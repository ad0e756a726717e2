"""Types of login that a policy accepts: whose word holds, and what becomes of a login, beside what the lab's server logged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auditor.policy.load import load_policy
from auditor.policy.model import LOGIN_TYPES
from auditor.sessions.dialogue import AUTHENTICATION_TYPES
from tests.support import CAPTURES, ROOT, run_auditor

CAPTURE = CAPTURES / "two-way"
TRUTH = json.loads((CAPTURE / "truth.json").read_text(encoding="utf-8"))


def logged(*types: str) -> int:
    """Return how many sessions the server's own log has in which a login of these types was accepted."""
    return sum(
        any(attempt["type"] in types and attempt["result"] == "OK" for attempt in session["auth"])
        for session in TRUTH["control_sessions"]
    )


def login_findings(tmp_path: Path, logins: str) -> Iterator[dict[str, Any]]:
    policy = tmp_path / "policy.yaml"
    policy.write_text(f"{(CAPTURE / 'policy.yaml').read_text(encoding='utf-8')}{logins}\n", encoding="utf-8")
    done = run_auditor("audit", CAPTURE / "two-way.pcap", "--policy", policy, "--format", "json", "--exit-zero")
    assert done.code == 0, done.err
    for finding in json.loads(done.out)["findings"]:
        if finding["code"] in ("BX601", "BX603", "BX618", "BX619"):
            yield finding


def count(finding: dict[str, Any]) -> int:
    return len(finding["evidence"])


def test_the_types_are_those_of_the_protocol() -> None:
    assert set(LOGIN_TYPES) == set(AUTHENTICATION_TYPES.values())


def test_a_host_overrides_its_zone_and_a_zone_the_policy(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(
        "logins: sha\n"
        "zones:\n"
        "  media-servers: [10.0.1.5]\n"
        "  agents: {hosts: [10.0.2.8, 10.0.2.9], logins: [text, md5, md5]}\n"
        "hosts:\n"
        "  10.0.2.9: {logins: none}\n"
        "  10.0.2.8: {name: agent}\n",
        encoding="utf-8",
    )
    policy = load_policy(path)
    hosts = ("10.0.2.9", "10.0.2.8", "10.0.1.5", "203.0.113.7")
    assert [policy.logins_of(host) for host in hosts] == [("none",), ("text", "md5"), ("sha",), ("sha",)]


def test_without_a_word_nothing_is_accepted(tmp_path: Path) -> None:
    found = {finding["code"]: finding for finding in login_findings(tmp_path, "")}
    assert logged("none") == 1
    assert {code: (one["severity"], count(one)) for code, one in found.items()} == {
        "BX603": ("high", logged("none")),
        "BX601": ("info", logged("text")),
    }


@pytest.mark.parametrize(
    ("logins", "expected"),
    [
        # What is accepted stays in the report, as a note.
        ("logins: [none, text, md5]", {"BX618": {"none", "text"}}),
        ("logins: [none, md5]", {"BX618": {"none"}, "BX601": {"text"}, "BX619": {"text"}}),
        ("logins: md5", {"BX603": {"none"}, "BX601": {"text"}, "BX619": {"text"}}),
        ("logins: [none, text]", {"BX618": {"none", "text"}, "BX619": {"md5"}}),
        # A host of the zone's own: the server of the capture is another.
        ("hosts: {10.88.0.22: {logins: [none]}}", {"BX603": {"none"}, "BX601": {"text"}}),
    ],
)
def test_what_becomes_of_each_login(tmp_path: Path, logins: str, expected: dict[str, set[str]]) -> None:
    severities = {"BX601": "info", "BX603": "high", "BX618": "info", "BX619": "medium"}
    found: dict[str, int] = {}
    for finding in login_findings(tmp_path, logins):
        assert finding["severity"] == severities[finding["code"]]
        found[finding["code"]] = found.get(finding["code"], 0) + count(finding)
    assert found == {code: logged(*types) for code, types in expected.items()}


def test_the_rule_base_shows_them(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("zones: {agents: {hosts: [10.0.2.9], logins: [md5, none]}}\n", encoding="utf-8")
    assert "none, md5" in run_auditor("policy", "show", path).out
    shown = json.loads(run_auditor("policy", "show", "--format", "json", path).out)
    assert shown["zones"][0]["logins"] == ["none", "md5"]


def test_the_example_of_the_page_means_what_it_says(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
    example = page.partition("### Logins")[2].partition("```yaml\n")[2].partition("```")[0]
    path = tmp_path / "policy.yaml"
    path.write_text(example, encoding="utf-8")
    policy = load_policy(path)
    assert policy.logins_of("10.77.0.21") == ("md5", "bews2")
    assert policy.logins_of("10.77.0.22") == ("none", "md5")
    assert policy.name_of("10.77.0.22") == "test agent"
