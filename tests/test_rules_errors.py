"""Every mistake in a rule file is told with its line, all of them at once, and never with a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.documents.document import Document
from auditor.errors import RuleError
from auditor.packs.load import load_pack
from auditor.packs.read import read_rule

SOUND = """\
code: TT101
name: sound
title: Sound
severity: low
since: 0.1.0
on: flows
select:
  control: true
  verdict: [unstated, deny]
  resp_port: 1024-65535
subject: {host: responder, port: resp_port}
threshold: 2
escalate:
  - select: {login: accepted}
    severity: high
collapse:
  - when_over: 8
    to: [host]
    message: "{host}: {count}"
message: "{host} port {port}: {how}"
consequence: Perhaps.
remedy: Do it.
why: Because.
sources: [somewhere]
false_alarms: []
controls: []
examples:
  fires: ["10.0.0.1:1 > 10.0.0.2:2 tcp"]
  silent: ["10.0.0.1:1 > 10.0.0.2:2 udp"]
"""

# what is written instead of what -> line, and a part of the complaint and of the help
MISTAKES = [
    ("code: TT101", "code: bx1", 1, "'bx1' cannot be the code of a rule", "BX101"),
    ("name: sound", "name: Sound One", 2, "'Sound One' cannot be the name of a rule", "small letters"),
    ("title: Sound\n", "", 1, "'title' is missing", ""),
    ("severity: low", "severity: hihg", 4, "'hihg' is not one of", "did you mean 'high'?"),
    ("on: flows", "on: flow", 6, "'flow' is not one of", "did you mean 'flows'?"),
    ("  control: true", "  contrl: true", 8, "unknown column 'contrl'", "did you mean 'control'?"),
    ("  control: true", "  control: yes", 8, "'yes' never occurs in column 'control'", "true"),
    ("[unstated, deny]", "[unstated, denied]", 9, "'denied' never occurs in column 'verdict'", "did you mean 'deny'?"),
    ("[unstated, deny]", "[]", 9, "no value for column 'verdict'", ""),
    ("[unstated, deny]", "{nor: deny}", 9, "unknown key 'nor'", "not"),
    ("1024-65535", "65535-1024", 10, "range 65535-1024 runs backwards", "write 1024-65535"),
    ("1024-65535", '"=> 4"', 10, "'=> 4' is no condition on a number", "a comparison"),
    ("1024-65535", "[1, two]", 10, "'two' is not a whole number", ""),
    ("host: responder", "host: respondent", 11, "'respondent' is not one of", "did you mean 'responder'?"),
    ("{host: responder", "{count: responder", 11, "'count' cannot be a name here", "plain word"),
    ("{host: responder", '{"the host": responder', 11, "'the host' cannot be a name here", "plain word"),
    ("threshold: 2", "threshold: 0", 12, "0 is out of range", ""),
    (
        "{login: accepted}",
        "{login: acepted}",
        14,
        "'acepted' never occurs in column 'login'",
        "did you mean 'accepted'?",
    ),
    ("    severity: high", "    severty: high", 15, "unknown key 'severty'", "did you mean 'severity'?"),
    ("to: [host]", "to: [hosts]", 18, "'hosts' is not one of", "did you mean 'host'?"),
    ('"{host}: {count}"', '"{hosst}"', 19, "unknown name {hosst}", "did you mean 'host'?"),
    ("{how}", "{howe}", 20, "unknown name {howe}", "did you mean 'how'?"),
    ("{how}", "{how.upper}", 20, "{how.upper} is not a plain name", "{{"),
    ("{how}", "{how!r}", 20, "{how} is not a plain name", "{{"),
    ("{how}", "{how", 20, "not a sentence with names in braces", "{{"),
    ("why: Because.", "whi: Because.", 23, "unknown key 'whi'", "did you mean 'why'?"),
    ("why: Because.", "why:", 23, "'why' has no value", ""),
    ("sources: [somewhere]", "sources: somewhere", 24, "expected a list", "- "),
    ("  silent:", "  silence:", 29, "unknown key 'silence'", "did you mean 'silent'?"),
    ("controls: []", "controls: []\nwhy: again", 27, "'why' is given twice; the first is on line 23", "keep one"),
    ("controls: []", "controls: &c []", 26, "anchor &c is not allowed here", "remove it"),
    ("controls: []", "\tcontrols: []", 26, "a tab is used for indentation", "use spaces"),
]


def problems_of(tmp_path: Path, text: str) -> RuleError:
    folder = tmp_path / "checks"
    folder.mkdir()
    (folder / "sound.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(RuleError) as caught:
        load_pack([folder])
    return caught.value


def test_the_sound_rule_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "checks"
    folder.mkdir()
    (folder / "sound.yaml").write_text(SOUND)
    (rule,) = load_pack([folder]).rules
    assert rule.path == "checks/sound.yaml"
    assert [(c.column, c.operator, c.values) for c in rule.select] == [
        ("control", "in", ("true",)),
        ("verdict", "in", ("unstated", "deny")),
        ("resp_port", ">=", (1024,)),
        ("resp_port", "<=", (65535,)),
    ]
    assert rule.fires[0].line == 28


@pytest.mark.parametrize(("before", "after", "line", "message", "fix"), MISTAKES)
def test_a_mistake_is_told_with_its_line(
    tmp_path: Path, before: str, after: str, line: int, message: str, fix: str
) -> None:
    assert before in SOUND
    error = problems_of(tmp_path, SOUND.replace(before, after, 1))
    told = [(problem.line, problem.message, problem.fix) for problem in error.problems]
    assert any(where == line and message in what and fix in help_ for where, what, help_ in told), told
    assert str(error).startswith("checks/sound.yaml:")


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = (
        SOUND.replace("severity: low", "severity: grave")
        .replace("{how}", "{howe}")
        .replace("threshold: 2", "threshold: x")
    )
    assert [problem.line for problem in problems_of(tmp_path, text).problems] == [4, 12, 20]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("- a list", "expected a rule, found a list"),
        ("just text", "expected a rule, found the value 'just text'"),
        ("code: [", "not YAML"),
    ],
)
def test_a_file_that_is_no_rule_is_told(tmp_path: Path, text: str, message: str) -> None:
    assert message in problems_of(tmp_path, text).problems[0].message


def test_codes_and_names_are_unique_over_all_folders(tmp_path: Path) -> None:
    for folder in ("built-in", "site"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "sound.yaml").write_text(SOUND)
    with pytest.raises(RuleError) as caught:
        load_pack([tmp_path / "built-in", tmp_path / "site"])
    assert [problem.message for problem in caught.value.problems] == [
        "TT101 is already the rule of built-in/sound.yaml",
        "sound is already the rule of built-in/sound.yaml",
    ]


words = st.sampled_from(
    ["code", "select", "on", "flows", "{", "}", "[", "]", ":", "- ", "\n", "  ", "'", '"', "{how}", ">= 1", "~"]
)


@given(st.lists(words | st.text(max_size=4), max_size=30).map("".join))
def test_any_text_is_a_rule_or_a_list_of_problems(text: str) -> None:
    document = Document("any.yaml", text)
    assert read_rule(document) is None
    assert document.problems


@given(st.integers(0, len(SOUND) - 1), st.sampled_from(["", "{", "}", ":", "\n", "\t", "[", "&", "\0", "é", "- "]))
def test_a_rule_with_one_spot_damaged_is_read_or_refused(at: int, damage: str) -> None:
    document = Document("damaged.yaml", SOUND[:at] + damage + SOUND[at + 1 :])
    rule = read_rule(document)
    assert (rule is None) == bool(document.problems)
