"""Records: dataclasses with slots that cost little to define and to make.

``dataclasses`` writes six functions for each such class and compiles them when its module is imported: half a millisecond
each, a quarter of an audit of a small capture, for classes most of which it never makes one of. A record's functions are
shared by all records, and its fields in the sense of ``dataclasses`` are made when they are first asked for: 15
microseconds each. ``fields``, ``replace`` and ``is_dataclass`` know records as dataclasses.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field
from functools import cache
from typing import Any, NoReturn, TypeVar, dataclass_transform

T = TypeVar("T")


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
    asked = tuple(name for name in annotations if not _is_unasked(given.get(name)))
    for name in ("__dict__", "__weakref__"):
        body.pop(name, None)
    meta: Any = type(cls)
    made: Any = meta(
        cls.__name__,
        cls.__bases__,
        {**_SHARED, **more, **body, "__slots__": tuple(annotations), "__match_args__": asked},
    )
    made.__qualname__ = cls.__qualname__
    made.__dataclass_fields__ = _Fields(annotations, given)
    made.__record_more__ = len(asked) < len(annotations) or "__post_init__" in body
    made.__record_defaults__ = given
    made.__record_plain__ = {name: default for name, default in given.items() if not isinstance(default, Field)}
    result: type[T] = made
    return result


def _is_unasked(default: Any) -> bool:
    return isinstance(default, Field) and not default.init


class _Fields:
    """The fields of a record in the sense of ``dataclasses``, made when they are first asked for: of most they never are."""

    def __init__(self, annotations: dict[str, Any], given: dict[str, Any]) -> None:
        self._annotations = annotations
        self._given = given

    def __get__(self, _: object, owner: Any) -> dict[str, Field[Any]]:
        made: dict[str, Field[Any]] = {}
        for name, kind in self._annotations.items():
            default = self._given.get(name, MISSING)
            one: Any = default if isinstance(default, Field) else field(default=default)
            one.name, one.type, one.kw_only, one._field_type = name, kind, False, _ORDINARY  # noqa: SLF001
            made[name] = one
        owner.__dataclass_fields__ = made
        return made


@dataclass(init=False, repr=False, eq=False)
class _Sample:
    """One field, as ``dataclasses`` makes it."""

    one: int


_ORDINARY: Any = _Sample.__dataclass_fields__["one"]._field_type  # type: ignore[attr-defined] # noqa: SLF001
"""What ``dataclasses`` marks the fields of a class with, that are neither class variables nor for ``__init__`` alone."""


def _init(self: Any, *values: Any, **named: Any) -> None:
    kind: Any = type(self)
    names = kind.__match_args__
    whole = values if not named and len(values) == len(names) else _completed(kind, values, named)
    put = object.__setattr__
    for name, value in zip(names, whole, strict=True):
        put(self, name, value)
    if kind.__record_more__:
        for name, default in kind.__record_defaults__.items():
            if _is_unasked(default):
                put(self, name, _value(default))
        if hasattr(kind, "__post_init__"):
            self.__post_init__()


def _completed(kind: Any, values: tuple[Any, ...], named: dict[str, Any]) -> list[Any]:
    """Return the values of all fields, in their order. Raises TypeError as the function of a dataclass does."""
    names = kind.__match_args__
    whole, rest = list(values), names[len(values) :]
    told = {**kind.__record_plain__, **named}
    # Half of all records are made by names: what is as it should be is seen at one look, and only the rest looked into.
    try:
        whole += [told[name] for name in rest]
    except KeyError:
        return _pieced(kind, values, named)
    if len(whole) > len(names) or (named and not named.keys() <= set(rest)):
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
        elif name in defaults and (value := _value(defaults[name])) is not MISSING:
            whole.append(value)
        else:
            raise TypeError(f"{kind.__qualname__} needs {name!r}")
    if used != len(named):
        odd = min(named.keys() - set(names[len(values) :]))
        raise TypeError(f"{kind.__qualname__} has no {odd!r}, or was given it twice")
    return whole


def _value(default: Any) -> Any:
    """Return what a field is that was not given; MISSING for one that has to be."""
    if not isinstance(default, Field):
        return default
    return default.default if default.default_factory is MISSING else default.default_factory()


@cache
def _compared_names(kind: Any) -> tuple[str, ...]:
    return tuple(name for name, field in kind.__dataclass_fields__.items() if field.compare)


def _compared(self: Any) -> tuple[Any, ...]:
    kind: Any = type(self)
    return tuple([getattr(self, name) for name in _compared_names(kind)])


def _repr(self: Any) -> str:
    shown = (f"{one.name}={getattr(self, one.name)!r}" for one in self.__dataclass_fields__.values() if one.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _eq(self: Any, other: object) -> Any:
    return _compared(self) == _compared(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_compared(self))


def _setattr(_: Any, name: str, __: Any) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delattr(_: Any, name: str) -> NoReturn:
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
