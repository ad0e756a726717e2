"""What is kept of built-in files between starts: the same as a fresh reading, never stale, never somebody else's."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor import _native, controls
from auditor.compiled import remembered
from auditor.controls import load_controls
from auditor.documents import yaml_events
from auditor.documents.kept_tree import kept_tree
from auditor.documents.yaml_events import build_tree
from auditor.errors import PolicyError
from auditor.model import Severity
from auditor.packs.load import load_pack
from auditor.policy.load import load_policy
from auditor.records import replace
from auditor.services import catalogue, load_catalogue
from auditor.services.folder import rules_folder
from tests.support import CAPTURES
from tests.test_import_budget import loaded_by

pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="nothing is kept where files have no owner")


@dataclass(frozen=True)
class Row:
    """Something to keep."""

    name: str
    severity: Severity
    pairs: tuple[tuple[int, int], ...]
    words: dict[str, str]


CHECKS = rules_folder() / "checks"
ROW = Row("\N{GREEK SMALL LETTER MU}", Severity.HIGH, ((1, 2), (3, 4)), {"@x": "="})


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("AUDITOR_CACHE", raising=False)
    forget()
    yield tmp_path / "cache" / "auditor"
    forget()


def forget() -> None:
    """Make the next load read, as a fresh process does."""
    for one in (catalogue._read_folder, catalogue._load, controls._load):
        one.cache_clear()


def asked(source: Path, value: Row = ROW) -> tuple[Row, bool]:
    """Return what is remembered of a file, and whether it was read for that."""
    reads: list[int] = []

    def read() -> Row:
        reads.append(1)
        return value

    return remembered("row", [source], (Row, Severity), read), bool(reads)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file that something is made from."""
    path = tmp_path / "source.yaml"
    path.write_text("a: 1\n")
    return path


def test_what_is_kept_is_what_was_read(source: Path) -> None:
    assert asked(source) == (ROW, True)
    kept, read = asked(source)
    assert (kept, read) == (ROW, False)
    assert type(kept.severity) is Severity
    assert type(kept.pairs[0]) is tuple


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=2), inner, max_size=4),
    max_leaves=20,
)


@given(plain, st.booleans())
def test_the_core_reads_json_as_python_does(value: object, ascii_alone: bool) -> None:
    def frozen(one: object) -> object:
        if isinstance(one, dict):
            return {key: frozen(item) for key, item in one.items()}
        return tuple(map(frozen, one)) if isinstance(one, list) else one

    text = json.dumps(value, separators=(",", ":"), ensure_ascii=ascii_alone)
    found = _native.revived(text.encode(), {})
    assert (found, repr(found)) == (frozen(json.loads(text)), repr(frozen(json.loads(text))))


def test_a_change_of_the_same_length_and_time_is_seen(source: Path) -> None:
    asked(source)
    facts = source.stat()
    source.write_text("a: 2\n")
    os.utime(source, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert asked(source)[1]


@pytest.mark.parametrize("spoil", ["others may write", "no JSON", "another type", "too few values", "nothing"])
def test_what_cannot_be_trusted_is_read_again_and_mended(source: Path, cache: Path, spoil: str) -> None:
    asked(source)
    kept = cache / "row.json"
    whole = kept.read_text()
    if spoil == "others may write":
        kept.write_text(whole.replace("\\u03bc", "forged"))
        kept.chmod(0o666)
    elif spoil == "no JSON":
        kept.write_text(whole[:-2])
    elif spoil == "another type":
        kept.write_text(whole.replace('"Row"', '"Path"'))
    elif spoil == "too few values":
        document = json.loads(whole)
        document["value"]["="].pop()
        kept.write_text(json.dumps(document, separators=(",", ":")))
    else:
        kept.write_bytes(b"")
    assert asked(source) == (ROW, True)
    assert asked(source) == (ROW, False)
    assert kept.stat().st_mode & 0o077 == 0


def test_without_a_place_to_write_everything_is_read(
    source: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.parent.write_text("a file where the folder should be")
    assert [asked(source), asked(source)] == [(ROW, True), (ROW, True)]
    cache.parent.unlink()
    monkeypatch.setenv("AUDITOR_CACHE", "off")
    assert asked(source) == (ROW, True)
    assert not cache.exists()


def test_a_failed_reading_is_not_kept(source: Path, cache: Path) -> None:
    def fail() -> Row:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        remembered("row", [source], (Row, Severity), fail)
    assert not cache.exists()


def test_rules_services_and_controls_are_the_same_kept_and_read(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def everything() -> tuple[object, ...]:
        forget()
        return load_catalogue(), load_pack([rules_folder() / "checks"]), load_controls()

    monkeypatch.setenv("AUDITOR_CACHE", "off")
    read = everything()
    monkeypatch.delenv("AUDITOR_CACHE")
    assert everything() == read
    assert sorted(path.name for path in cache.iterdir()) == ["checks.json", "controls.json", "services.json"]
    assert everything() == read


def test_rules_are_judged_by_without_their_examples(cache: Path) -> None:
    whole, bare = load_pack([CHECKS]), load_pack([CHECKS], examples=False)
    assert all(rule.fires and rule.silent for rule in whole.rules)
    assert bare == load_pack([CHECKS], examples=False) != whole
    assert [replace(rule, fires=(), silent=()) for rule in whole.rules] == list(bare.rules)
    assert (cache / "judged.json").stat().st_size < (cache / "checks.json").stat().st_size


def test_a_second_start_loads_no_yaml_reader() -> None:
    assert "yaml" in loaded_by("rules", "list")[1]
    assert "yaml" not in loaded_by("rules", "list")[1]


POLICY = (CAPTURES / "out-of-range" / "policy.yaml").read_text(encoding="utf-8")
ODD = """
# Words that could be taken for what is kept of something else, in every place.
"@": Place
"=": ["@", '=', {"@": "Place", "=": [1, 2]}, [], {}, ~, "null", null]
plain: ""
twice: 1
twice: {a: b}
"\u03bc\u00a0": |
  long
"""


@pytest.mark.parametrize("text", [POLICY, ODD, "", "# nothing", "word", "[a, [b, [c]]]"])
def test_a_tree_is_the_same_kept_and_read(text: str, cache: Path) -> None:
    read = build_tree(text, "first.yaml")
    assert kept_tree("tree", text, "first.yaml") == read
    assert (cache / "tree.json").exists()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml_events, "build_tree", None)
        assert kept_tree("tree", text, "first.yaml") == read
        # The same text in another file: complaints name that one.
        moved = kept_tree("tree", text, "second.yaml")
    assert moved == build_tree(text, "second.yaml")


def test_one_tree_is_kept_under_each_name(cache: Path) -> None:
    for text in ("a: 1", "a: 2", "a: 1"):
        assert kept_tree("tree", text, "p") == build_tree(text, "p")
    assert [path.name for path in cache.iterdir()] == ["tree.json"]


def test_a_mistake_is_told_each_time(tmp_path: Path, cache: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("zones: {agents: [10.0.0.1], agents: [10.0.0.2]}\nzone: x\n")
    told = []
    for _ in range(2):
        with pytest.raises(PolicyError) as caught:
            load_policy(policy)
        told.append([(problem.line, problem.message) for problem in caught.value.problems])
    assert told[0] == told[1]
    assert [line for line, _ in told[0]] == [1, 2]
    assert (cache / "policy.json").exists()
    policy.write_text("zones: [\n")
    for _ in range(2):
        with pytest.raises(PolicyError, match="not YAML"):
            load_policy(policy)
