"""A record does what a frozen dataclass with slots does: each is held against one made by ``dataclasses``."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, fields, is_dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor import records
from auditor.records import draft, metadata_of, names_of, record, with_defaults


def twice(**body: Any) -> tuple[Any, Any]:
    """Return the same class as a record and as a dataclass."""
    annotations = {"one": "int", "two": "tuple[int, ...]", "three": "dict[str, int]", "four": "str", "five": "int"}

    def made(decorate: Callable[[type], type], field: Callable[..., Any]) -> Any:
        parts = {
            "two": (),
            "three": field(default_factory=dict),
            "four": field(default="x", repr=False, compare=False, metadata={"saved": False}),
            "five": field(default=7, init=False),
        }
        return decorate(type("Kind", (), {"__annotations__": annotations, "__doc__": "One.", **parts, **body}))

    return made(record, records.field), made(dataclass(frozen=True, slots=True), dataclasses.field)


def drafted() -> tuple[Any, Any]:
    """Return the same class as a draft and as a dataclass that may be changed."""

    def made(decorate: Callable[[type], type], field: Callable[..., Any]) -> Any:
        parts = {"two": 2, "three": field(default_factory=list)}
        annotations = {"one": "int", "two": "int", "three": "list[int]"}
        return decorate(type("Kind", (), {"__annotations__": annotations, "__doc__": "One.", **parts}))

    return made(draft, records.field), made(dataclass(slots=True), dataclasses.field)


@record
class Kept:
    """At the top of a module, where pickle looks."""

    one: int
    two: str = "b"


@given(st.lists(st.integers(0, 3), max_size=5), st.dictionaries(st.sampled_from(["one", "two", "three", "four", "five", "six"]), st.integers(0, 3)))  # fmt: skip
def test_it_takes_what_a_dataclass_takes(values: list[int], named: dict[str, int]) -> None:
    ours, theirs = twice()
    try:
        expected = theirs(*values, **named)
    except TypeError:
        with pytest.raises(TypeError, match="Kind"):
            ours(*values, **named)
        return
    made = ours(*values, **named)
    assert repr(made) == repr(expected)
    assert [getattr(made, one.name) for one in fields(made)] == [
        getattr(expected, one.name) for one in fields(expected)
    ]


def test_equal_where_what_is_compared_is_equal() -> None:
    ours, _ = twice()
    assert ours(1, four="a") == ours(1, four="b")
    assert ours(1) != ours(2)
    assert ours(1) != Kept(1)
    assert Kept(1) != (1, "b")
    assert hash(Kept(1)) == hash(Kept(1, two="b"))
    assert len({Kept(1), Kept(1), Kept(2)}) == 2


def test_nothing_of_it_can_be_changed() -> None:
    kept = Kept(1)
    for change in (lambda: setattr(kept, "one", 2), lambda: delattr(kept, "one"), lambda: setattr(kept, "new", 2)):
        with pytest.raises(FrozenInstanceError):
            change()
    assert not hasattr(kept, "__dict__")


def test_the_functions_of_dataclasses_know_it() -> None:
    assert is_dataclass(Kept)
    assert [one.name for one in fields(Kept)] == ["one", "two"]
    assert dataclasses.replace(Kept(1), two="c") == Kept(1, "c")
    match Kept(5):
        case Kept(one, two):
            assert (one, two) == (5, "b")


def test_it_can_be_copied_and_sent() -> None:
    kept = Kept(1, "two")
    assert copy.copy(kept) == copy.deepcopy(kept) == pickle.loads(pickle.dumps(kept)) == kept  # noqa: S301 - its own


def test_what_comes_after_making_is_called_and_what_a_class_defines_is_kept() -> None:
    def after(self: Any) -> None:
        object.__setattr__(self, "five", self.one * 2)

    ours, theirs = twice(__post_init__=after, __repr__=lambda self: f"<{self.one}>")
    assert ours(4).five == theirs(4).five == 8
    assert repr(ours(4)) == repr(theirs(4)) == "<4>"


def test_defaults_are_made_for_each() -> None:
    ours, _ = twice()
    assert ours(1).three is not ours(1).three


def test_a_draft_can_be_changed_as_a_dataclass_can() -> None:
    results = []
    for kind in drafted():
        made = kind(1)
        made.two = 5
        made.three.append(7)
        with pytest.raises(AttributeError):
            made.four = 1
        with pytest.raises(TypeError):
            hash(made)
        results.append((repr(made), made == kind(1, 5, [7]), kind(1).three, [one.name for one in fields(kind)]))
    assert results[0] == results[1]
    assert results[0][1:3] == (True, [])


def test_fields_are_what_dataclasses_make_of_them() -> None:
    ours, theirs = twice()
    for one, other in zip(fields(ours), fields(theirs), strict=True):
        names = ("name", "type", "default", "default_factory", "init", "repr", "compare", "hash", "kw_only", "metadata")
        assert [getattr(one, name) for name in names] == [getattr(other, name) for name in names]


def test_a_record_like_another_is_the_one_that_dataclasses_makes() -> None:
    ours, _ = twice()
    one = ours(1, (2,), {"a": 3}, "b")
    for change in ({}, {"one": 5}, {"two": (), "four": "c"}):
        assert repr(records.replace(one, **change)) == repr(dataclasses.replace(one, **change))
        assert records.replace(one, **change).four == dataclasses.replace(one, **change).four
    for wrong in ({"six": 1}, {"five": 1}):
        with pytest.raises((TypeError, ValueError)):
            dataclasses.replace(one, **wrong)
        with pytest.raises(TypeError, match="Kind"):
            records.replace(one, **wrong)


def test_what_is_told_of_fields_without_dataclasses_is_what_they_tell() -> None:
    ours, theirs = twice()
    assert names_of(ours) == names_of(theirs) == tuple(one.name for one in fields(theirs))
    assert names_of(int) is None
    assert {name: dict(metadata_of(ours, name)) for name in names_of(ours) or ()} == {
        one.name: dict(one.metadata) for one in fields(theirs)
    }
    missing = dataclasses.MISSING
    needed = {one.name for one in fields(theirs) if one.default is missing and one.default_factory is missing}
    assert with_defaults(ours) == set(names_of(theirs) or ()) - needed


def test_a_default_that_has_flags_of_its_own_is_no_field() -> None:
    class Flags:
        repr = compare = init = False

    kind: Any = record(type("Kind", (), {"__annotations__": {"one": "int", "two": "Flags"}, "two": Flags()}))
    assert kind(1) != kind(2)
    assert kind(1, 5) != kind(1, 6)
    assert repr(kind(1, 5)) == "Kind(one=1, two=5)"


def test_a_field_of_dataclasses_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Kind: .*auditor\.records\.field"):
        record(type("Kind", (), {"__annotations__": {"one": "int"}, "one": dataclasses.field(default=1)}))


def test_records_are_defined_made_and_compared_without_dataclasses() -> None:
    probe = (
        "import sys; from auditor.records import record, field, replace\n"
        "kind = record(type('Kind', (), {'__annotations__': {'one': 'int', 'two': 'dict'}, 'two': field(default_factory=dict)}))\n"
        "assert replace(kind(1), one=2) == kind(2, {}) and repr(kind(1)) == 'Kind(one=1, two={})'\n"
        "print('dataclasses' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "False"
