"""A record does what a frozen dataclass with slots does: each is held against one made by ``dataclasses``."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, field, fields, is_dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.records import draft, record


def twice(**body: Any) -> tuple[Any, Any]:
    """Return the same class as a record and as a dataclass."""
    annotations = {"one": "int", "two": "tuple[int, ...]", "three": "dict[str, int]", "four": "str", "five": "int"}
    parts = {"two": (), "three": field(default_factory=dict), "four": field(default="x", repr=False, compare=False)}

    def made(decorate: Callable[[type], type]) -> Any:
        hidden = field(default=7, init=False)
        kind = type("Kind", (), {"__annotations__": annotations, "__doc__": "One.", **parts, "five": hidden, **body})
        return decorate(kind)

    return made(record), made(dataclass(frozen=True, slots=True))


def drafted() -> tuple[Any, Any]:
    """Return the same class as a draft and as a dataclass that may be changed."""

    def made(decorate: Callable[[type], type]) -> Any:
        parts = {"two": 2, "three": field(default_factory=list)}
        annotations = {"one": "int", "two": "int", "three": "list[int]"}
        return decorate(type("Kind", (), {"__annotations__": annotations, "__doc__": "One.", **parts}))

    return made(draft), made(dataclass(slots=True))


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
    assert replace(Kept(1), two="c") == Kept(1, "c")
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
