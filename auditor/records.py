"""Records: frozen dataclasses with slots that cost little to define.

``dataclasses`` writes six functions for each such class and compiles them when its module is imported: half a millisecond
each, a third of an audit of a small capture, for classes most of which it never makes one of. A record's functions are
shared by all records and look the fields up. ``fields``, ``replace`` and ``is_dataclass`` know records as dataclasses.
"""

from __future__ import annotations

from dataclasses import MISSING, FrozenInstanceError, dataclass, fields
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
    put = object.__setattr__
    for name, value in zip(names, values, strict=False):
        put(self, name, value)
    if len(values) != len(names) or named or len(names) != len(self.__dataclass_fields__):
        _set_rest(self, names, values, named)
    if hasattr(self, "__post_init__"):
        self.__post_init__()


def _set_rest(self: Any, names: tuple[str, ...], values: tuple[Any, ...], named: dict[str, Any]) -> None:
    """Set the fields that were not given by place. Raises TypeError as the function of a dataclass does."""
    kind = type(self).__qualname__
    if len(values) > len(names):
        raise TypeError(f"{kind} takes {len(names)} values but {len(values)} were given")
    placed = set(names[: len(values)])
    for name, field in self.__dataclass_fields__.items():
        if name in placed:
            continue
        if field.init and name in named:
            value = named.pop(name)
        elif field.default is not MISSING:
            value = field.default
        elif field.default_factory is not MISSING:
            value = field.default_factory()
        else:
            raise TypeError(f"{kind} needs {name!r}")
        object.__setattr__(self, name, value)
    if named:
        raise TypeError(f"{kind} has no {next(iter(named))!r}, or was given it twice")


def _compared(self: Any) -> tuple[Any, ...]:
    return tuple(getattr(self, name) for name, field in self.__dataclass_fields__.items() if field.compare)


def _repr(self: Any) -> str:
    shown = (f"{field.name}={getattr(self, field.name)!r}" for field in fields(self) if field.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _eq(self: Any, other: object) -> bool:
    if type(other) is not type(self):
        return NotImplemented
    same: bool = _compared(self) == _compared(other)
    return same


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
