"""Records: dataclasses with slots that cost little to define and to make.

``dataclasses`` writes six functions for each such class and compiles them when its module is imported: half a millisecond
each, a quarter of an audit of a small capture, for classes most of which it never makes one of. A record's functions are
shared by all records, and its fields in the sense of ``dataclasses`` are made when they are first asked for: 15
microseconds each. ``dataclasses`` itself is imported only then, for it brings ``inspect``, and that the compiler's tree and
the tokenizer: a fifteenth of such an audit. ``dataclasses.fields``, ``replace`` and ``is_dataclass`` know records as
dataclasses; ``field`` and ``replace`` here do the same for records.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, dataclass_transform  # noqa: TID251 - see ``_replaced``

__all__ = ["draft", "field", "metadata_of", "names_of", "record", "replace", "with_defaults"]

T = TypeVar("T")

_MISSING: Any = object()
"""Stands for a default that there is not."""


class _Field:
    """What ``field`` returns: a default, and what a field is left out of."""

    __slots__ = ("compare", "default", "default_factory", "init", "metadata", "repr")

    def __init__(
        self,
        *,
        default: Any = _MISSING,
        default_factory: Callable[[], Any] = _MISSING,
        init: bool = True,
        repr: bool = True,  # noqa: A002 - the names are those of ``dataclasses``
        compare: bool = True,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        self.default = default
        self.default_factory = default_factory
        self.init = init
        self.repr = repr
        self.compare = compare
        self.metadata = metadata


def _replaced(value: T, /, **changes: Any) -> T:
    """Return a record like this one but for ``changes``, as ``dataclasses.replace`` does."""
    kind: Any = type(value)
    for name in kind.__match_args__:
        if name not in changes:
            changes[name] = getattr(value, name)
    made: T = kind(**changes)
    return made


# For mypy these are those of ``dataclasses``, as it knows what may be given to them, for each class, by their names alone.
if TYPE_CHECKING:
    from dataclasses import field, replace
else:
    field, replace = _Field, _replaced


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """Return the class as ``dataclass(frozen=True, slots=True)`` would make it, but for the signature of ``__init__``."""
    return _made(cls, {"__hash__": _hash, "__setattr__": _setattr, "__delattr__": _delattr})


@dataclass_transform(field_specifiers=(field,))
def draft(cls: type[T]) -> type[T]:
    """Return the class as ``dataclass(slots=True)`` would make it: a record that may be changed."""
    return _made(cls, {"__hash__": None})


def _made(cls: type[T], more: dict[str, Any]) -> type[T]:
    body = dict(cls.__dict__)
    annotations = body.get("__annotations__", {})
    given = {name: body.pop(name) for name in annotations if name in body}
    if any(type(default).__module__ == "dataclasses" for default in given.values()):
        raise TypeError(f"{cls.__qualname__}: the fields of records are given by auditor.records.field")
    names = tuple(annotations)
    asked = names
    if any(map(_is_unasked, given.values())):
        asked = tuple(name for name in names if not _is_unasked(given.get(name)))
    for name in ("__dict__", "__weakref__"):
        body.pop(name, None)
    # All at once: what is set on a class that is there already takes ten times as long.
    told = {
        "__qualname__": cls.__qualname__,
        "__slots__": names,
        "__match_args__": asked,
        "__dataclass_fields__": _Fields(annotations, given),
        "__record_more__": len(asked) < len(names) or "__post_init__" in body,
        "__record_names__": names,
        "__record_defaults__": given,
        "__record_plain__": {name: default for name, default in given.items() if not isinstance(default, _Field)},
    }
    meta: Any = type(cls)
    made: Any = meta(cls.__name__, cls.__bases__, {**_SHARED, **more, **body, **told})
    # What sets a slot, without the looking up that ``object.__setattr__`` does: two thirds of its time.
    made.__record_setters__ = tuple([made.__dict__[name].__set__ for name in asked])
    result: type[T] = made
    return result


def _is_unasked(default: Any) -> bool:
    return isinstance(default, _Field) and not default.init


class _Fields:
    """The fields of a record in the sense of ``dataclasses``, made when they are first asked for: of most they never are."""

    def __init__(self, annotations: dict[str, Any], given: dict[str, Any]) -> None:
        self._annotations = annotations
        self._given = given

    def __get__(self, _: object, owner: Any) -> dict[str, Any]:
        import dataclasses

        # What it marks a field with that is neither a class variable nor for ``__init__`` alone.
        ordinary = dataclasses._FIELD  # type: ignore[attr-defined] # noqa: SLF001
        made: dict[str, Any] = {}
        for name, kind in self._annotations.items():
            default = self._given.get(name, _MISSING)
            if isinstance(default, _Field):
                kept = {key: value for key in _Field.__slots__ if (value := getattr(default, key)) is not _MISSING}
            else:
                kept = {} if default is _MISSING else {"default": default}
            one: Any = dataclasses.field(**kept)
            one.name, one.type, one.kw_only, one._field_type = name, kind, False, ordinary  # noqa: SLF001
            made[name] = one
        owner.__dataclass_fields__ = made
        return made


def names_of(kind: type) -> tuple[str, ...] | None:
    """Return the names of the fields of a record, or of another dataclass, in their order; None for any other type."""
    names: tuple[str, ...] | None = getattr(kind, "__record_names__", None)
    if names is not None:
        return names
    return tuple(kind.__dataclass_fields__) if hasattr(kind, "__dataclass_fields__") else None


def metadata_of(kind: type, name: str) -> Mapping[str, Any]:
    """Return what ``field`` was told as metadata of a record's field."""
    given = vars(kind)["__record_defaults__"].get(name)
    return (given.metadata if isinstance(given, _Field) else None) or {}


def with_defaults(kind: type) -> frozenset[str]:
    """Return the names of a record's fields that need not be given."""
    return frozenset(vars(kind)["__record_defaults__"])


def _init(self: Any, *values: Any, **named: Any) -> None:
    kind: Any = type(self)
    names = kind.__match_args__
    whole = values if not named and len(values) == len(names) else _completed(kind, values, named)
    # As many as there are names: both ways see to that.
    for put, value in zip(kind.__record_setters__, whole):  # noqa: B905
        put(self, value)
    if kind.__record_more__:
        for name, default in kind.__record_defaults__.items():
            if _is_unasked(default):
                object.__setattr__(self, name, _value(default))
        if hasattr(kind, "__post_init__"):
            self.__post_init__()


def _completed(kind: Any, values: tuple[Any, ...], named: dict[str, Any]) -> list[Any]:
    """Return the values of all fields, in their order. Raises TypeError as the function of a dataclass does."""
    names = kind.__match_args__
    whole, rest = list(values), names[len(values) :]
    told = {**kind.__record_plain__, **named} if kind.__record_plain__ else named
    # Half of all records are made by names: what is as it should be is seen at one look, and only the rest looked into.
    try:
        whole += map(told.__getitem__, rest)
    except KeyError:
        return _pieced(kind, values, named)
    # Where all are given by name, and each was found, there are others only if there are more.
    if len(told) > len(names) or (values and (len(whole) > len(names) or not named.keys() <= set(rest))):
        return _pieced(kind, values, named)
    return whole


def _pieced(kind: Any, values: tuple[Any, ...], named: dict[str, Any]) -> list[Any]:
    """Return what ``_completed`` does, field by field."""
    names, defaults = kind.__match_args__, kind.__record_defaults__
    if len(values) > len(names):
        raise TypeError(f"{kind.__qualname__} takes {len(names)} values but {len(values)} were given")
    whole, used = list(values), 0
    for name in names[len(values) :]:
        if name in named:
            used += 1
            whole.append(named[name])
        elif name in defaults and (value := _value(defaults[name])) is not _MISSING:
            whole.append(value)
        else:
            raise TypeError(f"{kind.__qualname__} needs {name!r}")
    if used != len(named):
        odd = min(named.keys() - set(names[len(values) :]))
        raise TypeError(f"{kind.__qualname__} has no {odd!r}, or was given it twice")
    return whole


def _value(default: Any) -> Any:
    """Return what a field is that was not given; ``_MISSING`` for one that has to be."""
    if not isinstance(default, _Field):
        return default
    return default.default if default.default_factory is _MISSING else default.default_factory()


@cache
def _names_with(kind: Any, use: str) -> tuple[str, ...]:
    """Return the names of the fields that are compared, or shown: ``use`` is the flag of ``field`` that says so."""
    given = kind.__record_defaults__
    return tuple(
        name for name in kind.__record_names__ if not isinstance(one := given.get(name), _Field) or getattr(one, use)
    )


def _compared(self: Any) -> tuple[Any, ...]:
    kind: Any = type(self)
    return tuple([getattr(self, name) for name in _names_with(kind, "compare")])


def _repr(self: Any) -> str:
    kind: Any = type(self)
    shown = (f"{name}={getattr(self, name)!r}" for name in _names_with(kind, "repr"))
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _eq(self: Any, other: object) -> Any:
    return _compared(self) == _compared(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_compared(self))


def _setattr(_: Any, name: str, __: Any) -> NoReturn:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delattr(_: Any, name: str) -> NoReturn:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _getstate(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self.__slots__]


def _setstate(self: Any, state: list[Any]) -> None:
    for name, value in zip(self.__slots__, state, strict=True):
        object.__setattr__(self, name, value)


_SHARED = {
    "__init__": _init,
    "__repr__": _repr,
    "__eq__": _eq,
    "__getstate__": _getstate,
    "__setstate__": _setstate,
}
"""What all records have, but for what a class defines itself."""
