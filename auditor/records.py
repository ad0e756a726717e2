"""Records: frozen dataclasses with slots that cost little to define.

``dataclasses`` writes six functions for each such class and compiles them when its module is imported: half a millisecond
each, a quarter of an audit of a small capture, for classes most of which it never makes one of. A record's functions are
shared by all records and look the fields up. ``fields``, ``replace`` and ``is_dataclass`` know records as dataclasses.
"""

from __future__ import annotations

from dataclasses import MISSING, FrozenInstanceError, dataclass, fields
from functools import cache
from typing import Any, NoReturn, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def record(cls: type[T]) -> type[T]:
    """Return the class as ``dataclass(frozen=True, slots=True)`` would make it, but for the signature of ``__init__``."""
    made: Any = dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    for function in (
        _init,
        _repr,
        _eq,
        _hash,
        _setattr,
        _delattr,
        _getstate,
        _setstate,
    ):
        name = f"__{function.__name__[1:]}__"
        if name not in cls.__dict__:
            setattr(made, name, function)
    result: type[T] = made
    return result


def _init(self: Any, *values: Any, **named: Any) -> None:
    names = self.__match_args__
    given = dict(zip(names, values, strict=False))
    if named or len(given) != len(values):
        _check(self, names, values, named)
        given |= named
    kind: Any = type(self)
    if len(given) != len(kind.__dataclass_fields__):
        for name, default, factory in _defaults_of(kind):
            if name not in given:
                given[name] = default if factory is None else factory()
        if len(given) != len(kind.__dataclass_fields__):
            missing = next(name for name in names if name not in given)
            raise TypeError(f"{kind.__qualname__} needs {missing!r}")
    put = object.__setattr__
    for name, value in given.items():
        put(self, name, value)
    if hasattr(kind, "__post_init__"):
        self.__post_init__()


def _check(self: Any, names: tuple[str, ...], values: tuple[Any, ...], named: dict[str, Any]) -> None:
    """Raise TypeError as the function of a dataclass does: too many values, a name that is none, or is given twice."""
    kind = type(self).__qualname__
    if len(values) > len(names):
        raise TypeError(f"{kind} takes {len(names)} values but {len(values)} were given")
    odd = named.keys() - set(names[len(values) :])
    if odd:
        raise TypeError(f"{kind} has no {min(odd)!r}, or was given it twice")


@cache
def _defaults_of(kind: Any) -> list[tuple[str, Any, Any]]:
    """Return the fields that need not be given: name, and default or what makes it."""
    return [
        (name, field.default, None if field.default_factory is MISSING else field.default_factory)
        for name, field in kind.__dataclass_fields__.items()
        if field.default is not MISSING or field.default_factory is not MISSING
    ]


@cache
def _compared_names(kind: Any) -> tuple[str, ...]:
    return tuple(name for name, field in kind.__dataclass_fields__.items() if field.compare)


def _compared(self: Any) -> tuple[Any, ...]:
    kind: Any = type(self)
    return tuple([getattr(self, name) for name in _compared_names(kind)])


def _repr(self: Any) -> str:
    shown = (f"{field.name}={getattr(self, field.name)!r}" for field in fields(self) if field.repr)
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
    return [getattr(self, field.name) for field in fields(self)]


def _setstate(self: Any, state: list[Any]) -> None:
    for field, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)
