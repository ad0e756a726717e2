"""Which module of a Rust crate names which: by ``use`` and by paths in its code, tests apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

Module = tuple[str, ...]

_COMMENT = re.compile(r"//.*")
_TEXT = re.compile(r'"(?:\\.|[^"\\])*"')
_TESTS = re.compile(r"^#\[cfg\(test\)\]\nmod tests \{.*", re.MULTILINE | re.DOTALL)
_USE = re.compile(r"^\s*(pub(?:\([a-z ]+\))? )?use ([^;]+);", re.MULTILINE)
_PATH = re.compile(r"\b((?:crate|super|self)(?:::\w+)+)")


def modules(root: Path) -> dict[Module, str]:
    """Return the code of each module below ``root`` (a ``src``), by its path in the crate; without tests and comments."""
    found: dict[Module, str] = {}
    for file in root.rglob("*.rs"):
        parts = list(file.relative_to(root).with_suffix("").parts)
        if any("test" in part for part in parts):
            continue
        if parts[-1] in ("mod", "lib", "main"):
            parts.pop()
        found[tuple(parts)] = _TESTS.sub("", _TEXT.sub('""', _COMMENT.sub("", file.read_text())))
    return found


def named(code: str) -> Iterator[tuple[bool, list[str]]]:
    """Yield the paths that code names, and whether it hands each on under its own name."""
    for public, tree in _USE.findall(code):
        for path in _unfolded(" ".join(tree.split())):
            yield bool(public), path.split("::")
    for path in _PATH.findall(_USE.sub("", code)):
        yield False, path.split("::")


def _unfolded(tree: str) -> Iterator[str]:
    """Yield the paths of a tree of ``use``: ``a::{b, c::{d}}`` has ``a::b`` and ``a::c::d``."""
    head, brace, rest = tree.partition("{")
    if not brace:
        yield tree.partition(" as ")[0].strip()
        return
    depth, start, inner = 0, 0, rest[: rest.rindex("}")] + ","
    for place, sign in enumerate(inner):
        depth += (sign == "{") - (sign == "}")
        if sign == "," and not depth:
            if inner[start:place].strip():
                yield from (head.strip() + path for path in _unfolded(inner[start:place].strip()))
            start = place + 1


def users(root: Path) -> dict[Module, set[Module]]:
    """Return for each module those whose names it uses; what one only hands on counts for where it is defined."""
    code = modules(root)
    paths = {module: [*_absolute(module, code)] for module in code}
    handed = {module: {path[-1]: path for public, path in told if public} for module, told in paths.items()}
    found: dict[Module, set[Module]] = {}
    for module, told in paths.items():
        # A face (``mod.rs``) that hands on what its own files define does not use it.
        used = {
            home
            for public, path in told
            if (home := _home(path, code, handed)) is not None and not (public and home[: len(module)] == module)
        }
        found[module] = used - {module}
    return found


def _absolute(module: Module, code: Mapping[Module, str]) -> Iterator[tuple[bool, list[str]]]:
    for public, path in named(code[module]):
        base = list(module)
        if path[0] == "crate":
            yield public, path[1:]
        elif path[0] in ("self", "super"):
            ups = [part for part in path if part in ("self", "super")]
            above = base[: len(base) - ups.count("super")]
            yield public, above + path[len(ups) :]
        elif (*module, path[0]) in code:
            yield public, base + path


def _home(
    path: list[str], code: Mapping[Module, str], handed: Mapping[Module, Mapping[str, list[str]]], depth: int = 0
) -> Module | None:
    """Return the module that defines what a path names."""
    length = max((n for n in range(len(path) + 1) if tuple(path[:n]) in code), default=0)
    module, rest = tuple(path[:length]), path[length:]
    further = handed.get(module, {}).get(rest[0]) if rest else None
    if further is not None and further != path and depth < len(code):
        return _home(further, code, handed, depth + 1)
    return module if module in code else None


def circle(uses: Mapping[Module, set[Module]]) -> list[str]:
    """Return the modules of a circle, the first again at its end; none where there is none."""
    try:
        TopologicalSorter(uses).prepare()
    except CycleError as error:
        return ["::".join(module) or "lib" for module in error.args[1]]
    return []
